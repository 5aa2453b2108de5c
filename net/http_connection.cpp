#include "net/http_connection.hpp"

#include "net/http1_writer.hpp"

#include <array>
#include <utility>

namespace strait::net {

namespace {

/// What is read and thrown away from a client that still sends while it is told that it must not.
constexpr std::size_t linger_bytes_max = 1024 * 1024;
constexpr Millis linger_timeout{2'000};

} // namespace

HttpConnection::HttpConnection(Context& context, std::unique_ptr<Stream> stream, Address peer)
    : context_{context}, stream_{std::move(stream)}, peer_{peer, stream_->is_tls(), {}},
      phase_{stream_->is_tls() ? Phase::handshake : Phase::head},
      in_{context.pool, context.options.limits.head_bytes_max}, parser_{context.options.limits},
      body_{context.options.limits}, deadline_{context.loop, [this] { on_deadline(); }} {}

bool HttpConnection::start() {
  deadline_.start(phase_ == Phase::handshake ? context_.options.head_timeout
                                             : context_.options.idle_timeout);
  return context_.loop.add(stream_->fd(), Watch::edge, *this).has_value();
}

void HttpConnection::on_ready(Ready ready) {
  drive();
  // A client that leaves while its answer is being prepared is told by the kernel alone: nothing is
  // read then.
  if (phase_ == Phase::answer && (peer_ended_ || ready.hung_up()) && written_ == out_.size())
    close();
}

void HttpConnection::look_at_answer() {
  if (answer_)
    drive();
}

void HttpConnection::drive() {
  // A handler may answer, and so come back here, while it is called.
  if (std::exchange(driving_, true)) {
    again_ = true;
    return;
  }
  auto self = shared_from_this();
  do {
    again_ = false;
    advance();
  } while (again_ && phase_ != Phase::closed);
  driving_ = false;
}

void HttpConnection::advance() {
  for (bool moved = true; moved && phase_ != Phase::closed;) {
    moved = false;
    switch (phase_) {
    case Phase::handshake:
      moved = shake_hands();
      break;
    case Phase::head:
      moved = take_head() || read();
      break;
    case Phase::body:
      moved = take_body() || read();
      break;
    case Phase::answer:
      moved = take_answer();
      break;
    case Phase::linger:
      moved = read();
      break;
    case Phase::closed:
      break;
    }
    if (phase_ != Phase::closed && phase_ != Phase::handshake && !flush())
      return;
  }
}

bool HttpConnection::shake_hands() {
  auto result = stream_->handshake();
  if (result.state == Io::ok) {
    peer_.identity = static_cast<TlsStream&>(*stream_).peer();
    phase_ = Phase::head;
    return true;
  }
  if (result.state == Io::failed || result.state == Io::closed)
    close();
  return false;
}

bool HttpConnection::read() {
  if (peer_ended_ || phase_ == Phase::closed)
    return false;
  std::array<char, 4096> waste;
  auto space = phase_ == Phase::linger ? std::span<char>{waste} : in_.space();
  if (space.empty())
    return false;
  auto result = stream_->read_some(space);
  switch (result.state) {
  case Io::ok:
    if (phase_ == Phase::linger) {
      lingered_ += result.bytes;
      if (lingered_ > linger_bytes_max)
        close();
    } else {
      in_.commit(result.bytes);
    }
    return true;
  case Io::closed:
    peer_ended_ = true;
    if (phase_ != Phase::answer && written_ == out_.size())
      close();
    return false;
  case Io::failed:
    close();
    return false;
  default:
    in_.release_if_empty();
    return false;
  }
}

bool HttpConnection::take_head() {
  if (finishing_ && parser_.idle() && in_.empty()) {
    if (written_ == out_.size())
      close();
    return false;
  }
  // One that asks and asks without reading the answers is made to wait.
  if (in_.empty() || out_.size() - written_ > context_.options.stream_buffer_bytes_max)
    return false;
  switch (parser_.parse(in_.bytes())) {
  case http1::Progress::need_more:
    // Runs from the first byte on: one that sends a byte now and then does not get more time.
    if (!std::exchange(head_begun_, true))
      deadline_.start(context_.options.head_timeout);
    return false;
  case http1::Progress::failed:
    refuse(http1::status_of(parser_.error()), http1::to_string(parser_.error()));
    return true;
  case http1::Progress::done:
    break;
  }
  head_begun_ = false;
  const auto& head = parser_.head();
  request_ = {std::string{head.method_text()}, std::string{head.target()}, {}, {}};
  if (head.target_form() == http1::TargetForm::absolute) {
    request_.target = head.path();
    if (head.has_query())
      (request_.target += '?') += head.query();
  }
  for (const auto& field : head.fields())
    request_.fields.add(std::string{head.name(field)}, std::string{head.value(field)});
  keep_alive_ = head.keep_alive() && !finishing_;
  head_only_ = head.method() == http1::Method::head;
  version_minor_ = head.version_minor();
  if (head.method() == http1::Method::connect) {
    refuse(501, "CONNECT is not served here");
    return true;
  }
  if (head.framing() == http1::Framing::length &&
      head.content_length() > context_.options.body_bytes_max) {
    refuse(413, fmt::format("the body has {} bytes, at most {} are taken", head.content_length(),
                            context_.options.body_bytes_max));
    return true;
  }
  body_.start(head);
  bool waits = head.expects_continue() && in_.size() == head.bytes();
  in_.consume(head.bytes());
  parser_.reset();
  if (waits)
    out_ += http1::continue_head;
  phase_ = Phase::body;
  deadline_.start(context_.options.body_timeout);
  return true;
}

bool HttpConnection::take_body() {
  for (;;) {
    auto step = body_.next(in_.bytes());
    request_.body += step.payload;
    in_.consume(step.consumed);
    if (request_.body.size() > context_.options.body_bytes_max) {
      refuse(413, fmt::format("the body has more than {} bytes", context_.options.body_bytes_max));
      return true;
    }
    switch (step.state) {
    case http1::BodyStep::State::data:
      deadline_.start(context_.options.body_timeout);
      continue;
    case http1::BodyStep::State::need_more:
      return false;
    case http1::BodyStep::State::done:
      dispatch();
      return true;
    case http1::BodyStep::State::failed:
      refuse(http1::status_of(body_.error()), http1::to_string(body_.error()));
      return true;
    }
  }
}

void HttpConnection::dispatch() {
  phase_ = Phase::answer;
  head_written_ = false;
  deadline_.cancel(); // The handler has all the time it wants.
  answer_ = std::make_shared<HttpAnswer>(context_.loop.poster(),
                                         context_.options.stream_buffer_bytes_max);
  answer_->arrived = [weak = weak_from_this()] {
    if (auto self = weak.lock())
      self->drive();
  };
  // What is answered at once is looked at right after: no wake-up through the inbox.
  auto answer = answer_;
  answer->wake_posted = true;
  context_.handler(std::exchange(request_, {}), peer_,
                   HttpResponder{std::make_shared<HttpResponder::Exchange>(answer)});
  std::lock_guard lock{answer->mutex};
  answer->wake_posted = false;
}

bool HttpConnection::take_answer() {
  if (!answer_)
    return false;
  auto answer = answer_;
  std::unique_lock lock{answer->mutex};
  if (!answer->answered)
    return false;
  if (!std::exchange(head_written_, true))
    write_head(*answer->whole, answer->streams);
  bool had_chunks = !answer->chunks.empty();
  if (had_chunks && !head_only_) {
    if (chunked_) {
      http1::append_chunk_size(out_, answer->chunks.size());
      (out_ += answer->chunks) += "\r\n";
    } else {
      out_ += answer->chunks;
    }
  }
  answer->chunks.clear();
  if (answer->abandoned) {
    lock.unlock();
    close(); // A chunked answer without its end must not look complete.
    return false;
  }
  bool ended = answer->ended;
  answer->on_wire = out_.size() - written_;
  lock.unlock();
  if (!ended)
    return false;
  if (chunked_ && !head_only_)
    out_ += http1::last_chunk;
  answer_done();
  return true;
}

void HttpConnection::write_head(HttpResponse& response, bool streams) {
  auto begin = out_.size();
  auto write = [&](const HttpResponse& r, bool in_pieces) {
    http1::HeadWriter head{out_};
    head.response(r.status);
    for (const auto& [name, value] : r.fields) {
      auto id = http1::header_id(name);
      if (id != http1::HeaderId::content_length && id != http1::HeaderId::transfer_encoding &&
          id != http1::HeaderId::connection)
        head.field(name, value);
    }
    bool bodiless = r.status < 200 || r.status == 204 || r.status == 304;
    chunked_ = in_pieces && !bodiless && version_minor_ == 1;
    if (in_pieces && !bodiless && version_minor_ == 0)
      keep_alive_ = false; // Its end is the connection's.
    if (chunked_)
      head.field("Transfer-Encoding", "chunked");
    else if (!in_pieces && !bodiless)
      head.field("Content-Length", r.body.size());
    keep_alive_ = keep_alive_ && !finishing_;
    if (!keep_alive_)
      head.field("Connection", "close");
    else if (version_minor_ == 0)
      head.field("Connection", "keep-alive");
    head.end();
    if (!in_pieces && !bodiless && !head_only_)
      out_ += r.body;
    return head.ok();
  };
  if (write(response, streams))
    return;
  out_.resize(begin);
  keep_alive_ = false;
  head_only_ = false;
  write({500, {}, "the answer's header fields cannot be written\n"}, false);
  head_only_ = true; // Whatever else comes for this answer is dropped.
}

void HttpConnection::answer_done() {
  tell_gone(*answer_, true);
  answer_.reset();
  if (!keep_alive_ || peer_ended_) {
    linger();
    return;
  }
  phase_ = Phase::head;
  deadline_.start(context_.options.idle_timeout);
}

void HttpConnection::refuse(int status, std::string_view why) {
  keep_alive_ = false;
  HttpResponse response{status, {{"Content-Type", "text/plain"}}, std::string{why} + "\n"};
  write_head(response, false);
  linger();
}

// Ends our side and goes on reading a little: a close with unread bytes would make the kernel
// reset the connection, and the client would lose the answer.
void HttpConnection::linger() {
  phase_ = Phase::linger;
  deadline_.start(context_.options.write_timeout);
}

bool HttpConnection::flush() {
  while (written_ < out_.size()) {
    std::array slice{iovec{out_.data() + written_, out_.size() - written_}};
    auto result = stream_->write_some(slice);
    if (result.state == Io::failed) {
      close();
      return false;
    }
    if (result.state != Io::ok) {
      if (!deadline_.armed())
        deadline_.start(context_.options.write_timeout);
      break;
    }
    written_ += result.bytes;
    if (phase_ == Phase::answer)
      deadline_.cancel();
  }
  if (answer_) {
    std::lock_guard lock{answer_->mutex};
    answer_->on_wire = out_.size() - written_;
  }
  if (written_ < out_.size())
    return true;
  out_.clear();
  written_ = 0;
  if (phase_ == Phase::linger && !std::exchange(ended_, true)) {
    in_.consume(in_.size());
    stream_->shutdown();
    deadline_.start(linger_timeout);
    if (peer_ended_)
      close();
  }
  return phase_ != Phase::closed;
}

void HttpConnection::on_deadline() {
  if (phase_ == Phase::body && written_ == out_.size()) {
    refuse(408, "the body did not come in time");
    drive();
    return;
  }
  if (phase_ == Phase::head && !parser_.idle() && written_ == out_.size()) {
    refuse(408, "the header section did not come in time");
    drive();
    return;
  }
  close();
}

void HttpConnection::finish() {
  finishing_ = true;
  if (phase_ == Phase::handshake)
    close();
  else
    drive();
}

void HttpConnection::close() {
  if (phase_ == Phase::closed)
    return;
  phase_ = Phase::closed;
  deadline_.cancel();
  context_.loop.remove(stream_->fd());
  stream_->close();
  if (auto answer = std::exchange(answer_, nullptr))
    tell_gone(*answer, false);
  context_.closed(*this);
}

} // namespace strait::net
