#include "gateway/proxy/redirect.hpp"

#include "gateway/proxy/rewrite.hpp"

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
  auto port = redirect.port;
  if (port == 0)
    port = redirect.scheme.empty() ? request.listener_port : port_of(scheme);
  out.append(scheme).append("://");
  out.append(redirect.hostname.empty() ? request.host : std::string_view{redirect.hostname});
  if (port != port_of(scheme))
    out.append(1, ':').append(std::to_string(port));
  if (redirect.path)
    append_edited_path(*redirect.path, match, request.path, out);
  else
    out.append(request.path);
  if (request.has_query)
    out.append(1, '?').append(request.query);
}

} // namespace strait::gateway::proxy
