#pragma once

#include "gateway/snapshot/config.hpp"
#include "gateway/snapshot/snapshot.hpp"

#include <functional>
#include <iterator>
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
  HttpRoute http_route() {
    HttpRoute route;
    for (auto count = below(3); count > 0; --count)
      route.hostnames.push_back(hostname());
    for (auto count = below(4); count > 0; --count) {
      HttpRule rule{.name = one_of({"", "one", "two"}), .request = edits(), .response = edits()};
      for (auto matches = 1 + below(3); matches > 0; --matches)
        rule.matches.push_back(match());
      for (auto backends = below(3); backends > 0; --backends)
        rule.backends.push_back(backend());
      route.rules.push_back(std::move(rule));
    }
    return route;
  }
  BoundRoute bound_route(std::string id) {
    BoundRoute bound{.id = std::move(id), .created = WallTime{Millis{below(3)}}};
    if (chance(6)) {
      TcpRoute tcp;
      for (auto count = below(3); count > 0; --count)
        tcp.backends.push_back(backend());
      bound.route = std::move(tcp);
    } else {
      bound.route = http_route();
    }
    return bound;
  }

  std::string listener_name() {
    return one_of({"http", "http-a", "https", "tcp", "late", "clash"});
  }
  std::string cluster_id() { return one_of({"service/default/web/80", "peer/dc2/api", "none"}); }

  /// One change, most often of a route.
  void change_something(Delta& delta) {
    switch (below(10)) {
    case 0: {
      const auto name = listener_name();
      std::shared_ptr<Listener> listener;
      if (!chance(3))
        listener =
            std::make_shared<Listener>(Listener{.name = name,
                                                .address = one_of({"", "", "::1"}),
                                                .port = static_cast<std::uint16_t>(80 + below(3)),
                                                .protocol = static_cast<Protocol>(below(4)),
                                                .hostname = hostname(),
                                                .tls = {.certificates = {one_of({"edge", "other"})},
                                                        .min = static_cast<TlsVersion>(below(5)),
                                                        .cipher_suites = {one_of({"A", "B"})}}});
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
      const auto id = "HTTPRoute default/" + std::to_string(below(20));
      const auto key = binding_key(listener_name(), id);
      delta.routes.emplace_back(key, chance(4) ? nullptr
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
