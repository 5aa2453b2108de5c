#pragma once

#include "api/identity.hpp"
#include "catalog/view.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace prometheus {
class Registry;
}

namespace strait::api {

/// What one proxy said of itself, for gauges.
struct ProxyGauge {
  std::string gateway, proxy;
  std::uint64_t sent = 0, served = 0;
  std::size_t errors = 0;
};

/// The counters of one agent and the text in which Prometheus reads them. Any thread may call.
class Metrics {
public:
  Metrics();
  ~Metrics();

  /// `endpoint` is a pattern of the router: a bounded set, unlike paths.
  void count_request(std::string_view endpoint, std::string_view method, int status);
  void count_command(std::string_view command, std::string_view result);
  /// Evaluations of queries: one serves all who wait for the same.
  void count_evaluation();
  std::uint64_t evaluations() const;

  /// For other parts of the agent to register counters of their own.
  prometheus::Registry& registry();

  /// Counters, and gauges of what the view holds: the revision, records by kind, services,
  /// instances by health, peerings (consul_peering_exported_services, consul_peering_healthy) and
  /// the proxies. Text exposition format 0.0.4.
  std::string prometheus_text(const catalog::View& view, const AgentIdentity& self,
                              const std::vector<ProxyGauge>& proxies) const;
  /// The same as Consul's /v1/agent/metrics has it without ?format.
  std::string consul_json(const catalog::View& view, const AgentIdentity& self,
                          const std::vector<ProxyGauge>& proxies) const;

private:
  struct Families;
  std::unique_ptr<Families> families_;
};

} // namespace strait::api
