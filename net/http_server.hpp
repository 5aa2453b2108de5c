#pragma once

#include "base/result.hpp"
#include "net/event_loop.hpp"
#include "net/http1_error.hpp"
#include "net/http_message.hpp"
#include "net/socket.hpp"
#include "net/tls.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace strait::net {

struct HttpServerOptions {
  http1::Limits limits{};
  std::size_t body_bytes_max = 8 * 1024 * 1024;      ///< 413 above.
  std::size_t connections_max = 4096;                ///< Further ones are closed at once.
  std::size_t connections_per_client_max = 200;      ///< By IP address; 429 and close above.
  std::size_t stream_buffer_bytes_max = 1024 * 1024; ///< HttpResponder::write() refuses above.
  Millis idle_timeout{60'000};                       ///< Between requests.
  Millis head_timeout{10'000};  ///< From the first byte of a head to its end, TLS included.
  Millis body_timeout{30'000};  ///< Without a byte of the body.
  Millis write_timeout{30'000}; ///< Without the client taking a byte of the answer.
  std::shared_ptr<const TlsServerContext> tls{}; ///< None: plain.
};

/// What the handler knows beside the request.
struct HttpPeer {
  Address address;
  bool tls = false;
  PeerIdentity identity{}; ///< Empty without a client certificate.
};

/// The answer to one request, given at once or later, from any thread; copies share it. If the last
/// copy dies unanswered, the client gets 500. Outlives server and loop harmlessly.
class HttpResponder {
public:
  /// The whole answer. Only the first answer counts.
  void respond(HttpResponse response) const;

  /// An answer in pieces (chunked): begin, write…, end. write() is false when the client is gone or
  /// `stream_buffer_bytes_max` bytes wait for it; nothing is kept then.
  void begin(int status, HttpFields fields) const;
  bool write(std::string bytes) const;
  void end() const;

  /// Whether nobody waits for the answer any more. Any thread.
  bool disconnected() const;
  /// Called once on the loop's thread when the client went away before the answer was complete; at
  /// once if it is gone already. So that a blocking query can be freed. A client that ends its
  /// sending side while it waits counts as gone.
  void on_disconnect(std::function<void()> callback) const;

  struct Exchange;
  explicit HttpResponder(std::shared_ptr<Exchange> exchange) : exchange_{std::move(exchange)} {}

private:
  std::shared_ptr<Exchange> exchange_;
};

/// HTTP/1.1 for control APIs, on a loop: whole requests in, answers in order (RFC 9112 §9.3.2) even
/// when pipelined. Not for the data plane. Lives and dies on the loop's thread, before the loop.
class HttpServer {
public:
  /// Called on the loop's thread; must not block it.
  using Handler = std::function<void(HttpRequest, const HttpPeer&, HttpResponder)>;

  HttpServer(EventLoop& loop, HttpServerOptions options, Handler handler);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  /// Drops what is still connected.
  ~HttpServer();

  /// Serves an address beside those served already; returns where it listens (the port chosen).
  Result<Address> listen(const Address& address);
  /// Another certificate for connections accepted from now on.
  void set_tls(std::shared_ptr<const TlsServerContext> tls);

  /// Listens no more; closes idle connections, lets answers in progress end, but no longer than
  /// `grace`; then calls back.
  void stop(Millis grace, std::function<void()> stopped);

  std::size_t connections() const;

  struct State;

private:
  std::shared_ptr<State> state_;
};

} // namespace strait::net
