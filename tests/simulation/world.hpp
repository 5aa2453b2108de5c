#pragma once

#include "catalog/command.hpp"

#include <random>

namespace strait::simulation {

/// Draws commands over a small world: few names, so that references often meet, break and heal.
class World {
public:
  explicit World(std::uint64_t seed) : random_{seed} {}

  /// What every world starts from: namespaces, both controllers' classes, gateways, and what routes
  /// and listeners most often refer to, so that much of what is drawn works at first.
  std::vector<catalog::Command> beginnings();
  catalog::Command next();

  static const std::vector<model::Name>& gateways();

private:
  std::size_t pick(std::size_t count) { return random_() % count; }
  bool chance(std::size_t percent) { return pick(100) < percent; }
  template <class T>
  const T& one_of(const std::vector<T>& from) {
    return from[pick(from.size())];
  }
  std::string ns() { return one_of(namespaces()); }
  static const std::vector<std::string>& namespaces();
  static const std::vector<std::string>& service_names();

  model::Gateway gateway(const model::Name& name);
  model::HttpRoute http_route();
  std::vector<model::Filter> filters();
  template <class Route>
  Route plain_route(const std::string& name);
  model::GrpcRoute grpc_route();
  model::ListenerSet listener_set();
  model::Listener listener(const std::string& name, std::size_t offset);
  model::ClientValidation client_validation();
  model::BackendTlsPolicy backend_tls_policy();
  model::ConfigMap authority();
  model::GatewayPolicy gateway_policy();
  model::ServiceResolver service_resolver();
  model::JwtRequirement jwt();
  catalog::Command filter_object();
  model::BackendRef backend();
  std::vector<model::ParentRef> parents();
  model::ReferenceGrant grant();
  model::Secret secret();
  model::Service service();
  model::EndpointSlice slice();
  model::MeshService mesh_service();
  catalog::Command registration();
  catalog::Command imported();
  catalog::Command removal();

  std::mt19937_64 random_;
};

} // namespace strait::simulation
