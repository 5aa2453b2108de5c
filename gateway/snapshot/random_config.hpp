#pragma once

#include "gateway/snapshot/config.hpp"
#include "gateway/snapshot/snapshot.hpp"

#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

/// Random configurations and requests for tests, out of few words, so that they meet. What decides
/// is a function that returns a number below its argument: a seeded generator or a fuzzer's bytes.
namespace strait::gateway {

class RandomConfig {
public:
  using Below = std::function<std::size_t(std::size_t)>;
  explicit RandomConfig(Below below) : below_{std::move(below)} {}

  std::size_t below(std::size_t limit) { return below_(limit); }
  bool chance(std::size_t one_in) { return below(one_in) == 0; }
  template <std::size_t N>
  std::string one_of(const char* const (&words)[N]) {
    return words[below(N)];
  }

  std::string hostname() {
    return one_of({"", "a.com", "b.a.com", "c.b.a.com", "*.com", "*.a.com", "*.b.a.com", "x.org"});
  }
  std::string host() {
    return one_of({"", "a.com", "b.a.com", "c.b.a.com", "d.b.a.com", "z.a.com", "q.com", "x.org",
                   "y.x.org", ".a.com", "..a.com", "com"});
  }
  std::string path() {
    std::string path;
    for (std::size_t segments = 1 + below(4); segments > 0; --segments)
      path += "/" + one_of({"a", "b", "ab", "", "a%2fb"});
    return path;
  }

  Match match() {
    Match match;
    match.path_type = static_cast<PathType>(below(3));
    match.path = match.path_type == PathType::regex
                     ? one_of({"/a.*", "/(a|b)/.*", "/[ab]+", "/", ".*b", "/a/b/?"})
                     : path();
    match.method = one_of({"", "", "GET", "POST"});
    for (auto count = below(3); count > 0; --count)
      match.headers.push_back(condition({"x", "x-env", "y"}));
    for (auto count = below(3); count > 0; --count)
      match.query.push_back(condition({"q", "p q", "Q"}));
    return match;
  }
  HeaderEdits edits() {
    HeaderEdits edits;
    if (chance(3))
      edits.set.push_back({"x-set", one_of({"1", "2", ""})});
    if (chance(3))
      edits.add.push_back({"x-add", one_of({"1", "\"quoted\"\n", ""})});
    if (chance(3))
      edits.remove.push_back("x-gone");
    return edits;
  }
  Backend backend() {
    Backend backend{.weight = static_cast<std::uint32_t>(below(101))};
    if (chance(4))
      backend.refusal = 500;
    else
      backend.cluster = cluster_id();
    backend.request = edits();
    backend.response = edits();
    return backend;
  }
  Millis time() { return Millis{below(3) * 1500}; }
  std::vector<std::string> texts() {
    std::vector<std::string> texts;
    for (auto count = below(3); count > 0; --count)
      texts.push_back(one_of({"*", "https://*.a.com", "x-env", "", "a b"}));
    return texts;
  }
  std::optional<PathEdit> path_edit() {
    if (chance(3))
      return std::nullopt;
    return PathEdit{static_cast<PathEdit::Type>(below(2)), one_of({"", "/", "/new"})};
  }
  Jwt jwt() {
    Jwt jwt;
    for (auto count = below(3); count > 0; --count) {
      Jwt::Provider provider{.name = one_of({"one", "two"}),
                             .issuer = one_of({"", "https://issuer"}),
                             .audiences = texts(),
                             .jwks = one_of({"", "{\"keys\":[]}"}),
                             .clock_skew_seconds = static_cast<std::int32_t>(below(60)) - 10};
      for (auto locations = below(3); locations > 0; --locations)
        provider.locations.push_back({.type = static_cast<Jwt::Location::Type>(below(3)),
                                      .name = one_of({"authorization", "token"}),
                                      .prefix = one_of({"", "Bearer"}),
                                      .forward = chance(2)});
      for (auto claims = below(3); claims > 0; --claims)
        provider.claims.push_back({texts(), one_of({"admin", ""})});
      jwt.providers.push_back(std::move(provider));
    }
    return jwt;
  }
  /// All but matches and backends.
  void filters(HttpRule& rule) {
    if (chance(3))
      rule.cors = Cors{.allow_origins = texts(),
                       .allow_credentials = chance(2),
                       .allow_methods = texts(),
                       .allow_headers = texts(),
                       .expose_headers = texts(),
                       .max_age = static_cast<std::int32_t>(below(10)) - 1};
    for (auto count = below(3); count > 0; --count)
      rule.jwt.push_back(jwt());
    if (chance(3))
      rule.auth = ExternalAuth{.cluster = chance(2) ? cluster_id() : "",
                               .refusal = static_cast<std::uint16_t>(below(2) * 500),
                               .grpc = chance(2),
                               .path = one_of({"", "/check"}),
                               .allowed_headers = texts(),
                               .allowed_response_headers = texts(),
                               .forward_body = static_cast<std::uint32_t>(below(3))};
    if (chance(3))
      rule.redirect = Redirect{.scheme = one_of({"", "https"}),
                               .hostname = hostname(),
                               .path = path_edit(),
                               .port = static_cast<std::uint16_t>(below(65536)),
                               .status = static_cast<std::uint16_t>(301 + below(2))};
    for (auto count = below(3); count > 0; --count) {
      const auto denominator = 1 + below(3);
      rule.mirrors.push_back({.cluster = cluster_id(),
                              .numerator = static_cast<std::uint32_t>(below(denominator + 1)),
                              .denominator = static_cast<std::uint32_t>(denominator)});
    }
    if (chance(3))
      rule.rewrite = Rewrite{.hostname = hostname(), .path = path_edit()};
    for (auto* timeout : {&rule.request_timeout, &rule.backend_timeout, &rule.idle_timeout})
      if (chance(2))
        *timeout = time();
    if (chance(3)) {
      rule.retry = Retry{.attempts = static_cast<std::uint32_t>(below(4)),
                         .on_connection_error = chance(2),
                         .backoff = time()};
      for (auto count = below(3); count > 0; --count)
        rule.retry->codes.push_back(static_cast<std::uint16_t>(500 + below(5)));
    }
    if (chance(3))
      rule.session = SessionPersistence{.header = chance(2),
                                        .name = one_of({"", "session"}),
                                        .absolute_timeout = time(),
                                        .permanent = chance(2)};
  }
  HttpRoute http_route() {
    HttpRoute route;
    route.grpc = chance(4);
    for (auto count = below(3); count > 0; --count)
      route.hostnames.push_back(hostname());
    for (auto count = below(4); count > 0; --count) {
      HttpRule rule{.name = one_of({"", "one", "two"}), .request = edits(), .response = edits()};
      for (auto matches = 1 + below(3); matches > 0; --matches)
        rule.matches.push_back(match());
      for (auto backends = below(3); backends > 0; --backends)
        rule.backends.push_back(backend());
      if (chance(3))
        filters(rule);
      route.rules.push_back(std::move(rule));
    }
    return route;
  }
  BoundRoute bound_route(std::string id) {
    BoundRoute bound{.id = std::move(id), .created = WallTime{Millis{below(3)}}};
    if (chance(6))
      bound.route = TcpRoute{backends()};
    else if (chance(6))
      bound.route = UdpRoute{backends()};
    else if (bound.id.starts_with("TLSRoute"))
      bound.route = tls_route();
    else
      bound.route = http_route();
    return bound;
  }
  TlsRoute tls_route() {
    TlsRoute tls;
    for (auto count = below(3); count > 0; --count)
      tls.hostnames.push_back(hostname());
    tls.backends = backends();
    return tls;
  }
  std::vector<Backend> backends() {
    std::vector<Backend> backends;
    for (auto count = below(3); count > 0; --count)
      backends.push_back(backend());
    return backends;
  }

  std::string listener_name() {
    return one_of({"http", "http-a", "https", "tcp", "late", "clash", "tls", "tls-a"});
  }
  /// Of a protocol that its name says, mostly, so that routes and listeners meet.
  Listener listener(std::string name) {
    Listener listener{.name = std::move(name),
                      .address = one_of({"", "", "", "::1"}),
                      .port = static_cast<std::uint16_t>(80 + below(3)),
                      .hostname = hostname(),
                      .tls = {.certificates = {one_of({"edge", "other"})},
                              .min = static_cast<TlsVersion>(below(5)),
                              .max = static_cast<TlsVersion>(below(5)),
                              .cipher_suites = {one_of({"A", "B"})}},
                      .passthrough = chance(3)};
    listener.protocol = chance(4)                         ? static_cast<Protocol>(below(6))
                        : listener.name.starts_with("tl") ? Protocol::tls
                        : listener.name == "https"        ? Protocol::https
                                                          : Protocol::http;
    if (chance(3))
      listener.clients = ClientValidation{texts(), chance(2)};
    return listener;
  }
  std::string cluster_id() { return one_of({"service/default/web/80", "peer/dc2/api", "none"}); }

  /// One change, most often of a route.
  void change_something(Delta& delta) {
    switch (below(10)) {
    case 0:
    case 5: {
      const auto name = listener_name();
      std::shared_ptr<Listener> listener;
      if (!chance(3))
        listener = std::make_shared<Listener>(this->listener(name));
      delta.listeners.emplace_back(name, std::move(listener));
      break;
    }
    case 1: {
      const auto id = cluster_id();
      std::shared_ptr<Cluster> cluster;
      if (!chance(3)) {
        cluster = std::make_shared<Cluster>(Cluster{.id = id});
        for (auto count = below(3); count > 0; --count)
          cluster->endpoints.push_back({one_of({"10.0.0.1", "::1", "web.local"}),
                                        static_cast<std::uint16_t>(below(65536)),
                                        static_cast<std::uint32_t>(below(9))});
        if (chance(2))
          cluster->tls = PeerTls{.sni = "api.default.default.dc2.external.x",
                                 .spiffe_ids = {"spiffe://x/a"},
                                 .root_pems = {"root"},
                                 .identity = "identity"};
        if (chance(3))
          cluster->backend_tls = BackendTls{.sni = hostname(),
                                            .dns_names = texts(),
                                            .uris = texts(),
                                            .ca_pems = texts(),
                                            .system_ca = chance(2)};
        cluster->http2 = chance(3);
        cluster->refused = chance(5);
        if (cluster->http2) // Not drawn, so that what a seed makes otherwise stays.
          cluster->failover = {"peer/dc2/api", "none"};
      }
      delta.clusters.emplace_back(id, std::move(cluster));
      break;
    }
    case 2: {
      const auto id = one_of({"edge", "other"});
      delta.certificates.emplace_back(
          id, chance(3) ? nullptr
                        : std::make_shared<Certificate>(Certificate{
                              id, one_of({"chain", "chain two"}), one_of({"key", ""})}));
      break;
    }
    case 3: {
      const auto sni = one_of({"api.x", "web.x"});
      delta.exports.emplace_back(sni, chance(3) ? nullptr
                                                : std::make_shared<PeeringExport>(PeeringExport{
                                                      .sni = sni,
                                                      .cluster = cluster_id(),
                                                      .peer = "dc2",
                                                      .callers = {{"spiffe://x/*", chance(2)}}}));
      break;
    }
    case 4: {
      const auto peer = one_of({"dc2", "dc3"});
      delta.trust.emplace_back(peer, chance(3) ? nullptr
                                               : std::make_shared<PeeringTrust>(PeeringTrust{
                                                     peer, one_of({"d1", "d2"}), {"pem"}}));
      break;
    }
    default: {
      const bool tls = chance(6);
      const auto id =
          (tls ? "TLSRoute default/" : "HTTPRoute default/") + std::to_string(below(20));
      const auto listener = chance(3) ? listener_name()
                            : tls     ? one_of({"tls", "tls-a"})
                                      : one_of({"http", "http-a", "https"});
      delta.routes.emplace_back(binding_key(listener, id),
                                chance(4) ? nullptr
                                          : std::make_shared<BoundRoute>(bound_route(id)));
    }
    }
  }

  struct Request {
    std::string method, host, path, query;
    std::vector<std::pair<std::string, std::string>> headers;
    std::vector<HeaderView> views;
    RequestView view() {
      views.clear();
      for (const auto& [name, value] : headers)
        views.push_back({name, value});
      return {method, host, path, query, views};
    }
  };
  Request request() {
    Request request{.method = one_of({"GET", "POST", "PUT"}), .host = host(), .path = path()};
    for (auto count = below(4); count > 0; --count)
      request.headers.emplace_back(one_of({"X", "x-Env", "Y", "host"}),
                                   one_of({"1", "2", "12", "", "x"}));
    for (auto count = below(4); count > 0; --count)
      request.query += (request.query.empty() ? "" : "&") +
                       one_of({"q", "p+q", "p%20q", "Q", "%71", "", "%7"}) +
                       one_of({"", "=", "=1", "=2", "=%31", "=1+2", "=%", "=1=2"});
    return request;
  }

private:
  template <std::size_t N>
  ValueCondition condition(const char* const (&names)[N]) {
    ValueCondition condition{static_cast<ValueType>(below(2)), one_of(names), ""};
    condition.value = condition.type == ValueType::regex ? one_of({"1|2", "[0-9]+", ".*", ""})
                                                         : one_of({"1", "2", "", "1 2", "%"});
    return condition;
  }

  Below below_;
};

} // namespace strait::gateway
