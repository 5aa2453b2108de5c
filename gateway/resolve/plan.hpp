#pragma once

#include "gateway/resolve/listener_checks.hpp"
#include "gateway/resolve/resolve.hpp"

namespace strait::gateway::resolve {

/// What a GatewayPolicy asks of requests to a listener (Consul): override instead of what a route
/// asks, otherwise where a route asks nothing.
struct ListenerJwt {
  std::optional<Jwt> override_jwt, default_jwt;
  friend bool operator==(const ListenerJwt&, const ListenerJwt&) = default;
};

/// One listener of a Gateway or of its ListenerSets, checked by itself and against the others.
struct ListenerPlan {
  ListenerEntry entry;
  std::string name;                         ///< In the Config; apart from every other listener's.
  std::vector<model::RouteGroupKind> kinds; ///< Supported ones; what routes may be of.
  std::vector<model::Condition> conditions;
  bool programmed = false;
  /// What to serve; null unless programmed.
  std::shared_ptr<const Listener> config;
  std::vector<std::shared_ptr<const Certificate>> certificates;
  ListenerJwt jwt;

  /// What decides which routes attach, and as what: a change of anything else binds no route anew.
  bool attaches_like(const ListenerPlan& other) const;
};

/// One ListenerSet that names the Gateway, and what it says of itself but for its listeners.
struct ListenerSetPlan {
  model::Name name;
  std::vector<model::Condition> conditions;
};

/// Everything about a Gateway but its routes.
struct GatewayPlan {
  bool ours = false;       ///< Else nothing may be written to it or to its routes.
  bool programmed = false; ///< Some listener serves.
  bool serves = false;     ///< There is a configuration, if only an empty one.
  model::ReferencePolicy policy;
  std::string controller;
  std::vector<ListenerPlan> listeners; ///< The Gateway's own first.
  model::ObjectStatus status;          ///< Without its listeners.
  std::vector<ListenerSetPlan> sets;   ///< Also those that are not allowed.
  bool selects_namespaces = false;
  std::shared_ptr<const Listener> peering; ///< For peered gateways; null: it was not asked for.
  /// What TLS backends are shown, under the id backend_client_certificate.
  std::shared_ptr<const Certificate> backend_client;
  Topics depends;
};

GatewayPlan plan_gateway(const View& view, const model::Name& gateway, const Settings& settings);

/// What the Gateway and its ListenerSets say, given how many routes each listener counts.
struct PlanStatuses {
  model::ObjectStatus gateway;
  std::map<model::ObjectKey, model::ObjectStatus> sets;
};
PlanStatuses statuses_of(const GatewayPlan& plan, const std::vector<std::int32_t>& attached);

/// Listeners and certificates of the plan's programmed listeners.
struct PlanResources {
  Resources<Listener> listeners;
  Resources<Certificate> certificates;
};
PlanResources resources_of(const GatewayPlan& plan);

/// How one parentRef of a route fares with the gateway's listeners.
struct Attachment {
  std::vector<std::size_t> listeners; ///< Indexes of those that it binds to.
  /// Hostnames on each of those listeners, in the same order.
  std::vector<std::vector<std::string>> hostnames;
  bool accepted = false;
  std::vector<model::Condition> conditions;
};
Attachment attach(const View& view, const GatewayPlan& plan, const ResolvedRoute& route,
                  const model::ParentRef& parent);

/// The hostnames that a route serves on a listener: the intersection, the more specific of each
/// pair. Empty result with `matches` false: none in common. Empty with true: every host.
struct HostnameIntersection {
  bool matches = false;
  std::vector<std::string> hostnames;
};
HostnameIntersection intersect(const std::string& listener, const std::vector<std::string>& route);

/// The listener that lets gateways of peered datacenters in, where the Gateway asks for one by the
/// annotation strait.dev/peering-port; the advertised address is strait.dev/peering-address.
inline constexpr const char* peering_port_annotation = "strait.dev/peering-port";
inline constexpr const char* peering_address_annotation = "strait.dev/peering-address";
inline constexpr const char* peering_listener = "strait.dev:peering";
/// As the Gateway asks for it, before ports are mapped. Null if it asks for none, or for no port.
std::shared_ptr<const Listener> peering_listener_of(const model::Gateway& gateway);

} // namespace strait::gateway::resolve
