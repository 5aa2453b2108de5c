#pragma once

#include "base/result.hpp"
#include "base/time.hpp"
#include "net/http1_error.hpp"
#include "net/http_message.hpp"
#include "net/tls.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace strait::net {

struct HttpClientOptions {
  Millis connect_timeout{5'000};
  Millis timeout{60'000}; ///< Of one whole request.
  std::size_t body_bytes_max = 64 * 1024 * 1024;
  http1::Limits limits{};
  std::string ca_pem{};  ///< For https; empty: this machine's roots.
  bool insecure = false; ///< Do not verify the server: the user asked for it.
  std::shared_ptr<const TlsCertificate> certificate{};
};

/// A blocking HTTP/1.1 client for commands and tests: one connection, kept alive. One thread.
class HttpClient {
public:
  /// "http://HOST[:PORT]" or "https://…"; a bare "HOST:PORT" means http. invalid: names the text.
  static Result<HttpClient> create(std::string_view url, HttpClientOptions options = {});
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;
  ~HttpClient();

  /// The answer, whatever its status. unavailable: refused, timed out or broken off, naming the
  /// address and what was being done. corrupt: what came was not HTTP. A request on a kept
  /// connection that turns out to be closed is sent again once, on a new one, if its method is
  /// idempotent.
  Result<HttpResponse> send(const HttpRequest& request);
  Result<HttpResponse> get(std::string target) { return send({"GET", std::move(target)}); }
  Result<HttpResponse> put(std::string target, std::string body) {
    return send({"PUT", std::move(target), {}, std::move(body)});
  }
  Result<HttpResponse> post(std::string target, std::string body) {
    return send({"POST", std::move(target), {}, std::move(body)});
  }
  Result<HttpResponse> del(std::string target) { return send({"DELETE", std::move(target)}); }

private:
  struct Session;
  explicit HttpClient(std::unique_ptr<Session> session);
  std::unique_ptr<Session> session_;
};

} // namespace strait::net
