#pragma once

#include "gateway/proxy/side_request.hpp"
#include "gateway/snapshot/config.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace strait::gateway::proxy {

/// Whether anything but header edits stands between a match and its backend.
inline bool needs_filters(const HttpRule& rule) {
  return rule.cors || rule.auth || rule.redirect || rule.rewrite || rule.session ||
         !rule.jwt.empty() || !rule.mirrors.empty();
}

/// What the filters of one request came to. Part of an exchange, kept from request to request.
struct FilterState {
  HeaderEdits request, response;    ///< Beside those of the rule and of the backend.
  std::string target, host;         ///< Of the forwarded request; empty: the client's.
  std::string location;             ///< Of a redirect.
  std::optional<std::string> query; ///< Without the tokens that are not passed on.

  std::vector<const std::string*> mirrors; ///< Clusters drawn and not sent to yet.
  std::string mirror_bytes;                ///< The copy: its head, then its body as it came.
  std::size_t mirror_head = 0;             ///< Bytes of mirror_bytes that are the head.
  std::size_t body_seen = 0;               ///< Of the body, framing included, in this attempt.

  std::unique_ptr<SideRequest> auth; ///< Made when first needed.
  std::string auth_body;
  net::http1::BodyReader auth_reader;
  std::size_t auth_read = 0; ///< Of the client's buffer, behind the head.

  std::optional<std::uint64_t> session; ///< The endpoint that the request's token names.

  void clear() {
    request = {};
    response = {};
    target.clear();
    host.clear();
    mirrors.clear();
    session.reset();
    query.reset();
  }
};

} // namespace strait::gateway::proxy
