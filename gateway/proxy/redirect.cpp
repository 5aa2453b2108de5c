#include "gateway/proxy/redirect.hpp"

#include "gateway/proxy/rewrite.hpp"

#include <algorithm>

namespace strait::gateway::proxy {

namespace {
constexpr std::uint16_t http_port = 80, https_port = 443;

std::uint16_t port_of(std::string_view scheme) {
  return scheme == "https" ? https_port : http_port;
}
} // namespace

void append_location(const Redirect& redirect, const Match& match, const RedirectSource& request,
                     std::string& out) {
  const std::string_view scheme = !redirect.scheme.empty() ? std::string_view{redirect.scheme}
                                  : request.tls            ? "https"
                                                           : "http";
  const auto begin = out.size();
  auto request_path = request.path;
  auto port = redirect.port;
  if (port == 0)
    port = redirect.scheme.empty() ? request.listener_port : port_of(scheme);
  const auto host = redirect.hostname.empty() ? request.host : std::string_view{redirect.hostname};
  out.append(scheme).append("://").append(host);
  if (port != port_of(scheme))
    out.append(1, ':').append(std::to_string(port));
  // HTTP/1.0 may come without a host: then only the path can be told, and it must not look like
  // one ("//evil.org").
  if (host.empty()) {
    out.resize(begin);
    request_path.remove_prefix(std::min(request_path.find_first_not_of('/'), request_path.size()) -
                               1);
  }
  if (redirect.path)
    append_edited_path(*redirect.path, match, request_path, out);
  else
    out.append(request_path);
  if (request.has_query)
    out.append(1, '?').append(request.query);
}

} // namespace strait::gateway::proxy
