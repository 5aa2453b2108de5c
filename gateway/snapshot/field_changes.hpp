#pragma once

#include "gateway/snapshot/config.hpp"

#include <functional>
#include <string>
#include <vector>

/// For tests: every single way in which a resource can differ from one that has something in each
/// of its fields. What carries, hashes or prints a resource must see each of them.
namespace strait::gateway::test {

template <class T>
struct FieldChange {
  std::string field;
  std::function<void(T&)> change;
};
template <class T>
using FieldChanges = std::vector<FieldChange<T>>;

/// A rule with something in every field.
inline HttpRule full_rule() {
  HttpRule rule{.name = "rule"};
  rule.matches = {{.path_type = PathType::exact,
                   .path = "/a",
                   .method = "GET",
                   .headers = {{ValueType::exact, "x", "1"}},
                   .query = {{ValueType::regex, "q", "2"}}}};
  rule.request = {.set = {{"s", "1"}}, .add = {{"a", "2"}}, .remove = {"r"}};
  rule.response = {.set = {{"s2", "1"}}, .add = {{"a2", "2"}}, .remove = {"r2"}};
  rule.backends = {{.cluster = "web",
                    .weight = 3,
                    .request = {.set = {{"b", "1"}}},
                    .response = {.set = {{"c", "1"}}}},
                   {.weight = 4, .refusal = 500}};
  rule.cors = Cors{{"https://a"}, true, {"GET"}, {"x-h"}, {"x-e"}, 9};
  rule.jwt = {{.providers = {{.name = "p",
                              .issuer = "i",
                              .audiences = {"aud"},
                              .jwks = "{}",
                              .locations = {{Jwt::Location::Type::query, "t", "", false}},
                              .claims = {{{"roles", "0"}, "admin"}},
                              .clock_skew_seconds = 7}}}};
  rule.auth = ExternalAuth{"auth", 0, true, "/check", {"cookie"}, {"x-user"}, 1024};
  rule.redirect = Redirect{"https", "b.com", PathEdit{PathEdit::Type::full, "/r"}, 8443, 301};
  rule.mirrors = {{"copy", 1, 2}};
  rule.rewrite = Rewrite{"c.com", PathEdit{PathEdit::Type::prefix, "/w"}};
  rule.request_timeout = Millis{10};
  rule.backend_timeout = Millis{5};
  rule.idle_timeout = Millis{20};
  rule.retry = Retry{{503}, 2, false, Millis{25}};
  rule.session = SessionPersistence{true, "s", Millis{60000}, true};
  return rule;
}

#define STRAIT_FIELD_CHANGE(T, ...)                                                                \
  {                                                                                                \
#__VA_ARGS__, [](T & it) { it.__VA_ARGS__; }                                                   \
  }

inline FieldChanges<HttpRule> rule_changes() {
#define CHANGE(...) STRAIT_FIELD_CHANGE(HttpRule, __VA_ARGS__)
  return {
      CHANGE(name = "other"),
      CHANGE(matches[0].path_type = PathType::prefix),
      CHANGE(matches[0].path = "/b"),
      CHANGE(matches[0].method = ""),
      CHANGE(matches[0].headers[0].type = ValueType::regex),
      CHANGE(matches[0].headers[0].name = "y"),
      CHANGE(matches[0].headers[0].value = "2"),
      CHANGE(matches[0].query[0].value = "3"),
      CHANGE(matches[0].query.clear()),
      CHANGE(matches.emplace_back()),
      CHANGE(request.set[0].name = "t"),
      CHANGE(request.set[0].value = "2"),
      CHANGE(request.add[0].value = "3"),
      CHANGE(request.remove[0] = "q"),
      CHANGE(response.set.clear()),
      CHANGE(response.add.clear()),
      CHANGE(response.remove.clear()),
      CHANGE(backends[0].cluster = "api"),
      CHANGE(backends[0].weight = 0),
      CHANGE(backends[0].request = {}),
      CHANGE(backends[0].response = {}),
      CHANGE(backends[1].refusal = 503),
      CHANGE(cors.reset()),
      CHANGE(cors->allow_origins[0] = "*"),
      CHANGE(cors->allow_credentials = false),
      CHANGE(cors->allow_methods.clear()),
      CHANGE(cors->allow_headers.clear()),
      CHANGE(cors->expose_headers.clear()),
      CHANGE(cors->max_age = -1),
      CHANGE(jwt.clear()),
      CHANGE(jwt.emplace_back()),
      CHANGE(jwt[0].providers.clear()),
      CHANGE(jwt[0].providers[0].name = "q"),
      CHANGE(jwt[0].providers[0].issuer = ""),
      CHANGE(jwt[0].providers[0].audiences.clear()),
      CHANGE(jwt[0].providers[0].jwks = ""),
      CHANGE(jwt[0].providers[0].locations.clear()),
      CHANGE(jwt[0].providers[0].locations[0].type = Jwt::Location::Type::header),
      CHANGE(jwt[0].providers[0].locations[0].type = Jwt::Location::Type::cookie),
      CHANGE(jwt[0].providers[0].locations[0].name = "u"),
      CHANGE(jwt[0].providers[0].locations[0].prefix = "Bearer"),
      CHANGE(jwt[0].providers[0].locations[0].forward = true),
      CHANGE(jwt[0].providers[0].claims.clear()),
      CHANGE(jwt[0].providers[0].claims[0].path[1] = "1"),
      CHANGE(jwt[0].providers[0].claims[0].value = "user"),
      CHANGE(jwt[0].providers[0].clock_skew_seconds = -7),
      CHANGE(auth.reset()),
      CHANGE(auth->cluster = ""),
      CHANGE(auth->refusal = 500),
      CHANGE(auth->grpc = false),
      CHANGE(auth->path = ""),
      CHANGE(auth->allowed_headers.clear()),
      CHANGE(auth->allowed_response_headers.clear()),
      CHANGE(auth->forward_body = 0),
      CHANGE(redirect.reset()),
      CHANGE(redirect->scheme = ""),
      CHANGE(redirect->hostname = ""),
      CHANGE(redirect->path.reset()),
      CHANGE(redirect->path->type = PathEdit::Type::prefix),
      CHANGE(redirect->path->value = ""),
      CHANGE(redirect->port = 0),
      CHANGE(redirect->status = 302),
      CHANGE(mirrors.clear()),
      CHANGE(mirrors[0].cluster = "copy two"),
      CHANGE(mirrors[0].numerator = 0),
      CHANGE(mirrors[0].denominator = 100),
      CHANGE(rewrite.reset()),
      CHANGE(rewrite->hostname = ""),
      CHANGE(rewrite->path.reset()),
      CHANGE(rewrite->path->type = PathEdit::Type::full),
      CHANGE(rewrite->path->value = "/"),
      CHANGE(request_timeout = Millis{}),
      CHANGE(request_timeout.reset()),
      CHANGE(backend_timeout = Millis{10}),
      CHANGE(backend_timeout.reset()),
      CHANGE(idle_timeout = Millis{10}),
      CHANGE(idle_timeout.reset()),
      CHANGE(retry.reset()),
      CHANGE(retry->codes[0] = 502),
      CHANGE(retry->attempts = 0),
      CHANGE(retry->on_connection_error = true),
      CHANGE(retry->backoff = Millis{}),
      CHANGE(session.reset()),
      CHANGE(session->header = false),
      CHANGE(session->name = ""),
      CHANGE(session->absolute_timeout = Millis{}),
      CHANGE(session->permanent = false),
  };
#undef CHANGE
}

inline Listener full_listener() {
  return {.name = "https",
          .address = "::1",
          .port = 443,
          .protocol = Protocol::https,
          .hostname = "a.com",
          .tls = {{"edge"}, TlsVersion::tls1_0, TlsVersion::tls1_2, {"A"}},
          .clients = ClientValidation{{"ca"}, true},
          .passthrough = true,
          .public_port = 8443};
}

inline FieldChanges<Listener> listener_changes() {
#define CHANGE(...) STRAIT_FIELD_CHANGE(Listener, __VA_ARGS__)
  return {
      CHANGE(address = ""),
      CHANGE(port = 80),
      CHANGE(protocol = Protocol::http),
      CHANGE(protocol = Protocol::tcp),
      CHANGE(protocol = Protocol::udp),
      CHANGE(protocol = Protocol::tls),
      CHANGE(protocol = Protocol::peering),
      CHANGE(hostname = ""),
      CHANGE(tls.certificates.clear()),
      CHANGE(tls.min = TlsVersion::tls1_1),
      CHANGE(tls.max = TlsVersion::tls1_3),
      CHANGE(tls.cipher_suites.clear()),
      CHANGE(clients.reset()),
      CHANGE(clients->ca_pems[0] = "other"),
      CHANGE(clients->insecure_fallback = false),
      CHANGE(passthrough = false),
      CHANGE(public_port = 0),
  };
#undef CHANGE
}

inline Cluster full_cluster() {
  return {.id = "web",
          .endpoints = {{"10.0.0.1", 80, 2}},
          .tls = PeerTls{"sni", {"spiffe://a/b"}, {"root"}, "identity"},
          .backend_tls = BackendTls{"web.a.com", {"a.com"}, {"spiffe://a/c"}, {"ca"}, true},
          .http2 = true,
          .refused = true,
          .failover = {"peer/dc2/web", "catalog/web"}};
}

inline FieldChanges<Cluster> cluster_changes() {
#define CHANGE(...) STRAIT_FIELD_CHANGE(Cluster, __VA_ARGS__)
  return {
      CHANGE(endpoints[0].address = "::1"),
      CHANGE(endpoints[0].port = 81),
      CHANGE(endpoints[0].weight = 0),
      CHANGE(tls.reset()),
      CHANGE(tls->sni = ""),
      CHANGE(tls->spiffe_ids.clear()),
      CHANGE(tls->root_pems.clear()),
      CHANGE(tls->identity = ""),
      CHANGE(backend_tls.reset()),
      CHANGE(backend_tls->sni = ""),
      CHANGE(backend_tls->dns_names.clear()),
      CHANGE(backend_tls->uris.clear()),
      CHANGE(backend_tls->ca_pems.clear()),
      CHANGE(backend_tls->system_ca = false),
      CHANGE(http2 = false),
      CHANGE(refused = false),
      CHANGE(failover.clear()),
      CHANGE(failover = {"catalog/web", "peer/dc2/web"}), // Their order is their rank.
  };
#undef CHANGE
}
#undef STRAIT_FIELD_CHANGE

/// A route with one rule, of an HTTPRoute.
inline BoundRoute route_of(HttpRule rule) {
  return {.id = "HTTPRoute default/web", .route = HttpRoute{{"a.com"}, {std::move(rule)}, false}};
}

/// Routes that differ from each other in one field or in their kind.
inline std::vector<BoundRoute> different_routes() {
  const Backend backend{.cluster = "web"};
  std::vector<BoundRoute> routes{route_of({}), route_of({}), route_of({}), route_of({})};
  std::get<HttpRoute>(routes[1].route).grpc = true;
  std::get<HttpRoute>(routes[2].route).hostnames.clear();
  routes[3].created = WallTime{Millis{1}};
  for (decltype(BoundRoute::route) other : {decltype(BoundRoute::route){TcpRoute{}},
                                            {TcpRoute{{backend}}},
                                            {UdpRoute{}},
                                            {UdpRoute{{backend}}},
                                            {TlsRoute{}},
                                            {TlsRoute{{"a.com"}, {}}},
                                            {TlsRoute{{}, {backend}}}})
    routes.push_back({.id = routes[0].id, .route = std::move(other)});
  return routes;
}

} // namespace strait::gateway::test
