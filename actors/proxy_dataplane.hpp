#pragma once

#include "actors/proxy_actor.hpp"
#include "gateway/proxy/metrics_port.hpp"
#include "gateway/proxy/proxy.hpp"
#include "gateway/proxy/ready.hpp"

#include <mutex>
#include <set>

namespace strait::actors {

/// The proxies of a process: its readiness port, which answers 200 while there are some and all of
/// them serve, the port that tells what they counted, and their common end. Any thread.
class Proxies {
public:
  explicit Proxies(gateway::proxy::ReadyOptions ready, gateway::proxy::MetricsOptions metrics = {})
      : ready_{std::move(ready)}, metrics_{std::move(metrics)} {}

  /// The process ends soon: not ready from now on, so that load balancers look elsewhere; each
  /// connection of HTTP ends with its next answer (Proxy::wind_down), those of later proxies too.
  void wind_down();

  /// Opens the ports, with the first proxy.
  Status open();
  /// Known until it is removed; it must outlive that.
  void add(gateway::proxy::Proxy& proxy);
  void remove(gateway::proxy::Proxy& proxy);

private:
  bool ready();
  std::string metrics();

  const gateway::proxy::ReadyOptions ready_;
  const gateway::proxy::MetricsOptions metrics_;
  std::mutex mutex_; // Of what follows.
  std::set<gateway::proxy::Proxy*> proxies_;
  bool winding_down_ = false;
  // End first: their threads ask for the proxies.
  std::unique_ptr<gateway::proxy::ReadyPort> port_;
  std::unique_ptr<gateway::proxy::MetricsPort> metrics_port_;
};

/// A Dataplane of real worker threads. One Proxy per gateway, each with the options given.
MakeDataplane make_proxies(gateway::proxy::ProxyOptions options, std::shared_ptr<Proxies> proxies);

/// How long a data plane that is given up lets requests under way end.
inline constexpr Millis drain_max{5'000};

} // namespace strait::actors
