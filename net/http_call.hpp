#pragma once

#include "net/dns.hpp"
#include "net/event_loop.hpp"
#include "net/http1_error.hpp"
#include "net/http_message.hpp"
#include "net/tls.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace strait::net {

/// "https://host:port" in its parts.
struct HttpOrigin {
  bool tls = false;
  std::string host;
  std::uint16_t port = 0;
  std::string authority; ///< For Host.
  /// "http://HOST[:PORT]" or "https://…", without a path. invalid: names the text.
  static Result<HttpOrigin> parse(std::string_view url);
};

struct HttpCallOptions {
  Millis connect_timeout{5'000}; ///< Name, TCP and TLS together.
  Millis timeout{30'000};        ///< Of the whole call; 0: none.
  Millis idle_timeout{0};        ///< Without a byte from the server; 0: none.
  std::string tls_name{};        ///< What the certificate must be for; empty: the host.
  bool check_name = true;        ///< False beside an insecure context alone.
  std::shared_ptr<const TlsClientContext> context{}; ///< For https.
  http1::Limits limits{};
};

/// What a call tells, on the loop's thread. A callback may destroy the call.
struct HttpCallEvents {
  std::function<void(int status, const HttpFields& fields)> head;
  /// Content as it comes, in pieces as they come. Not after pause().
  std::function<void(std::string_view)> data;
  /// Once, last. unavailable: refused, timed out or broken off, naming the address and what was
  /// being done. corrupt: what came was not HTTP.
  std::function<void(Status)> end;
};

/// One HTTP/1.1 request and its answer, read as it comes, on a loop: for long answers (a
/// Kubernetes watch) and for many calls on one thread. Loop thread only. Destroying it breaks the
/// call off and tells nothing more.
class HttpCall final : EventHandler {
public:
  /// `kept` is a connection that an earlier call left (take_stream), or null to make a new one.
  HttpCall(EventLoop& loop, Resolver& resolver, const HttpOrigin& origin, HttpRequest request,
           HttpCallOptions options, HttpCallEvents events, std::unique_ptr<Stream> kept = nullptr);
  HttpCall(const HttpCall&) = delete;
  HttpCall& operator=(const HttpCall&) = delete;
  ~HttpCall();

  /// Nothing is read any more until resume(): the server sees it by TCP.
  void pause() { paused_ = true; }
  void resume();
  /// Within or after end(): the connection, if it may carry another call; else null.
  std::unique_ptr<Stream> take_stream();
  /// No byte of an answer came: the server may have closed a kept connection before it saw this.
  bool unanswered() const { return !heard_; }
  bool on_kept_connection() const { return kept_; }

private:
  enum class Phase : std::uint8_t { resolving, connecting, handshake, serving, done };
  void on_ready(Ready ready) override;
  void resolved(const Result<std::vector<Address>>& found);
  void connect_next(std::string why);
  void connected();
  bool adopt(std::unique_ptr<Stream> stream);
  void step();
  void write_out();
  bool read_in();
  bool digest();
  enum class HeadStep : std::uint8_t { need_more, read, ended };
  HeadStep digest_head();
  void finish(Status status);
  void drop();

  EventLoop& loop_;
  HttpOrigin origin_;
  HttpCallOptions options_;
  HttpCallEvents events_;
  struct Reader;
  std::unique_ptr<Reader> reader_;
  Phase phase_ = Phase::resolving;
  bool head_request_ = false, heard_ = false, paused_ = false, reusable_ = false, kept_ = false;
  std::vector<Address> addresses_;
  std::size_t next_address_ = 0;
  Fd connecting_;
  std::unique_ptr<Stream> stream_;
  std::string out_, in_;
  std::size_t written_ = 0, consumed_ = 0;
  Timer deadline_, idle_, connect_;
  /// Set while a callback runs, so that it may destroy this.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

} // namespace strait::net
