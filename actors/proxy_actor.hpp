#pragma once

#include "actors/messages.hpp"
#include "base/log.hpp"

namespace strait::actors {

/// What a proxy actor drives: the worker threads (gateway/proxy), or a recorder in tests. The actor
/// owns it; publish() must not block.
class Dataplane {
public:
  virtual ~Dataplane() = default;
  virtual void publish(gateway::SnapshotPtr snapshot) = 0;
  /// What building snapshots has cost so far: for tests of the cost law.
  virtual void count(const gateway::SnapshotBuilder::Counters&) {}
  /// What could not be served of the last snapshot (a port in use).
  virtual std::vector<std::string> errors() const = 0;
};
/// Makes one; `served` may be called from any thread, when every worker serves an epoch.
using MakeDataplane = std::function<Result<std::unique_ptr<Dataplane>>(
    const model::Name& gateway, std::function<void(std::uint64_t)> served)>;

/// Told of what the proxy serves: the gateway actor in the agent, the feed in strait-gateway.
using ReportServed = std::function<void(const ProxyReport&)>;

struct ProxyState {
  static inline const char* name = "proxy";
  std::unique_ptr<Dataplane> dataplane;
  gateway::SnapshotBuilder builder;
  ProxyReport report;
  /// The workers' own count of snapshots: it grows even when a restarted agent counts its epochs
  /// anew. From it to the epoch that was given; what is served and earlier is forgotten.
  std::uint64_t published = 0;
  std::map<std::uint64_t, std::uint64_t> epochs;
  std::uint64_t current = 0; ///< The epoch of the last snapshot, as it was given.
};

/// Builds snapshots and hands them to the workers; the same in the agent and in strait-gateway.
/// `bind_address`: where listeners listen that name no address of their own; empty: everywhere.
ProxyActor::behavior_type proxy_actor(ProxyActor::stateful_pointer<ProxyState> self,
                                      model::Name gateway, std::string id, MakeDataplane make,
                                      ReportServed report, std::string bind_address, Log log);

} // namespace strait::actors
