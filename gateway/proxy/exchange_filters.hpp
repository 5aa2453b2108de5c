#pragma once

#include "gateway/snapshot/config.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace strait::gateway::proxy {

/// Whether anything but header edits stands between a match and its backend.
inline bool needs_filters(const HttpRule& rule) {
  return rule.cors || rule.auth || rule.redirect || rule.rewrite || rule.session ||
         !rule.jwt.empty() || !rule.mirrors.empty();
}

/// What the filters of one request came to. Part of an exchange, kept from request to request.
struct FilterState {
  HeaderEdits request, response; ///< Beside those of the rule and of the backend.
  std::string target, host;      ///< Of the forwarded request; empty: the client's.
  std::string location;          ///< Of a redirect.

  void clear() {
    request = {};
    response = {};
    target.clear();
    host.clear();
  }
};

} // namespace strait::gateway::proxy
