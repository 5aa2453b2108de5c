#include "gateway/proxy/http2_stream.hpp"

#include "gateway/proxy/http2_connection.hpp"
#include "net/http1_writer.hpp"

#include <algorithm>

namespace strait::gateway::proxy {

using net::http2::Content;
using net::http2::ErrorCode;
using net::http2::Role;

namespace {

constexpr std::size_t piece_bytes_max = 16 * 1024; ///< Content framed at once.

/// Bytes that were dealt with leave the string now and then, not each time.
void forget_front(std::string& bytes, std::size_t& done) {
  if (done == bytes.size() || done >= bytes.size() / 2 + 4096) {
    bytes.erase(0, done);
    done = 0;
  }
}

} // namespace

Http2Stream::Http2Stream(Http2Connection& connection, Channel* channel, std::int32_t id)
    : connection_{connection}, channel_{channel}, id_{id}, request_{connection.limits_.head},
      response_{connection.limits_.head}, body_{connection.limits_.head} {}

std::size_t Http2Stream::read(std::span<char> space) {
  std::size_t total = 0;
  while (total < space.size()) {
    if (text_read_ == text_.size() && !stage())
      break;
    const auto count = std::min(space.size() - total, text_.size() - text_read_);
    text_.copy(space.data() + total, count, text_read_);
    text_read_ += count;
    total += count;
  }
  return total;
}

/// Frames the next piece of what arrived; false if there is none.
bool Http2Stream::stage() {
  text_.clear();
  text_read_ = 0;
  if (content_.size() > content_read_) {
    const auto count = std::min(content_.size() - content_read_, piece_bytes_max);
    if (form_ == Content::chunked)
      net::http1::append_chunk_size(text_, count);
    text_.append(content_, content_read_, count);
    if (form_ == Content::chunked)
      text_.append("\r\n");
    content_read_ += count;
    forget_front(content_, content_read_);
    connection_.consumed(*this, count);
    return true;
  }
  if (!ended_ || tail_staged_)
    return false;
  tail_staged_ = true;
  if (form_ == Content::chunked)
    net::http2::append_trailers(trailers_, text_);
  return !text_.empty();
}

std::size_t Http2Stream::write(std::string_view bytes) {
  std::size_t taken = 0;
  while (taken < bytes.size() && !lost_) {
    const auto rest = bytes.substr(taken);
    if (closed_)
      return bytes.size(); // The answer came whole before the request was sent to its end.
    if (!head_written_) {
      const auto before = head_.size();
      head_.append(rest);
      const auto answers = to_head_ ? net::http1::ResponseTo::head : net::http1::ResponseTo::other;
      const auto progress = connection_.role_ == Role::server ? response_.parse(head_, answers)
                                                              : request_.parse(head_);
      if (progress == net::http1::Progress::need_more)
        return bytes.size();
      if (progress == net::http1::Progress::done) {
        const auto size =
            connection_.role_ == Role::server ? response_.head().bytes() : request_.head().bytes();
        head_.resize(size);
        taken += size - before;
        if (start_message())
          continue;
      }
      lost_ = true;
      break;
    }
    const auto room = connection_.limits_.http2_send_bytes_max -
                      std::min(connection_.limits_.http2_send_bytes_max, out_.size() - out_read_);
    if (room == 0) {
      full_ = true;
      break;
    }
    const auto step = body_.next(rest.substr(0, room));
    out_.append(step.payload);
    taken += step.consumed;
    // Bytes behind the end of a message: nobody may send them.
    if (step.state == net::http1::BodyStep::State::failed || (body_.done() && step.consumed == 0))
      lost_ = true;
    if (body_.done() && !out_ended_) {
      out_ended_ = true;
      net::http2::to_trailers(body_, out_trailers_);
    }
  }
  if (taken > 0 && id_ > 0) {
    connection_.session_.resume(id_);
    connection_.advance_later();
  }
  return taken;
}

/// A head was written.
bool Http2Stream::start_message() {
  net::http2::FieldList fields;
  if (connection_.role_ == Role::client) {
    auto& head = request_.head();
    head.rebase(head_.data());
    net::http2::to_fields(head, connection_.channel_.stream().is_tls(), fields);
    to_head_ = head.method() == net::http1::Method::head;
    body_.start(head);
    head_written_ = true;
    out_ended_ = body_.done();
    return connection_.send_request(*this, fields, out_ended_);
  }
  auto& head = response_.head();
  head.rebase(head_.data());
  net::http2::to_fields(head, fields);
  if (head.interim()) {
    connection_.session_.interim(id_, fields);
    response_.reset();
    head_.clear();
    connection_.advance_later();
    return true;
  }
  if (head.status() == 101 || head.framing() == net::http1::Framing::until_close)
    return false; // Nothing in HTTP/2 stands for them; an exchange writes neither.
  body_.start(head);
  head_written_ = true;
  out_ended_ = body_.done();
  connection_.session_.respond(id_, fields, out_ended_);
  connection_.advance_later();
  return true;
}

net::http2::Events::Body Http2Stream::send(std::span<char> space) {
  const auto count = std::min(space.size(), out_.size() - out_read_);
  out_.copy(space.data(), count, out_read_);
  out_read_ += count;
  forget_front(out_, out_read_);
  if (doomed_ && out_read_ == out_.size())
    connection_.session_.reset(id_, ErrorCode::internal_error);
  if (full_ && out_.size() - out_read_ <= connection_.limits_.http2_send_bytes_max / 2) {
    full_ = false;
    connection_.touch(*this);
  }
  return {count, out_ended_ && out_read_ == out_.size(), &out_trailers_};
}

/// Nobody will read it: the other streams need its share of the connection's window.
void Http2Stream::drop_content() {
  if (connection_.role_ == Role::server)
    connection_.session_.consume_connection(content_.size() - content_read_);
  content_.clear();
  content_read_ = 0;
}

void Http2Stream::detach() {
  channel_ = nullptr;
  drop_content();
  if (id_ == 0 || closed_)
    return connection_.forget(*this);
  auto& session = connection_.session_;
  if (!out_ended_ && head_written_ && connection_.role_ == Role::server) {
    doomed_ = true; // What there is of the answer goes out before its end is told.
    session.resume(id_);
  } else if (!out_ended_)
    session.reset(id_, connection_.role_ == Role::server ? ErrorCode::internal_error
                                                         : ErrorCode::cancel);
  else if (!ended_ && connection_.role_ == Role::client)
    session.reset(id_, ErrorCode::cancel);
  else if (!ended_ && sent_) // An answer that came before its request was read (RFC 9113 §8.1).
    session.reset(id_, ErrorCode::no_error);
  connection_.advance_later();
}

Http2Pipe::Http2Pipe(Http2Stream& stream, bool tls, std::string_view sni)
    : stream_{&stream}, tls_{tls}, sni_{sni} {}

net::IoResult Http2Pipe::read_some(std::span<char> space) {
  if (!stream_)
    return {net::Io::failed, 0};
  const auto count = stream_->read(space);
  drained_ = count < space.size() && !stream_->lost(); // The next read tells that it is.
  if (count > 0)
    return {net::Io::ok, count};
  refused_ = stream_->refused();
  return {stream_->lost() ? net::Io::failed : net::Io::want_read, 0};
}

net::IoResult Http2Pipe::write_some(std::span<const iovec> slices) {
  if (!stream_)
    return {net::Io::failed, 0};
  std::size_t total = 0;
  bool offered = false;
  for (const auto& slice : slices) {
    offered = offered || slice.iov_len > 0;
    const auto taken = stream_->write({static_cast<const char*>(slice.iov_base), slice.iov_len});
    total += taken;
    if (taken < slice.iov_len)
      break;
  }
  if (total > 0 || !offered)
    return {net::Io::ok, total};
  refused_ = stream_->refused();
  return {stream_->lost() ? net::Io::failed : net::Io::want_write, 0};
}

void Http2Pipe::close() {
  if (auto* stream = std::exchange(stream_, nullptr))
    stream->detach();
}

void Http2Pipe::orphan() { stream_ = nullptr; }

} // namespace strait::gateway::proxy
