#pragma once

#include "catalog/catalog.hpp"

#include <stdexcept>

namespace strait::gateway::resolve {

/// A catalog for tests: what is refused throws.
class TestCatalog {
public:
  WallTime now{}; ///< When new objects are created.

  template <class T>
  void put(T object) {
    apply(catalog::Put{std::move(object), {}});
  }
  void remove(model::Kind kind, model::Name name) {
    apply(catalog::Remove{{kind, std::move(name)}, {}});
  }
  void apply(const catalog::Command& command) {
    if (auto outcome = catalog_.apply(command, now); !outcome)
      throw std::runtime_error(outcome.error().detail);
  }
  const catalog::View& view() const { return *catalog_.view(); }

private:
  catalog::Catalog catalog_;
};

template <class T>
T named(std::string ns, std::string name) {
  T object;
  object.meta.name = {std::move(ns), std::move(name)};
  return object;
}

inline model::GatewayClass gateway_class(std::string_view controller) {
  auto it = named<model::GatewayClass>("", "edge");
  it.controller_name = controller;
  return it;
}

inline model::Gateway http_gateway() {
  auto it = named<model::Gateway>("default", "edge");
  it.class_name = "edge";
  it.listeners.push_back({.name = "http", .port = 8000, .protocol = "HTTP"});
  return it;
}

inline model::Service service(std::string ns, std::string name) {
  auto it = named<model::Service>(std::move(ns), std::move(name));
  it.ports.push_back({.name = "http", .port = 80});
  return it;
}

/// A route in "default" to services of port 80, each "NAME" or "NS/NAME".
inline model::HttpRoute http_route(std::string name, const std::vector<std::string>& services) {
  auto it = named<model::HttpRoute>("default", std::move(name));
  it.parents.push_back({.name = "edge"});
  model::HttpRule rule;
  rule.matches.emplace_back();
  for (auto& text : services) {
    auto slash = text.find('/');
    model::BackendRef ref;
    ref.ns = slash == std::string::npos ? "" : text.substr(0, slash);
    ref.name = slash == std::string::npos ? text : text.substr(slash + 1);
    ref.port = std::uint16_t{80};
    rule.backends.push_back(std::move(ref));
  }
  it.rules.push_back(std::move(rule));
  return it;
}

/// Lets HTTPRoutes and Gateways of "default" refer to Services and Secrets of a namespace.
inline model::ReferenceGrant grant_in(std::string ns) {
  auto it = named<model::ReferenceGrant>(std::move(ns), "let-in");
  it.from = {{"gateway.networking.k8s.io", "HTTPRoute", "default"},
             {"gateway.networking.k8s.io", "Gateway", "default"}};
  it.to = {{"", "Service", ""}, {"", "Secret", ""}};
  return it;
}

} // namespace strait::gateway::resolve
