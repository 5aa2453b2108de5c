#pragma once

#include "actors/kubernetes_actor.hpp"
#include "actors/lease_actor.hpp"
#include "cmd/agent_options.hpp"
#include "net/event_loop.hpp"

#include <mutex>
#include <thread>

namespace strait::cmd {

/// The agent's edge to Kubernetes: a loop and its thread for all requests and watches, and the
/// actors that mirror objects, write statuses and take part in the election. Starts and ends on the
/// agent's main thread.
class KubernetesEdge {
public:
  /// Fails on what cannot get better by waiting: a kubeconfig that is not there, bad credentials.
  /// A server that does not answer is tried again and again, with a word in the log. Replicas that
  /// do not lead send gateways to `feed_address`, "host:port", while this one does; empty: they do
  /// not.
  static Result<std::unique_ptr<KubernetesEdge>> start(caf::actor_system& system,
                                                       const actors::CatalogActor& catalog,
                                                       const KubernetesOptions& options,
                                                       const std::string& identity,
                                                       const std::string& feed_address, Log log);
  ~KubernetesEdge();

  /// Waits until every kind that the server has is in the catalog; false: not within `limit`.
  bool wait_until_synced(Millis limit);
  /// Called at once if this replica leads already, and with every change. Any thread.
  void on_lead(std::function<void(bool)> told);

  /// Where the leader feeds gateways, if that is another replica; else empty. Any thread.
  std::string feed_elsewhere() const;

  const std::shared_ptr<kubernetes::Client>& client() const { return client_; }
  /// Where the lease is, and what the agent makes for itself.
  const std::string& own_namespace() const { return namespace_; }

  /// Gives the lease up and ends the actors; before the actor system is waited for.
  void stop();

private:
  KubernetesEdge(caf::actor_system& system, Log log) : system_{system}, log_{std::move(log)} {}
  void lead(bool leading);

  caf::actor_system& system_;
  Log log_;
  std::string namespace_;
  std::unique_ptr<net::EventLoop> loop_;
  std::thread thread_;
  std::shared_ptr<kubernetes::Client> client_;
  actors::KubeStatusActor status_;
  actors::KubernetesActor kinds_;
  actors::LeaseActor lease_;
  mutable std::mutex mutex_;
  std::string feed_elsewhere_;
  bool leading_ = false, stopped_ = false;
  std::vector<std::function<void(bool)>> told_;
};

} // namespace strait::cmd
