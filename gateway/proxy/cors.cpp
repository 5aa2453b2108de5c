#include "gateway/proxy/cors.hpp"

#include "base/ascii.hpp"

#include <algorithm>
#include <string>

namespace strait::gateway::proxy {

namespace {

/// Glob without backtracking over more than the last star: linear in the text for each star.
bool covers(std::string_view pattern, std::string_view text) {
  constexpr auto none = std::string_view::npos;
  std::size_t at = 0, star = none, star_text = 0;
  std::size_t i = 0;
  while (i < text.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = at++;
      star_text = i;
    } else if (at < pattern.size() && ascii_lower(pattern[at]) == ascii_lower(text[i])) {
      ++at;
      ++i;
    } else if (star != none && text[star_text] != '/') {
      at = star + 1;
      i = ++star_text;
    } else {
      return false;
    }
  }
  while (at < pattern.size() && pattern[at] == '*')
    ++at;
  return at == pattern.size();
}

std::string_view without_own_port(std::string_view origin) {
  const auto ends = [&](std::string_view scheme, std::string_view port) {
    return origin.size() > scheme.size() && covers(scheme, origin.substr(0, scheme.size())) &&
           origin.ends_with(port);
  };
  if (ends("http://", ":80"))
    return origin.substr(0, origin.size() - 3);
  if (ends("https://", ":443"))
    return origin.substr(0, origin.size() - 4);
  return origin;
}

bool any_of_all(const std::vector<std::string>& names) {
  return std::find(names.begin(), names.end(), "*") != names.end();
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names)
    text.append(text.empty() ? "" : ", ").append(name);
  return text;
}

void set(HeaderEdits& edits, std::string name, std::string value) {
  if (!value.empty())
    edits.set.push_back({std::move(name), std::move(value)});
}

} // namespace

bool is_preflight(const CorsRequest& request) {
  return request.method == "OPTIONS" && !request.origin.empty() &&
         !request.requested_method.empty();
}

bool allows_origin(const Cors& cors, std::string_view origin) {
  if (origin.empty())
    return false;
  const auto plain = without_own_port(origin);
  return std::any_of(cors.allow_origins.begin(), cors.allow_origins.end(),
                     [&](const auto& pattern) {
                       return pattern == "*" || covers(without_own_port(pattern), plain);
                     });
}

void add_cors_edits(const Cors& cors, const CorsRequest& request, HeaderEdits& edits) {
  const bool every_origin = any_of_all(cors.allow_origins) && !cors.allow_credentials;
  const bool preflight = is_preflight(request);
  // Caches must not hand one origin's answer to another.
  if (!every_origin)
    edits.add.push_back({"vary", "Origin"});
  if (request.origin.empty())
    return;
  for (const auto* name : {"access-control-allow-origin", "access-control-allow-credentials",
                           "access-control-expose-headers"})
    edits.remove.emplace_back(name);
  if (!allows_origin(cors, request.origin))
    return;
  set(edits, "access-control-allow-origin",
      every_origin ? std::string{"*"} : std::string{request.origin});
  if (cors.allow_credentials)
    set(edits, "access-control-allow-credentials", "true");
  if (!any_of_all(cors.expose_headers))
    set(edits, "access-control-expose-headers", joined(cors.expose_headers));
  else if (!cors.allow_credentials) // With credentials a browser takes "*" for a header's name.
    set(edits, "access-control-expose-headers", "*");
  if (!preflight)
    return;
  set(edits, "access-control-allow-methods",
      any_of_all(cors.allow_methods) ? std::string{request.requested_method}
                                     : joined(cors.allow_methods));
  set(edits, "access-control-allow-headers",
      any_of_all(cors.allow_headers) ? std::string{request.requested_headers}
                                     : joined(cors.allow_headers));
  set(edits, "access-control-max-age", std::to_string(cors.max_age));
}

} // namespace strait::gateway::proxy
