#pragma once

#include "base/log.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "kubernetes/client_config.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace strait::net {
class EventLoop;
}

namespace strait::kubernetes {

inline constexpr std::string_view merge_patch = "application/merge-patch+json";
inline constexpr std::string_view apply_patch = "application/apply-patch+yaml"; // JSON is YAML.

/// One request to the API server.
struct Request {
  std::string method = "GET";
  std::string path{}; ///< "/api/v1/namespaces/default/services/web"
  std::vector<std::pair<std::string, std::string>> query{}; ///< Not yet percent-encoded.
  std::string body{};
  std::string content_type = "application/json"; ///< Sent only beside a body.
  std::string accept = "application/json";
  Millis timeout{30'000}; ///< Of the whole request; for a watch: without a byte.
};

/// Server-side apply: creates or changes the object so that the fields in `body` (with apiVersion,
/// kind and metadata.name) are as written there, taking them from other managers.
Request apply_request(std::string path, std::string body, std::string_view field_manager);

/// What the API server answered, whatever its status.
struct Response {
  int status = 0;
  std::string body{};
  Millis retry_after{0}; ///< The server's word (429, 503); 0: none.
};
/// Success for 2xx; else the API's own words (metav1.Status.message, which names verb and resource
/// of what is forbidden). 401 and 403: denied; 404: not_found; 409: conflict; 400 and 422: invalid;
/// the rest: unavailable.
Status outcome_of(const Response& response);

/// A watch under way; its end (any thread) breaks it off, and then nothing more is told.
class WatchHandle {
public:
  virtual ~WatchHandle() = default;
  /// Any thread: so many lines were dealt with. Reading rests while ClientOptions::lines_ahead_max
  /// lines are not.
  virtual void taken(std::size_t lines) = 0;
};

struct WatchCallbacks {
  /// One line of the stream, without its end: one JSON watch event. On the loop's thread.
  std::function<void(std::string line)> line;
  /// Once: the server ended the stream (status 200, or its error answer), or the connection failed.
  std::function<void(Result<Response>)> ended;
};

struct ClientOptions {
  /// Watches not counted. As many connections are kept: a burst pays for TLS once.
  std::size_t requests_in_flight_max = 32;
  std::size_t requests_waiting_max = 10'000; ///< Beyond: Errc::exhausted.
  std::size_t body_bytes_max = 64U << 20U;
  std::size_t line_bytes_max = 8U << 20U; ///< Of one watch event (an object has at most 1.5 MiB).
  std::size_t lines_ahead_max = 1'000;
  std::size_t watches_max = 1'000;
  Millis connect_timeout{5'000};
  /// Token and CA files are looked at again after this long.
  Millis credentials_refresh{10'000};
};

/// Requests to one API server, on one event loop that others may use too: no thread per watch.
/// Shared; every method may be called on any thread, every callback comes on the loop's thread.
class Client {
public:
  using Callback = std::function<void(Result<Response>)>;

  /// invalid: names what is wrong with the server's URL or the credentials. Connects to nothing.
  /// The loop must outlive the client's last use by others; close() first.
  static Result<std::shared_ptr<Client>> create(net::EventLoop& loop, ClientConfig config,
                                                ClientOptions options = {}, Log log = {});
  virtual ~Client() = default;

  /// Called back exactly once. unavailable: refused, timed out or broken off: it may have been
  /// carried out. At once, on the caller's thread, if the client is closed or too many wait.
  virtual void request(Request request, Callback callback) = 0;
  /// A request whose answer is a stream of lines. Dropping the handle ends it.
  [[nodiscard]] virtual std::unique_ptr<WatchHandle> watch(Request request,
                                                           WatchCallbacks callbacks) = 0;
  /// Ends everything under way; callbacks get unavailable. Call on the loop's thread, or when the
  /// loop does not run any more.
  virtual void close() = 0;
  /// The loop that callbacks come on: for timers beside them.
  virtual net::EventLoop& loop() = 0;
  /// "https://10.0.0.1:6443"
  virtual const std::string& server() const = 0;
};

} // namespace strait::kubernetes
