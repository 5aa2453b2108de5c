#include "gateway/proxy/http2_connection.hpp"

#include <algorithm>

namespace strait::gateway::proxy {

using net::http2::Content;
using net::http2::ErrorCode;
using net::http2::FieldList;
using net::http2::Role;

namespace {

constexpr std::size_t output_bytes_max = 64 * 1024; ///< Frames made before some are written.

net::http2::Limits session_limits(const ProxyLimits& limits) {
  auto out = limits.http2;
  out.head_bytes_max = std::min(out.head_bytes_max, limits.head.head_bytes_max);
  out.fields_max = std::min(out.fields_max, limits.head.fields_max);
  return out;
}

} // namespace

Http2Connection::Http2Connection(net::EventLoop& loop, net::BufferPool& buffers,
                                 WorkerCounters& counters, const ProxyLimits& limits,
                                 Channel& channel, Role role, User& user)
    : loop_{loop}, counters_{counters}, limits_{limits}, channel_{channel}, role_{role},
      user_{user}, session_{role, session_limits(limits), *this}, output_{buffers},
      self_{std::make_shared<Http2Connection*>(this)} {}

Http2Connection::~Http2Connection() {
  *self_ = nullptr;
  for (const auto& stream : streams_)
    if (stream->channel_)
      static_cast<Http2Pipe&>(stream->channel_->stream()).orphan();
}

void Http2Connection::advance() {
  if (told_)
    return;
  if (advancing_) {
    again_ = true;
    return;
  }
  advancing_ = true;
  unsigned reads = 0;
  for (bool more = true; more;) {
    again_ = false;
    more = read();
    deliver();
    if (std::exchange(streams_changed_, false) && !over_)
      user_.on_streams();
    if (over_)
      break;
    flush(); // Reading goes on if it is blocked: the peer may wait for that.
    if (over_)
      break;
    more = more || again_ || !touched_.empty();
    if (more && ++reads >= limits_.reads_per_turn_max) {
      advance_later();
      break;
    }
  }
  advancing_ = false;
  if (!over_ && session_.finished() && output_.empty())
    over_ = true;
  if (!over_)
    return;
  told_ = true;
  // Those who wait for their streams learn it before the connection's owner does.
  advancing_ = true;
  for (const auto& stream : streams_) {
    stream->lost_ = true;
    touch(*stream);
  }
  deliver();
  advancing_ = false;
  user_.on_finished(why_);
}

/// Whether there may be more to read.
bool Http2Connection::read() {
  auto& in = channel_.in;
  if (!in.empty()) {
    const bool good = session_.receive(loop_.now(), in.bytes());
    in.consume(in.size());
    if (!good) {
      flush(); // Says why.
      fail(session_.failure());
      return false;
    }
  }
  switch (channel_.fill()) {
  case Channel::Flow::moved:
    return true;
  case Channel::Flow::blocked:
    in.release_if_empty();
    return false;
  case Channel::Flow::ended:
    fail(streams_.empty() ? "" : "the peer ended the connection");
    return false;
  default:
    fail("the connection failed");
    return false;
  }
}

void Http2Connection::deliver() {
  for (std::size_t i = 0; i < touched_.size(); ++i) {
    auto* stream = touched_[i];
    if (!stream)
      continue;
    stream->touched_ = false;
    if (std::exchange(stream->fresh_, false)) {
      if (stream->lost_)
        forget(*stream); // Reset before anybody saw it.
      else
        user_.on_request(*stream);
    } else if (stream->channel_) {
      stream->channel_->wake(stream->lost_);
    }
  }
  touched_.clear();
}

/// Writes what the channel takes now.
void Http2Connection::flush() {
  for (;;) {
    while (output_.bytes() < output_bytes_max) {
      const auto bytes = session_.next_output();
      if (bytes.empty())
        break;
      if (!output_.copy(bytes)) // Cannot be: a frame is far below what the queue holds.
        return fail("too much is to be sent at once");
    }
    if (output_.empty())
      return;
    switch (channel_.flush(output_)) {
    case Channel::Flow::moved:
      break;
    case Channel::Flow::blocked:
      return;
    default:
      return fail("the connection failed");
    }
  }
}

void Http2Connection::fail(std::string_view why) {
  over_ = true;
  if (why_.empty())
    why_ = why;
}

void Http2Connection::advance_later() {
  if (advancing_) {
    again_ = true;
    return;
  }
  if (later_ || told_)
    return;
  later_ = true;
  loop_.defer([self = self_] {
    if (auto* connection = *self) {
      connection->later_ = false;
      connection->advance();
    }
  });
}

std::unique_ptr<net::Stream> Http2Connection::accept(Http2Stream& stream, Channel& channel) {
  stream.channel_ = &channel;
  return std::make_unique<Http2Pipe>(stream, channel_.stream().is_tls(), channel_.stream().sni());
}

std::unique_ptr<net::Stream> Http2Connection::open(Channel& channel) {
  auto& stream = add(std::make_unique<Http2Stream>(*this, &channel, 0));
  return std::make_unique<Http2Pipe>(stream, channel_.stream().is_tls(), std::string_view{});
}

bool Http2Connection::has_room() const {
  return !retiring_ && !over_ &&
         streams_.size() < std::min(session_.peer_streams_max(), limits_.http2.streams_max);
}

void Http2Connection::announce_end() {
  session_.announce_end();
  advance_later();
}

void Http2Connection::end() {
  if (!std::exchange(retiring_, true))
    session_.end();
  advance_later();
}

Http2Stream* Http2Connection::find(std::int32_t id) {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second;
}

Http2Stream& Http2Connection::add(std::unique_ptr<Http2Stream> stream) {
  stream->index_ = streams_.size();
  if (stream->id_ > 0)
    by_id_.emplace(stream->id_, stream.get());
  return *streams_.emplace_back(std::move(stream));
}

void Http2Connection::forget(Http2Stream& stream) {
  if (stream.touched_)
    std::replace(touched_.begin(), touched_.end(), &stream, static_cast<Http2Stream*>(nullptr));
  by_id_.erase(stream.id_);
  const auto index = stream.index_;
  auto gone = std::move(streams_[index]);
  if (index + 1 != streams_.size()) {
    streams_[index] = std::move(streams_.back());
    streams_[index]->index_ = index;
  }
  streams_.pop_back();
  streams_changed_ = true;
  advance_later();
}

void Http2Connection::touch(Http2Stream& stream) {
  if (std::exchange(stream.touched_, true))
    return;
  touched_.push_back(&stream);
  advance_later();
}

/// A client's connection stands still as a whole if it lets one of its answers wait; an upstream's,
/// that many clients share, does not.
void Http2Connection::consumed(Http2Stream& stream, std::size_t bytes) {
  if (role_ == Role::server)
    session_.consume_connection(bytes);
  if (!stream.closed_)
    session_.consume_stream(stream.id_, bytes);
  advance_later();
}

bool Http2Connection::send_request(Http2Stream& stream, const FieldList& fields, bool ended) {
  const auto id = session_.request(fields, ended);
  if (!id) {
    retiring_ = true;
    stream.refused_ = true;
    return false;
  }
  stream.id_ = *id;
  by_id_.emplace(*id, &stream);
  advance_later();
  return true;
}

void Http2Connection::on_head(std::int32_t id, const FieldList& fields, bool ended) {
  auto* stream = find(id);
  Content form{};
  if (role_ == Role::server) {
    auto made = std::make_unique<Http2Stream>(*this, nullptr, id);
    form = append_request(fields, ended, made->text_);
    if (form == Content::refused) {
      counters_.add(Counter::requests_refused);
      return session_.reset(id, ErrorCode::protocol_error);
    }
    stream = &add(std::move(made));
    stream->fresh_ = true;
    stream->to_head_ = fields.get(":method") == "HEAD";
    stream->begun_ = true;
  } else {
    if (!stream || !stream->channel_)
      return;
    form = append_response(fields, ended, stream->to_head_, stream->text_);
    if (form == Content::refused || stream->text_.size() > limits_.http2_heads_bytes_max) {
      session_.reset(id, ErrorCode::protocol_error);
      stream->lost_ = true;
      return touch(*stream);
    }
    stream->begun_ = !fields.get(":status").starts_with('1');
  }
  if (stream->begun_)
    stream->form_ = form;
  touch(*stream);
}

void Http2Connection::on_trailers(std::int32_t id, const FieldList& fields) {
  if (auto* stream = find(id))
    stream->trailers_ = fields;
}

void Http2Connection::on_head_too_large(std::int32_t id) {
  auto* stream = find(id);
  if (role_ == Role::server && !stream) {
    counters_.add(Counter::requests_refused);
    counters_.add_response(431);
    FieldList fields;
    fields.add(":status", "431");
    fields.add("content-length", "0");
    session_.respond(id, fields, true);
    return;
  }
  session_.reset(id, role_ == Role::server ? ErrorCode::enhance_your_calm : ErrorCode::cancel);
  if (!stream)
    return;
  stream->lost_ = true;
  touch(*stream);
}

void Http2Connection::on_data(std::int32_t id, std::string_view bytes) {
  auto* stream = find(id);
  if (role_ == Role::client)
    session_.consume_connection(bytes.size());
  if (stream && stream->channel_ && stream->form_ != Content::none) {
    stream->content_.append(bytes);
    return touch(*stream);
  }
  if (stream && stream->fresh_ && stream->form_ != Content::none) { // Not accepted yet.
    stream->content_.append(bytes);
    return;
  }
  if (role_ == Role::server)
    session_.consume_connection(bytes.size());
}

void Http2Connection::on_end(std::int32_t id) {
  if (auto* stream = find(id)) {
    stream->ended_ = true;
    touch(*stream);
  }
}

void Http2Connection::on_sent(std::int32_t id) {
  auto* stream = find(id);
  if (stream) {
    stream->sent_ = true;
    if (stream->channel_ || stream->ended_)
      return;
  }
  // An answer that nobody waits behind, or that was ours: the rest of its request is not wanted
  // (RFC 9113 §8.1).
  if (role_ == Role::server && !session_.peer_ended(id))
    session_.reset(id, ErrorCode::no_error);
}

void Http2Connection::on_closed(std::int32_t id, std::uint32_t code) {
  auto* stream = find(id);
  if (!stream)
    return;
  stream->closed_ = true;
  stream->refused_ = code == static_cast<std::uint32_t>(ErrorCode::refused_stream);
  if (!stream->channel_ && !stream->fresh_)
    return forget(*stream);
  if (!stream->ended_ || (role_ == Role::server && !stream->sent_))
    stream->lost_ = true;
  touch(*stream);
}

void Http2Connection::on_goaway() {
  retiring_ = true;
  streams_changed_ = true;
}

net::http2::Events::Body Http2Connection::on_body_wanted(std::int32_t id, std::span<char> space) {
  auto* stream = find(id);
  return stream ? stream->send(space) : Body{.bytes = 0, .end = true};
}

} // namespace strait::gateway::proxy
