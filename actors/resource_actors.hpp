#pragma once

#include "actors/messages.hpp"
#include "actors/rules.hpp"

/// The actors that turn one resource into one answer: each follows the records that its last answer
/// was made from, and passes a new answer on when it differs.
namespace strait::actors {

template <class Answer>
struct FollowState {
  std::set<catalog::Topic> topics;
  catalog::Revision seen = 0;
  bool answered = false;
  Answer last{};
};

struct RouteState : FollowState<gateway::resolve::ResolvedRoutePtr> {
  static inline const char* name = "route";
};
RouteActor::behavior_type route_actor(RouteActor::stateful_pointer<RouteState> self,
                                      model::ObjectKey route, CatalogActor catalog, RootActor root,
                                      Rules rules);

struct ServiceState : FollowState<ClusterPtr> {
  static inline const char* name = "service";
};
ServiceActor::behavior_type service_actor(ServiceActor::stateful_pointer<ServiceState> self,
                                          std::string cluster, CatalogActor catalog, RootActor root,
                                          Rules rules);

struct ClassState : FollowState<std::optional<model::ObjectStatus>> {
  static inline const char* name = "class";
};
ClassActor::behavior_type class_actor(ClassActor::stateful_pointer<ClassState> self,
                                      std::string gateway_class, CatalogActor catalog,
                                      StatusActor status, Rules rules);

struct PolicyState : FollowState<std::optional<model::ObjectStatus>> {
  static inline const char* name = "policy";
};
PolicyActor::behavior_type policy_actor(PolicyActor::stateful_pointer<PolicyState> self,
                                        model::ObjectKey policy, CatalogActor catalog,
                                        StatusActor status, Rules rules);

struct ExportsState : FollowState<ResolvedExportsPtr> {
  static inline const char* name = "exports";
};
/// One for all gateways: what the peering listeners let in.
Watcher::behavior_type exports_actor(Watcher::stateful_pointer<ExportsState> self,
                                     CatalogActor catalog, RootActor root, Rules rules);

} // namespace strait::actors
