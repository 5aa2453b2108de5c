#include "api/router.hpp"

#include "net/http_message.hpp"

#include <algorithm>

namespace strait::api {

namespace {

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> segments;
  path.remove_prefix(path.starts_with('/') ? 1 : 0);
  while (true) {
    auto slash = path.find('/');
    segments.emplace_back(path.substr(0, slash));
    if (slash == std::string_view::npos)
      return segments;
    path.remove_prefix(slash + 1);
  }
}

bool matches(const std::vector<std::string>& pattern, const std::vector<std::string>& path,
             std::vector<std::string>& parts) {
  parts.clear();
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == "*" && i < path.size()) {
      std::string rest;
      for (std::size_t j = i; j < path.size(); ++j)
        rest += (j > i ? "/" : "") + net::percent_decode(path[j]);
      parts.push_back(std::move(rest));
      return true;
    }
    bool capture = pattern[i].starts_with(':');
    if (i >= path.size()) {
      // "/v1/catalog/service" is answered like "/v1/catalog/service/": the name is missing.
      if (!capture || i + 1 != pattern.size() || path.size() != i)
        return false;
      parts.emplace_back();
      return true;
    }
    if (capture)
      parts.push_back(net::percent_decode(path[i]));
    else if (pattern[i] != path[i])
      return false;
  }
  return path.size() == pattern.size();
}

} // namespace

void Router::add(std::string_view method, std::string_view pattern, Endpoint endpoint) {
  auto same = std::find_if(routes_.begin(), routes_.end(),
                           [&](auto& route) { return route.pattern == pattern; });
  if (same == routes_.end())
    same = routes_.insert(routes_.end(), Route{std::string{pattern}, split(pattern), {}});
  same->methods.emplace_back(std::string{method}, std::move(endpoint));
}

std::optional<Router::Match> Router::find(std::string_view method, std::string_view path) const {
  auto segments = split(path);
  std::vector<std::string> parts;
  for (auto& route : routes_) {
    if (!matches(route.segments, segments, parts))
      continue;
    Match match{.pattern = route.pattern, .parts = parts, .allow = "OPTIONS"};
    for (auto& [name, endpoint] : route.methods) {
      match.allow += "," + name;
      if (name == method)
        match.endpoint = &endpoint;
    }
    return match;
  }
  return {};
}

} // namespace strait::api
