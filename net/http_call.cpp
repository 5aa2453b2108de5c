#include "net/http_call.hpp"

#include "net/http1_body.hpp"
#include "net/http1_parser.hpp"
#include "net/http1_writer.hpp"

#include <array>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace strait::net {

namespace {

/// A peer that vanished without a word is noticed within half a minute, also while nothing is sent.
constexpr int keepalive_idle_seconds = 15, keepalive_interval_seconds = 5, keepalive_probes = 3;

void keep_alive(int fd) {
  int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &keepalive_idle_seconds, sizeof(int));
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &keepalive_interval_seconds, sizeof(int));
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &keepalive_probes, sizeof(int));
}

} // namespace

Result<HttpOrigin> HttpOrigin::parse(std::string_view url) {
  HttpOrigin out;
  auto rest = url;
  if (rest.starts_with("https://")) {
    out.tls = true;
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else {
    return fail(Errc::invalid, "\"{}\": expected http:// or https://", url);
  }
  if (rest.ends_with('/'))
    rest.remove_suffix(1);
  auto split = split_host_port(rest);
  if (!split)
    return fail(split.error());
  if (split->host.empty() || split->host.find_first_of("/?# @") != std::string::npos)
    return fail(Errc::invalid, "\"{}\": expected a host and a port without a path", url);
  out.host = split->host;
  out.port = split->port ? split->port : out.tls ? 443 : 80;
  out.authority = rest;
  return out;
}

struct HttpCall::Reader {
  explicit Reader(const http1::Limits& limits) : parser{limits}, body{limits} {}
  http1::ResponseParser parser;
  http1::BodyReader body;
  bool in_body = false;
};

HttpCall::HttpCall(EventLoop& loop, Resolver& resolver, const HttpOrigin& origin,
                   HttpRequest request, HttpCallOptions options, HttpCallEvents events,
                   std::unique_ptr<Stream> kept)
    : loop_{loop}, origin_{origin}, options_{std::move(options)}, events_{std::move(events)},
      reader_{std::make_unique<Reader>(options_.limits)}, head_request_{request.method == "HEAD"},
      deadline_{loop,
                [this] {
                  finish(fail(Errc::unavailable, "{}: timed out waiting for the answer",
                              origin_.authority));
                }},
      idle_{loop,
            [this] {
              finish(fail(Errc::unavailable, "{}: the server fell silent", origin_.authority));
            }},
      connect_{loop, [this] {
                 finish(fail(Errc::unavailable, "{}: timed out connecting", origin_.authority));
               }} {
  http1::HeadWriter head{out_};
  head.request(request.method, request.target);
  if (!request.fields.find("Host"))
    head.field("Host", origin_.authority);
  for (const auto& [name, value] : request.fields)
    if (http1::header_id(name) != http1::HeaderId::content_length &&
        http1::header_id(name) != http1::HeaderId::transfer_encoding)
      head.field(name, value);
  if (!request.body.empty() || request.method == "PUT" || request.method == "POST")
    head.field("Content-Length", request.body.size());
  head.end();
  // What fails at once is told from the loop, not from within the constructor.
  auto later = [&](auto task) {
    loop_.defer([alive = std::weak_ptr<bool>(alive_), task] {
      if (alive.lock())
        task();
    });
  };
  if (!head.ok()) {
    later([this, method = request.method, target = request.target] {
      finish(fail(Errc::invalid, "request {} {}: method, target or a header holds what it must not",
                  method, target));
    });
    return;
  }
  out_ += request.body;
  if (options_.timeout.count() > 0)
    deadline_.start(options_.timeout);
  if (kept) {
    kept_ = true;
    // Its descriptor is not watched yet, and edge-triggered watching tells what is so at once.
    later([this, raw = std::make_shared<std::unique_ptr<Stream>>(std::move(kept))] {
      if (!adopt(std::move(*raw)))
        return;
      phase_ = Phase::serving;
      step();
    });
    return;
  }
  connect_.start(options_.connect_timeout);
  later([this, &resolver] {
    resolver.resolve(origin_.host, origin_.port,
                     [this, alive = std::weak_ptr<bool>(alive_)](auto found) {
                       if (alive.lock())
                         resolved(found);
                     });
  });
}

HttpCall::~HttpCall() {
  events_ = {};
  drop();
}

void HttpCall::drop() {
  if (connecting_)
    loop_.remove(connecting_.get());
  connecting_.close();
  if (stream_)
    loop_.remove(stream_->fd());
  stream_.reset();
}

void HttpCall::resolved(const Result<std::vector<Address>>& found) {
  if (!found)
    return finish(fail(found.error()));
  addresses_ = *found;
  phase_ = Phase::connecting;
  connect_next(origin_.host + ": no address");
}

void HttpCall::connect_next(std::string why) {
  for (; next_address_ < addresses_.size(); ++next_address_) {
    auto fd = connect_tcp(addresses_[next_address_]);
    if (!fd) {
      why = fd.error().detail;
      continue;
    }
    connecting_ = std::move(*fd);
    if (auto watched = loop_.add(connecting_.get(), Watch::edge, *this); !watched)
      return finish(watched);
    return;
  }
  finish(fail(Errc::unavailable, "{}", why));
}

void HttpCall::connected() {
  if (auto outcome = connect_outcome(connecting_, addresses_[next_address_]); !outcome) {
    loop_.remove(connecting_.get());
    connecting_.close();
    ++next_address_;
    return connect_next(outcome.error().detail);
  }
  loop_.remove(connecting_.get());
  keep_alive(connecting_.get());
  if (!origin_.tls) {
    if (!adopt(std::make_unique<TcpStream>(std::move(connecting_))))
      return;
  } else if (!options_.context) {
    return finish(fail(Errc::invalid, "{}: https without a TLS context", origin_.authority));
  } else {
    auto name = options_.tls_name.empty() ? origin_.host : options_.tls_name;
    bool literal = Address::from_ip(name, 0).has_value();
    auto made = TlsStream::client(
        std::move(connecting_), options_.context,
        {.sni = literal ? "" : name, .host = options_.check_name ? name : "", .spiffe_id = {}});
    if (!made)
      return finish(fail(made.error()));
    if (!adopt(std::move(*made)))
      return;
  }
  phase_ = Phase::handshake;
  step();
}

/// False when the call ended, and may be gone.
bool HttpCall::adopt(std::unique_ptr<Stream> stream) {
  stream_ = std::move(stream);
  auto watched = loop_.add(stream_->fd(), Watch::edge, *this);
  if (!watched)
    finish(watched);
  return watched.has_value();
}

void HttpCall::on_ready(Ready ready) {
  if (phase_ == Phase::connecting) {
    if (ready.writable() || ready.failed() || ready.hung_up())
      connected();
    return;
  }
  step();
}

void HttpCall::resume() {
  if (!std::exchange(paused_, false) || phase_ != Phase::serving)
    return;
  loop_.defer([this, alive = std::weak_ptr<bool>(alive_)] {
    if (alive.lock())
      step();
  });
}

void HttpCall::step() {
  if (phase_ == Phase::handshake) {
    auto result = stream_->handshake();
    if (result.state == Io::failed || result.state == Io::closed)
      return finish(fail(Errc::unavailable, "{}: TLS handshake: {}", origin_.authority,
                         stream_->failure().empty() ? "the server closed the connection"
                                                    : stream_->failure()));
    if (result.state != Io::ok)
      return;
    phase_ = Phase::serving;
  }
  if (phase_ != Phase::serving)
    return;
  if (connect_.armed())
    connect_.cancel();
  if (options_.idle_timeout.count() > 0 && !idle_.armed())
    idle_.start(options_.idle_timeout);
  write_out();
  while (read_in()) {
  }
}

/// An error in writing is left to reading: the server may have answered before it closed.
void HttpCall::write_out() {
  while (written_ < out_.size()) {
    std::array slice{iovec{out_.data() + written_, out_.size() - written_}};
    auto result = stream_->write_some(slice);
    if (result.state == Io::failed || result.state == Io::closed)
      written_ = out_.size();
    else if (result.state != Io::ok)
      break;
    else
      written_ += result.bytes;
  }
}

/// Whether to try again.
bool HttpCall::read_in() {
  if (paused_ || (heard_ && !digest())) // What a pause left over.
    return false;
  std::array<char, 16 * 1024> space;
  auto result = stream_->read_some(space);
  switch (result.state) {
  case Io::ok:
    heard_ = true;
    if (options_.idle_timeout.count() > 0)
      idle_.start(options_.idle_timeout);
    in_.append(space.data(), result.bytes);
    return digest();
  case Io::want_read:
  case Io::want_write:
    return false;
  case Io::closed:
    if (reader_->in_body && reader_->body.finish_at_close())
      finish({});
    else
      finish(fail(Errc::unavailable, "{}: the server closed the connection {}", origin_.authority,
                  reader_->in_body ? "within the answer" : "without an answer"));
    return false;
  case Io::failed:
    break;
  }
  finish(fail(Errc::unavailable, "{}: connection lost: {}", origin_.authority, stream_->failure()));
  return false;
}

/// What was read, as far as it goes. False: nothing more may be read now.
bool HttpCall::digest() {
  while (!paused_) {
    if (!reader_->in_body) {
      auto head = digest_head();
      if (head == HeadStep::read)
        continue;
      return head == HeadStep::need_more;
    }
    auto step = reader_->body.next(std::string_view{in_}.substr(consumed_));
    consumed_ += step.consumed;
    if (step.state == http1::BodyStep::State::data) {
      auto alive = std::weak_ptr<bool>(alive_);
      if (events_.data)
        events_.data(step.payload);
      if (!alive.lock() || phase_ == Phase::done)
        return false;
      continue;
    }
    if (consumed_ == in_.size()) {
      in_.clear();
      consumed_ = 0;
    }
    if (step.state == http1::BodyStep::State::need_more)
      return true;
    if (step.state == http1::BodyStep::State::done) {
      reusable_ = in_.empty() && reader_->parser.head().keep_alive();
      finish({});
    } else {
      finish(fail(Errc::corrupt, "{}: the answer is not HTTP: {}", origin_.authority,
                  http1::to_string(reader_->body.error())));
    }
    return false;
  }
  return false;
}

HttpCall::HeadStep HttpCall::digest_head() {
  auto& parser = reader_->parser;
  auto progress = parser.parse(std::string_view{in_}.substr(consumed_),
                               head_request_ ? http1::ResponseTo::head : http1::ResponseTo::other);
  if (progress == http1::Progress::need_more)
    return HeadStep::need_more;
  if (progress == http1::Progress::failed) {
    finish(fail(Errc::corrupt, "{}: the answer is not HTTP: {}", origin_.authority,
                http1::to_string(parser.error())));
    return HeadStep::ended;
  }
  auto& head = parser.head();
  if (head.interim()) {
    consumed_ += head.bytes();
    parser.reset();
    return HeadStep::read;
  }
  HttpFields fields;
  for (const auto& field : head.fields())
    fields.add(std::string{head.name(field)}, std::string{head.value(field)});
  reader_->body.start(head);
  reader_->in_body = true;
  consumed_ += head.bytes();
  auto alive = std::weak_ptr<bool>(alive_);
  if (events_.head)
    events_.head(head.status(), fields);
  return alive.lock() && phase_ != Phase::done ? HeadStep::read : HeadStep::ended;
}

void HttpCall::finish(Status status) {
  if (phase_ == Phase::done)
    return;
  phase_ = Phase::done;
  deadline_.cancel();
  idle_.cancel();
  connect_.cancel();
  if (!status || !reusable_)
    drop();
  if (auto end = std::exchange(events_.end, nullptr))
    end(std::move(status));
}

std::unique_ptr<Stream> HttpCall::take_stream() {
  if (phase_ != Phase::done || !stream_)
    return nullptr;
  loop_.remove(stream_->fd());
  return std::move(stream_);
}

} // namespace strait::net
