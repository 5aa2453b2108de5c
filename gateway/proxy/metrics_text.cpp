#include "gateway/proxy/metrics_text.hpp"

#include <fmt/format.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

namespace strait::gateway::proxy {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

class Families {
public:
  /// Of counters, or of gauges: prometheus::ClientMetric has a place for each.
  MetricFamily& begin(std::string name, std::string help, MetricType type) {
    return all_.emplace_back(
        MetricFamily{"strait_gateway_" + std::move(name), std::move(help), type, {}});
  }
  static void add(MetricFamily& family, std::vector<ClientMetric::Label> labels,
                  std::uint64_t count) {
    auto& metric = family.metric.emplace_back();
    metric.label = std::move(labels);
    (family.type == MetricType::Gauge ? metric.gauge.value : metric.counter.value) =
        static_cast<double>(count);
  }
  void add_named(const std::string& label, const std::vector<NamedCounts>& counted) {
    if (counted.empty())
      return;
    auto family = [&](std::string_view name, std::string_view help, auto value) {
      auto& it = begin(fmt::format("{}_{}_total", label, name),
                       fmt::format("{} by {}", help, label), MetricType::Counter);
      for (const auto& named : counted)
        add(it, {{label, named.name}}, value(named));
    };
    family("requests", "Requests, and connections of TCP", [](auto& it) { return it.requests; });
    family("failures", "Requests answered 5xx, and refused connections",
           [](auto& it) { return it.failures; });
  }
  std::string text() const { return prometheus::TextSerializer{}.Serialize(all_); }

private:
  std::vector<MetricFamily> all_;
};

} // namespace

std::string metrics_text(const Counters& counters) {
  Families families;
  Families::add(
      families.begin("connections", "Connections of clients that are open", MetricType::Gauge), {},
      counters.active_connections());
  for (std::size_t i = 0; i < counter_count; ++i) {
    auto counter = static_cast<Counter>(i);
    Families::add(families.begin(fmt::format("{}_total", to_string(counter)),
                                 "Since the process began", MetricType::Counter),
                  {}, counters[counter]);
  }
  families.add_named("listener", counters.listeners);
  families.add_named("cluster", counters.clusters);
  return families.text();
}

} // namespace strait::gateway::proxy
