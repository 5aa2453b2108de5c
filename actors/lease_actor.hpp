#pragma once

#include "actors/kubernetes_messages.hpp"
#include "base/log.hpp"
#include "kubernetes/client.hpp"
#include "kubernetes/lease.hpp"

namespace strait::actors {

struct LeaseActorOptions {
  std::shared_ptr<kubernetes::Client> client;
  std::string ns, name{kubernetes::controller_lease};
  kubernetes::LeaseOptions lease;
  /// Told each time, on the actor's thread.
  std::function<void(bool leading)> lead;
  /// Told each time Lease::feed_elsewhere() changes, on the actor's thread.
  std::function<void(const std::string& address)> feed_elsewhere = [](const std::string&) {};
  std::function<Instant()> now = now_instant;
  Log log{};
};

struct LeaseState {
  static inline const char* name = "kubernetes lease";
  std::unique_ptr<kubernetes::Lease> lease;
  std::string trouble;   ///< Said last.
  std::string elsewhere; ///< Said last.
  caf::typed_response_promise<bool> released;
  bool releasing = false;
};

/// Owns a Lease and carries out what it says.
LeaseActor::behavior_type lease_actor(LeaseActor::stateful_pointer<LeaseState> self,
                                      LeaseActorOptions options);

} // namespace strait::actors
