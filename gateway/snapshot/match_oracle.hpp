#pragma once

#include "gateway/snapshot/snapshot.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

/// The obvious matcher, for tests: every match of every route is compared, straight from the
/// Gateway API's sentences, and the best one taken. It shares no code with the table that ships.
namespace strait::gateway::oracle {

inline std::string lower(std::string_view text) {
  std::string out{text};
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

/// A wildcard stands for one or more labels.
inline bool covers(const std::string& hostname, std::string_view host) {
  if (hostname.empty())
    return true;
  if (host.size() > 253)
    return false;
  if (hostname[0] != '*')
    return host == hostname;
  const std::string suffix = hostname.substr(1);
  return host.size() > suffix.size() && host.substr(host.size() - suffix.size()) == suffix;
}

inline bool full_match(std::string_view text, const std::string& pattern) {
  RE2::Options options;
  options.set_encoding(RE2::Options::EncodingLatin1);
  options.set_log_errors(false);
  return RE2::FullMatch(re2::StringPiece{text.data(), text.size()}, RE2{pattern, options});
}

inline bool path_matches(const Match& match, std::string_view path) {
  if (path.empty() || path[0] != '/')
    return false;
  switch (match.path_type) {
  case PathType::exact:
    return path == match.path;
  case PathType::regex:
    return full_match(path, match.path);
  case PathType::prefix: {
    std::string prefix = match.path;
    if (prefix.back() == '/')
      prefix.pop_back();
    return path == prefix || path.substr(0, prefix.size() + 1) == prefix + "/";
  }
  }
  return false;
}

inline std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() &&
        std::isxdigit(static_cast<unsigned char>(text[i + 1])) &&
        std::isxdigit(static_cast<unsigned char>(text[i + 2]))) {
      out += static_cast<char>(std::stoi(std::string{text.substr(i + 1, 2)}, nullptr, 16));
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

using Values = std::map<std::string, std::string>; // The first value of each name.

inline Values header_values(const RequestView& request) {
  Values values;
  for (const auto& header : request.headers)
    values.emplace(lower(header.name), header.value);
  return values;
}

inline Values query_values(std::string_view query) {
  Values values;
  std::size_t begin = 0;
  while (begin <= query.size()) {
    auto end = std::min(query.find('&', begin), query.size());
    auto parameter = query.substr(begin, end - begin);
    auto equals = parameter.find('=');
    auto value = equals == std::string_view::npos ? "" : parameter.substr(equals + 1);
    if (!parameter.empty())
      values.emplace(decoded(parameter.substr(0, equals)), decoded(value));
    begin = end + 1;
  }
  return values;
}

/// The first condition of each name.
inline std::map<std::string, const ValueCondition*>
distinct(const std::vector<ValueCondition>& conditions, bool ignore_case) {
  std::map<std::string, const ValueCondition*> first;
  for (const auto& condition : conditions)
    first.emplace(ignore_case ? lower(condition.name) : condition.name, &condition);
  return first;
}

inline bool all_hold(const std::map<std::string, const ValueCondition*>& conditions,
                     const Values& values) {
  return std::all_of(conditions.begin(), conditions.end(), [&](const auto& item) {
    auto value = values.find(item.first);
    return value != values.end() &&
           (item.second->type == ValueType::exact ? value->second == item.second->value
                                                  : full_match(value->second, item.second->value));
  });
}

inline MatchedRule match(const std::vector<const BoundRoute*>& routes, const RequestView& request) {
  const auto headers = header_values(request);
  const auto query = query_values(request.query);
  using Order = std::tuple<int, std::size_t, // Hostname: exact first, then the longest.
                           int, std::size_t, // Path: exact, regex, prefix; then the longest.
                           bool, std::size_t, std::size_t, // Method, headers, query.
                           std::int64_t, std::string,      // Age, id: smaller is better.
                           std::size_t, std::size_t>;      // Place in the route.
  std::vector<std::pair<Order, MatchedRule>> found;
  for (const auto* route : routes) {
    const auto& http = std::get<HttpRoute>(route->route);
    const auto hostnames = http.hostnames.empty() ? std::vector<std::string>{""} : http.hostnames;
    for (const auto& hostname : hostnames)
      for (std::size_t r = 0; r < http.rules.size(); ++r)
        for (std::size_t m = 0; m < http.rules[r].matches.size(); ++m) {
          const auto& match = http.rules[r].matches[m];
          const auto header_conditions = distinct(match.headers, true);
          const auto query_conditions = distinct(match.query, false);
          if (!covers(hostname, request.host) || !path_matches(match, request.path) ||
              (!match.method.empty() && match.method != request.method) ||
              !all_hold(header_conditions, headers) || !all_hold(query_conditions, query))
            continue;
          const bool wildcard = hostname.empty() || hostname[0] == '*';
          const int type = match.path_type == PathType::exact   ? 0
                           : match.path_type == PathType::regex ? 1
                                                                : 2;
          auto length = match.path.size() - (match.path.back() == '/' ? 1 : 0);
          found.emplace_back(Order{wildcard ? 1 : 0, 1000 - hostname.size(), type,
                                   type == 2 ? 10000 - length : 0, match.method.empty(),
                                   1000 - header_conditions.size(), 1000 - query_conditions.size(),
                                   route->created.time_since_epoch().count(), route->id, r, m},
                             MatchedRule{route, &http.rules[r], &match});
        }
  }
  auto best = std::min_element(found.begin(), found.end(),
                               [](const auto& a, const auto& b) { return a.first < b.first; });
  return best == found.end() ? MatchedRule{} : best->second;
}

/// How specific a hostname is for a host that it covers: exact, then the longer wildcard, then
/// every host. Smaller is more.
inline std::size_t distance(const std::string& hostname) {
  return hostname.empty() ? 1000 : hostname[0] == '*' ? 999 - hostname.size() : 0;
}

/// The most specific listener of a port.
inline const Listener* listener(const std::vector<const Listener*>& listeners,
                                std::string_view host) {
  const Listener* best = nullptr;
  for (const auto* one : listeners)
    if (covers(one->hostname, host) &&
        (!best || distance(one->hostname) < distance(best->hostname)))
      best = one;
  return best;
}

/// The TLS route of a listener for a server name.
inline const BoundRoute* tls(const std::vector<const BoundRoute*>& routes, std::string_view name) {
  using Order = std::tuple<std::size_t, std::int64_t, std::string>;
  std::map<Order, const BoundRoute*> found;
  for (const auto* route : routes) {
    auto hostnames = std::get<TlsRoute>(route->route).hostnames;
    if (hostnames.empty())
      hostnames.push_back("");
    for (const auto& hostname : hostnames)
      if (covers(hostname, name))
        found.emplace(
            Order{distance(hostname), route->created.time_since_epoch().count(), route->id}, route);
  }
  return found.empty() ? nullptr : found.begin()->second;
}

/// The two sentences of Gateway API on requests that reuse a connection (421).
inline bool misdirected(const std::vector<const Listener*>& listeners, const Listener& chosen,
                        std::string_view host) {
  if (host.empty())
    return false;
  const bool chosen_covers = covers(chosen.hostname, host);
  for (const auto* other : listeners)
    if (other != &chosen && covers(other->hostname, host) &&
        (!chosen_covers || distance(other->hostname) < distance(chosen.hostname)))
      return true;
  return false;
}

} // namespace strait::gateway::oracle
