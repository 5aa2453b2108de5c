#pragma once

#include "base/result.hpp"
#include "base/time.hpp"
#include "kubernetes/client_config.hpp"
#include "net/tls.hpp"

#include <memory>
#include <string>

namespace strait::kubernetes {

/// What a client shows and trusts: the TLS context and the bearer token, from values or from files
/// that others replace (projected tokens turn over every hour, CA bundles at times). Owned by one
/// client; one thread.
class Credentials {
public:
  /// Reads everything once. invalid or not_found: names the file or the field.
  static Result<Credentials> load(ClientConfig config);

  /// Reads the files again if `interval` has passed since the last time. What cannot be read keeps
  /// what was; the error tells. Returns whether anything changed.
  Result<bool> refresh(Instant now, Millis interval);

  /// Null for plain http.
  const std::shared_ptr<const net::TlsClientContext>& context() const { return context_; }
  /// "Bearer …"; empty: none.
  const std::string& authorization() const { return authorization_; }

private:
  struct Contents {
    std::string token, ca, certificate, key;
    friend bool operator==(const Contents&, const Contents&) = default;
  };
  explicit Credentials(ClientConfig config) : config_{std::move(config)} {}
  Result<Contents> read() const;
  Status take(const Contents& contents);

  ClientConfig config_;
  Contents contents_;
  Instant read_at_{};
  bool read_before_ = false;
  std::shared_ptr<const net::TlsClientContext> context_;
  std::string authorization_;
};

} // namespace strait::kubernetes
