#pragma once

#include "gateway/snapshot/config.hpp"

#include <string>
#include <string_view>

namespace strait::gateway::proxy {

/// What a redirect keeps of a request unless it says otherwise.
struct RedirectSource {
  bool tls = false;
  std::string_view host; ///< Of the Host header, without its port; IPv6 in brackets.
  std::string_view path; ///< Starts with '/'.
  bool has_query = false;
  std::string_view query;
  std::uint16_t listener_port = 0;
};

/// Appends the Location of a redirect (Gateway API, HTTPRequestRedirectFilter): its port is the one
/// given, else the given scheme's own, else the listener's; the scheme's own is left out. Pure.
void append_location(const Redirect& redirect, const Match& match, const RedirectSource& request,
                     std::string& out);

} // namespace strait::gateway::proxy
