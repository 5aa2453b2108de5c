#include "base/ascii.hpp"
#include "gateway/resolve/listener_checks.hpp"
#include "gateway/resolve/resolve.hpp"
#include "gateway/resolve/route_filters.hpp"

#include <algorithm>

namespace strait::gateway::resolve {

namespace {

using model::Kind;

/// Of conditions on one header or query parameter only the first counts (Gateway API).
void add_first(std::vector<ValueCondition>& conditions, ValueCondition next) {
  if (std::none_of(conditions.begin(), conditions.end(),
                   [&](auto& it) { return it.name == next.name; }))
    conditions.push_back(std::move(next));
}

void add_headers(std::vector<ValueCondition>& conditions,
                 const std::vector<model::ValueMatch>& headers) {
  for (auto& header : headers)
    add_first(conditions,
              {static_cast<ValueType>(header.type), ascii_lower(header.name), header.value});
}

Match match_of(const model::HttpMatch& from) {
  Match match;
  match.path_type = static_cast<PathType>(from.path.type);
  match.path = from.path.value;
  while (match.path_type == PathType::prefix && match.path.size() > 1 && match.path.back() == '/')
    match.path.pop_back();
  match.method = from.method;
  add_headers(match.headers, from.headers);
  for (auto& query : from.query)
    add_first(match.query, {static_cast<ValueType>(query.type), query.name, query.value});
  return match;
}

/// The text as a regular expression that only it matches.
std::string quoted(const std::string& text) {
  std::string pattern;
  for (char c : text) {
    if (std::ispunct(static_cast<unsigned char>(c)) && c != '_')
      pattern += '\\';
    pattern += c;
  }
  return pattern;
}

/// A gRPC method is the path "/SERVICE/METHOD" (gRPC over HTTP/2). Patterns match a path whole.
Match match_of(const model::GrpcMatch& from) {
  Match match;
  add_headers(match.headers, from.headers);
  if (!from.method || (from.method->service.empty() && from.method->method.empty()))
    return match;
  auto& [type, service, method] = *from.method;
  constexpr auto any = "[^/]+";
  if (type == model::ValueMatchType::regex) {
    auto part = [&](const std::string& pattern) {
      return pattern.empty() ? std::string{any} : "(?:" + pattern + ")";
    };
    match.path_type = PathType::regex;
    match.path = "/" + part(service) + "/" + part(method);
  } else if (service.empty()) {
    match.path_type = PathType::regex;
    match.path = std::string{"/"} + any + "/" + quoted(method);
  } else if (method.empty()) {
    match.path = "/" + service;
  } else {
    match.path_type = PathType::exact;
    match.path = "/" + service + "/" + method;
  }
  return match;
}

/// One route, field by field.
class RouteResolution {
public:
  RouteResolution(const View& view, const model::ObjectKey& key, const model::Meta& meta)
      : references_{view, route_} {
    route_.route = key;
    route_.generation = meta.generation;
    route_.created = meta.created;
  }

  ResolvedRoutePtr resolve(const model::HttpRoute& from) {
    common(from);
    hostnames(from.hostnames);
    HttpRoute content;
    for (std::size_t i = 0; i < from.rules.size(); ++i) {
      auto path = fmt::format("spec.rules[{}]", i);
      auto& rule = content.rules.emplace_back(rule_of(from.rules[i], path));
      timeouts(from.rules[i].timeouts, path, rule);
      if (from.rules[i].retry)
        rule.retry = retry_of(*from.rules[i].retry);
      filters(from.rules[i], path, rule);
    }
    return done(std::move(content));
  }

  ResolvedRoutePtr resolve(const model::GrpcRoute& from) {
    common(from);
    hostnames(from.hostnames);
    HttpRoute content;
    content.grpc = true;
    for (std::size_t i = 0; i < from.rules.size(); ++i) {
      auto path = fmt::format("spec.rules[{}]", i);
      auto& rule = content.rules.emplace_back(rule_of(from.rules[i], path));
      if (rule.matches.empty())
        rule.matches.emplace_back();
      filters(from.rules[i], path, rule);
    }
    return done(std::move(content));
  }

  ResolvedRoutePtr resolve(const model::TlsRoute& from) {
    common(from);
    hostnames(from.hostnames);
    return done(TlsRoute{{}, backends(from.backends, Transport::tcp)});
  }
  ResolvedRoutePtr resolve(const model::TcpRoute& from) {
    common(from);
    return done(TcpRoute{backends(from.backends, Transport::tcp)});
  }
  ResolvedRoutePtr resolve(const model::UdpRoute& from) {
    common(from);
    return done(UdpRoute{backends(from.backends, Transport::udp)});
  }

private:
  template <class Content>
  ResolvedRoutePtr done(Content content) {
    route_.content = std::move(content);
    return std::make_shared<const ResolvedRoute>(std::move(route_));
  }

  template <class Route>
  void common(const Route& from) {
    route_.parents = from.parents;
    for (auto& parent : route_.parents)
      if (parent.ns.empty())
        parent.ns = route_.route.name.ns;
    for (auto& field : from.unsupported)
      references_.refuse(to_string(field));
  }

  void hostnames(const std::vector<std::string>& from) {
    for (auto& hostname : from)
      route_.hostnames.push_back(ascii_lower(hostname));
  }

  template <class Rule>
  HttpRule rule_of(const Rule& from, const std::string& path) {
    HttpRule rule;
    rule.name = from.name;
    for (auto& match : from.matches)
      rule.matches.push_back(match_of(match));
    if (from.session)
      rule.session = session_of(*from.session, route_.route, path);
    return rule;
  }

  template <class Rule>
  void filters(const Rule& from, const std::string& path, HttpRule& rule) {
    apply_filters(references_, from.filters, path, rule);
    if (rule.redirect && !from.backends.empty())
      references_.refuse(path + ": a rule with RequestRedirect has no backendRefs");
    for (std::size_t i = 0; i < from.backends.size(); ++i) {
      auto at = fmt::format("{}.backendRefs[{}]", path, i);
      rule.backends.push_back(references_.backend(from.backends[i], at, Transport::tcp));
      apply_filters(references_, from.backends[i].filters, at, rule.backends.back());
    }
  }

  void timeouts(const model::Timeouts& from, const std::string& path, HttpRule& rule) {
    rule.request_timeout = from.request;
    rule.backend_timeout = from.backend_request;
    if (from.request > Millis{0} && from.backend_request > from.request)
      references_.refuse(path + ".timeouts: backendRequest may not be longer than request");
  }

  std::vector<Backend> backends(const std::vector<model::BackendRef>& from, Transport transport) {
    std::vector<Backend> backends;
    for (std::size_t i = 0; i < from.size(); ++i) {
      auto at = fmt::format("spec.rules[0].backendRefs[{}]", i);
      backends.push_back(references_.backend(from[i], at, transport));
      apply_filters(references_, from[i].filters, at, backends.back());
    }
    return backends;
  }

  ResolvedRoute route_;
  RouteReferences references_;
};

template <class Route>
ResolvedRoutePtr resolve(const View& view, const model::ObjectKey& key) {
  auto* found = view.find<Route>(key.name);
  return found ? RouteResolution{view, key, found->meta}.resolve(*found) : nullptr;
}

} // namespace

bool is_route(Kind kind) {
  return kind == Kind::http_route || kind == Kind::grpc_route || kind == Kind::tls_route ||
         kind == Kind::tcp_route || kind == Kind::udp_route;
}

std::vector<model::ObjectKey> routes_in(const View& view) {
  std::vector<model::ObjectKey> keys;
  auto add = [&](auto& table, Kind kind) {
    for (auto& [name, record] : table)
      keys.push_back({kind, name});
  };
  add(view.table<model::HttpRoute>(), Kind::http_route);
  add(view.table<model::GrpcRoute>(), Kind::grpc_route);
  add(view.table<model::TlsRoute>(), Kind::tls_route);
  add(view.table<model::TcpRoute>(), Kind::tcp_route);
  add(view.table<model::UdpRoute>(), Kind::udp_route);
  return keys;
}

ResolvedRoutePtr resolve_route(const View& view, const model::ObjectKey& route) {
  switch (route.kind) {
  case Kind::http_route:
    return resolve<model::HttpRoute>(view, route);
  case Kind::grpc_route:
    return resolve<model::GrpcRoute>(view, route);
  case Kind::tls_route:
    return resolve<model::TlsRoute>(view, route);
  case Kind::tcp_route:
    return resolve<model::TcpRoute>(view, route);
  case Kind::udp_route:
    return resolve<model::UdpRoute>(view, route);
  default:
    return nullptr;
  }
}

} // namespace strait::gateway::resolve
