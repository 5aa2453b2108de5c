#include "api/gateway_endpoints.hpp"

#include "api/json_writer.hpp"
#include "api/object_endpoints.hpp"

#include <caf/all.hpp>

#include <algorithm>

namespace strait::api {

namespace {

using Reports = std::map<model::Name, std::vector<actors::ProxyReport>>;

/// Asks root for what the proxies of each gateway say, then calls back; who does not answer in time
/// is left out.
void ask(const GatewaySources& sources, const std::vector<model::Name>& gateways,
         std::function<void(const Reports&)> done) {
  if (!sources.root || gateways.empty())
    return done({});
  struct Asked {
    std::size_t open = 0;
    Reports reports;
    std::function<void(const Reports&)> done;
    void one_less() {
      if (--open == 0)
        done(reports);
    }
  };
  auto asked = std::make_shared<Asked>(Asked{gateways.size(), {}, std::move(done)});
  auto root = sources.root;
  auto wait = sources.wait_max;
  root.home_system().spawn([=](caf::event_based_actor* self) {
    for (auto& gateway : gateways)
      self->request(root, wait, actors::report_atom::value, gateway)
          .then(
              [=](const std::vector<actors::ProxyReport>& reports) {
                asked->reports[gateway] = reports;
                asked->one_less();
              },
              [=](caf::error&) { asked->one_less(); });
  });
}

std::vector<model::Name> all_gateways(const catalog::View& view) {
  std::vector<model::Name> names;
  for (auto& item : view.table<model::Gateway>())
    names.push_back(item.first);
  return names;
}

void write_conditions(JsonWriter& json, const std::vector<model::Condition>& conditions) {
  json.key("conditions").begin_array();
  for (auto& condition : conditions) {
    json.begin_object().text("type", model::to_string(condition.type));
    json.text("status", condition.status ? "True" : "False");
    json.text("reason", model::to_string(condition.reason)).text("message", condition.message);
    json.number("observedGeneration", condition.observed_generation);
    json.time_or_null("lastTransitionTime", condition.transition).end_object();
  }
  json.end_array();
}

void write_proxies(JsonWriter& json, const std::vector<actors::ProxyReport>& reports) {
  std::uint64_t epoch = 0;
  for (auto& report : reports)
    epoch = std::max(epoch, report.sent);
  json.number("epoch", epoch).key("proxies").begin_array();
  for (auto& report : reports) {
    json.begin_object().text("id", report.id).number("sentEpoch", report.sent);
    json.number("servedEpoch", report.served).flag("current", report.served == epoch);
    json.texts("errors", report.errors).end_object();
  }
  json.end_array();
}

/// A gateway, what is said of it, and which proxies serve which epoch of its configuration.
void write_gateway(JsonWriter& json, const catalog::View& view, const model::Gateway& gateway,
                   const Reports& reports, const std::string& fed_at) {
  auto key = model::key_of(gateway);
  auto* status =
      view.find<model::ObjectStatus>(model::key_of(model::ObjectStatus{.object = key}).name);
  json.begin_object().text("namespace", key.name.ns).text("name", key.name.name);
  json.text("class", gateway.class_name).number("generation", gateway.meta.generation);
  json.key("listeners").begin_array();
  for (auto& listener : gateway.listeners) {
    json.begin_object().text("name", listener.name).text("protocol", listener.protocol);
    json.number("port", listener.port).text_unless_empty("hostname", listener.hostname);
    if (status)
      for (auto& it : status->listeners)
        if (it.name == listener.name) {
          json.number("attachedRoutes", it.attached_routes);
          write_conditions(json, it.conditions);
        }
    json.end_object();
  }
  json.end_array();
  write_conditions(json, status ? status->conditions : std::vector<model::Condition>{});
  json.texts("addresses", status ? status->addresses : std::vector<std::string>{});
  auto found = reports.find(key.name);
  write_proxies(json, found == reports.end() ? std::vector<actors::ProxyReport>{} : found->second);
  json.text_unless_empty("fedAt", fed_at).end_object();
}

std::string fed_at(const GatewaySources& sources) {
  return sources.feed_elsewhere ? sources.feed_elsewhere() : "";
}

Outcome list(const GatewaySources& sources, const Surroundings& at) {
  return Later{[sources, view = at.view](const std::function<void(Reply)>& reply) {
    ask(sources, all_gateways(*view), [=](const Reports& reports) {
      JsonWriter json;
      json.begin_object().key("gateways").begin_array();
      for (auto& item : view->table<model::Gateway>())
        write_gateway(json, *view, item.second->value, reports, fed_at(sources));
      reply(Reply{200, json.end_array().end_object().take()});
    });
  }};
}

Outcome one(const GatewaySources& sources, const Surroundings& at, const Call& call) {
  model::Name name{call.parts.at(0), call.parts.at(1)};
  if (!at.view->find<model::Gateway>(name))
    return error_reply({Errc::not_found, "Gateway " + model::to_string(name) + ": does not exist"});
  return Later{[=, view = at.view](const std::function<void(Reply)>& reply) {
    ask(sources, {name}, [=](const Reports& reports) {
      JsonWriter json;
      write_gateway(json, *view, *view->find<model::Gateway>(name), reports, fed_at(sources));
      reply(Reply{200, json.take()});
    });
  }};
}

std::vector<ProxyGauge> gauges_of(const Reports& reports) {
  std::vector<ProxyGauge> gauges;
  for (auto& [gateway, proxies] : reports)
    for (auto& it : proxies)
      gauges.push_back({model::to_string(gateway), it.id, it.sent, it.served, it.errors.size()});
  return gauges;
}

Outcome metrics(const GatewaySources& sources, const Surroundings& at, bool prometheus) {
  return Later{[=, view = at.view, self = at.self](const std::function<void(Reply)>& reply) {
    ask(sources, all_gateways(*view), [=](const Reports& reports) {
      auto proxies = gauges_of(reports);
      if (prometheus)
        reply(Reply{200,
                    sources.metrics->prometheus_text(*view, self, proxies),
                    "text/plain; version=0.0.4; charset=utf-8",
                    {}});
      else
        reply(Reply{200, sources.metrics->consul_json(*view, self, proxies)});
    });
  }};
}

} // namespace

void add_gateway_endpoints(Router& router, GatewaySources sources) {
  router.add("GET", "/strait/v1/gateways", [=](auto& at, auto&) { return list(sources, at); });
  router.add("GET", "/strait/v1/gateways/:namespace/:name",
             [=](auto& at, auto& call) { return one(sources, at, call); });
  router.add("GET", "/metrics", [=](auto& at, auto&) { return metrics(sources, at, true); });
  router.add("GET", "/v1/agent/metrics", [=](auto& at, auto& call) -> Outcome {
    auto& format = call.parameters.get("format");
    if (!format.empty() && format != "prometheus")
      return text_reply(400, fmt::format("format \"{}\": must be prometheus or left out", format));
    return metrics(sources, at, !format.empty());
  });
}

} // namespace strait::api
