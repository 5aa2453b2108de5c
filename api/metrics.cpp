#include "api/metrics.hpp"

#include "api/json_writer.hpp"
#include "catalog/kinds.hpp"

#include <fmt/core.h>
#include <prometheus/counter.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <array>

namespace strait::api {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using Labels = std::vector<std::pair<std::string, std::string>>;

/// Families of gauges in the making.
class Gauges {
public:
  MetricFamily& family(std::string name, std::string help) {
    families_.push_back({std::move(name), std::move(help), prometheus::MetricType::Gauge, {}});
    return families_.back();
  }
  static void add(MetricFamily& family, const Labels& labels, double value) {
    ClientMetric metric;
    for (auto& [name, text] : labels)
      metric.label.push_back({name, text});
    metric.gauge.value = value;
    family.metric.push_back(std::move(metric));
  }
  std::vector<MetricFamily> take() { return std::move(families_); }

private:
  std::vector<MetricFamily> families_;
};

double as_double(std::size_t count) { return static_cast<double>(count); }

void add_catalog(Gauges& gauges, const catalog::View& view) {
  Gauges::add(gauges.family("strait_catalog_revision", "Newest committed revision"), {},
              as_double(view.revision));
  auto& records = gauges.family("strait_catalog_records", "Records by kind");
  catalog::each_kind([&]<class T>() {
    Gauges::add(records, {{"kind", std::string{model::to_string(T::kind)}}},
                as_double(view.table<T>().size()));
  });
  std::array<std::size_t, 4> by_health{};
  for (auto& item : view.table<model::HealthCheck>())
    ++by_health.at(static_cast<std::size_t>(item.second->value.status));
  auto& checks = gauges.family("strait_catalog_checks", "Health checks by status");
  for (auto health : {model::Health::passing, model::Health::warning, model::Health::critical})
    Gauges::add(checks, {{"status", std::string{model::to_string(health)}}},
                as_double(by_health.at(static_cast<std::size_t>(health))));
  Gauges::add(gauges.family("strait_catalog_services", "Services with instances, imported ones "
                                                       "included"),
              {}, as_double(view.services.size()));
}

void add_peerings(Gauges& gauges, const catalog::View& view) {
  std::vector<std::pair<Labels, const model::Peering*>> all;
  for (auto& item : view.table<model::Peering>()) {
    auto& peering = item.second->value;
    all.push_back({{{"peer_name", peering.name}, {"peer_id", peering.id}}, &peering});
  }
  if (all.empty())
    return;
  auto add = [&](std::string name, std::string help, auto value) {
    auto& family = gauges.family(std::move(name), std::move(help));
    for (auto& [labels, peering] : all)
      Gauges::add(family, labels, as_double(value(*peering)));
  };
  add("consul_peering_exported_services", "Services exported to the peer",
      [](auto& it) { return it.status.exported.size(); });
  add("consul_peering_healthy", "1 while the stream to the peer is up",
      [](auto& it) -> std::size_t { return it.state == model::PeeringState::active; });
  add("strait_peering_imported_services", "Services imported from the peer",
      [](auto& it) { return it.status.imported.size(); });
  add("strait_peering_lag_revisions", "Revisions that the peer has not acknowledged",
      [](auto& it) { return it.status.lag; });
}

void add_proxies(Gauges& gauges, const std::vector<ProxyGauge>& proxies) {
  if (proxies.empty())
    return;
  auto add = [&](std::string name, std::string help, auto value) {
    auto& family = gauges.family(std::move(name), std::move(help));
    for (auto& proxy : proxies)
      Gauges::add(family, {{"gateway", proxy.gateway}, {"proxy", proxy.proxy}},
                  as_double(value(proxy)));
  };
  add("strait_proxy_sent_epoch", "Epoch that the proxy was given",
      [](auto& it) { return it.sent; });
  add("strait_proxy_served_epoch", "Epoch that every worker of the proxy serves",
      [](auto& it) { return it.served; });
  add("strait_proxy_errors", "What the proxy had to leave out", [](auto& it) { return it.errors; });
}

} // namespace

struct Metrics::Families {
  prometheus::Registry registry;
  prometheus::Family<prometheus::Counter>& requests =
      prometheus::BuildCounter()
          .Name("strait_http_requests_total")
          .Help("Requests of the HTTP API by endpoint, method and status")
          .Register(registry);
  prometheus::Family<prometheus::Counter>& commands =
      prometheus::BuildCounter()
          .Name("strait_http_commands_total")
          .Help("Commands sent by the HTTP API, by kind and result")
          .Register(registry);
  prometheus::Counter& evaluations = prometheus::BuildCounter()
                                         .Name("strait_http_query_evaluations_total")
                                         .Help("Evaluations of queries; all waiters share one")
                                         .Register(registry)
                                         .Add({});
};

Metrics::Metrics() : families_{std::make_unique<Families>()} {}
Metrics::~Metrics() = default;

void Metrics::count_request(std::string_view endpoint, std::string_view method, int status) {
  families_->requests
      .Add({{"endpoint", std::string{endpoint}},
            {"method", std::string{method}},
            {"status", std::to_string(status)}})
      .Increment();
}

void Metrics::count_command(std::string_view command, std::string_view result) {
  families_->commands.Add({{"command", std::string{command}}, {"result", std::string{result}}})
      .Increment();
}

void Metrics::count_evaluation() { families_->evaluations.Increment(); }

std::uint64_t Metrics::evaluations() const {
  return static_cast<std::uint64_t>(families_->evaluations.Value());
}

prometheus::Registry& Metrics::registry() { return families_->registry; }

namespace {

std::vector<MetricFamily> collect(const prometheus::Registry& registry, const catalog::View& view,
                                  const std::vector<ProxyGauge>& proxies) {
  Gauges gauges;
  add_catalog(gauges, view);
  add_peerings(gauges, view);
  add_proxies(gauges, proxies);
  auto families = gauges.take();
  for (auto& family : registry.Collect())
    families.push_back(std::move(family));
  return families;
}

} // namespace

std::string Metrics::prometheus_text(const catalog::View& view, const AgentIdentity&,
                                     const std::vector<ProxyGauge>& proxies) const {
  return prometheus::TextSerializer{}.Serialize(collect(families_->registry, view, proxies));
}

std::string Metrics::consul_json(const catalog::View& view, const AgentIdentity& self,
                                 const std::vector<ProxyGauge>& proxies) const {
  auto families = collect(families_->registry, view, proxies);
  JsonWriter json;
  json.begin_object().text("Timestamp", to_rfc3339(now_wall()));
  auto write = [&](std::string_view name, prometheus::MetricType type) {
    json.key(name).begin_array();
    for (auto& family : families) {
      if (family.type != type)
        continue;
      for (auto& metric : family.metric) {
        json.begin_object().text("Name", family.name);
        bool gauge = type == prometheus::MetricType::Gauge;
        auto value = gauge ? metric.gauge.value : metric.counter.value;
        gauge ? json.raw("Value", fmt::format("{:.0f}", value))
              : json.raw("Count", fmt::format("{:.0f}", value));
        json.key("Labels").begin_object();
        for (auto& label : metric.label)
          json.text(label.name, label.value);
        json.end_object().end_object();
      }
    }
    json.end_array();
  };
  write("Gauges", prometheus::MetricType::Gauge);
  json.raw("Points", "[]");
  write("Counters", prometheus::MetricType::Counter);
  json.raw("Samples", "[]").text("Datacenter", self.datacenter);
  return json.end_object().take();
}

} // namespace strait::api
