#pragma once

#include "base/time.hpp"
#include "gateway/snapshot/config.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// What travels in the cookie or header of session persistence (Gateway API, GEP-1619): which
/// endpoint, until when, and a tag over both, so that neither can be changed. The endpoint is named
/// by a hash: nothing of the cluster is told. Pure functions.
namespace strait::gateway::proxy {

/// For what a token is good: other rules' tokens are as good as none.
struct SessionScope {
  std::string_view key; ///< Secret of the proxies that serve the gateway.
  std::string_view route, rule;
};

/// Names an endpoint of a cluster, over restarts and in every proxy.
std::uint64_t session_endpoint(std::string_view cluster, std::string_view endpoint);

/// 32 characters of base64url. `expires` 0: never.
std::string make_session_token(const SessionScope& scope, std::uint64_t endpoint, WallTime expires);

/// The endpoint; nothing if the text is no token of this scope, or expired.
std::optional<std::uint64_t> read_session_token(const SessionScope& scope, std::string_view text,
                                                WallTime now);

/// The Set-Cookie value that hands out a token.
std::string session_cookie(const SessionPersistence& session, std::string_view token, bool tls);

} // namespace strait::gateway::proxy
