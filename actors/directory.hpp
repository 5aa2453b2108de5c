#pragma once

#include "gateway/resolve/resolve.hpp"

#include <map>
#include <set>

namespace strait::actors {

/// Who needs which answer: which gateways a route names, and which use a cluster. A pure machine,
/// owned by root, which keeps the last answers so that a restarted actor gets them again.
class Directory {
public:
  using RoutePtr = gateway::resolve::ResolvedRoutePtr;
  using ClusterPtr = std::shared_ptr<const gateway::Cluster>;

  /// Takes in a route's new answer (null: the route is gone). Returns the gateways to tell; those
  /// that it names no more are told null.
  std::map<model::Name, RoutePtr> route(const model::ObjectKey& key, const RoutePtr& resolved);
  /// Takes in which Gateway a ListenerSet names (nothing: it is gone). Returns, by route, the
  /// gateways to tell of the routes that name the set.
  std::map<model::ObjectKey, std::map<model::Name, RoutePtr>>
  listener_set(const model::Name& set, const std::optional<model::Name>& gateway);
  /// All routes that name the gateway, or a ListenerSet of it.
  std::map<model::ObjectKey, RoutePtr> routes_of(const model::Name& gateway) const;

  /// What a gateway's use of clusters, now this set, starts and ends.
  struct Usage {
    std::set<std::string> started; ///< Nobody used them before: spawn their actors.
    std::set<std::string> ended;   ///< Nobody uses them any more: end their actors.
    std::vector<ClusterPtr> known; ///< New to this gateway, with an answer already.
  };
  Usage use(const model::Name& gateway, const std::set<std::string>& clusters);
  /// Takes in a cluster's new answer. Returns the gateways that use it.
  std::set<model::Name> cluster(const ClusterPtr& cluster);
  std::vector<ClusterPtr> clusters_of(const model::Name& gateway) const;

private:
  std::map<model::ObjectKey, RoutePtr> routes_;
  std::set<model::Name> gateways_for(const gateway::resolve::ResolvedRoute& route) const;
  std::map<model::Name, RoutePtr> place(const model::ObjectKey& key, const RoutePtr& resolved);

  std::map<model::ObjectKey, std::set<model::Name>> told_; // Which gateways know the route.
  std::map<model::Name, std::set<model::ObjectKey>> by_gateway_;
  std::map<model::Name, std::set<model::ObjectKey>> by_set_; // Routes that name a ListenerSet.
  std::map<model::Name, model::Name> sets_;                  // ListenerSet to Gateway.
  std::map<std::string, std::set<model::Name>> users_;
  std::map<model::Name, std::set<std::string>> uses_;
  std::map<std::string, ClusterPtr> clusters_;
};

/// How long to wait before an actor that failed is started again: a pure machine per resource.
class Restarts {
public:
  static constexpr Millis delay_min{100};
  static constexpr Millis delay_max{30'000};
  /// An actor that ran this long is taken for healthy: its next failure waits delay_min again.
  static constexpr Millis healthy_after{60'000};

  /// The actor failed now, having been started then.
  Millis failed(Instant now, Instant started);

private:
  Millis delay_{};
};

} // namespace strait::actors
