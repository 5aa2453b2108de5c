#pragma once

#include "actors/proxy_actor.hpp"
#include "gateway/proxy/proxy.hpp"
#include "gateway/proxy/status_port.hpp"

#include <mutex>
#include <set>

namespace strait::actors {

/// The proxies of a process: its readiness port, which answers 200 while there are some and all of
/// them serve, the port that tells what they counted, and their common end. Any thread.
class Proxies {
public:
  /// A port of 0 is not opened.
  struct Options {
    std::string address = "0.0.0.0"; ///< Of both ports.
    std::uint16_t ready_port = 20'000, metrics_port = 0;
    std::string metrics_path = "/metrics";
  };
  explicit Proxies(Options options) : options_{std::move(options)} {}

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

  const Options options_;
  std::mutex mutex_; // Of what follows.
  std::set<gateway::proxy::Proxy*> proxies_;
  bool winding_down_ = false;
  // End first: their threads ask for the proxies.
  std::unique_ptr<net::HttpThread> ready_port_, metrics_port_;
};

/// A Dataplane of real worker threads. One Proxy per gateway, each with the options given.
MakeDataplane make_proxies(gateway::proxy::ProxyOptions options, std::shared_ptr<Proxies> proxies);

/// How long a data plane that is given up lets requests under way end.
inline constexpr Millis drain_max{5'000};

} // namespace strait::actors
