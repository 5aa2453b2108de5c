#include "api/agent_endpoints.hpp"
#include "api/agent_lookup.hpp"
#include "api/consul_bodies.hpp"
#include "api/consul_json.hpp"
#include "api/lists.hpp"

#include <algorithm>

/// agent/check*: the checks of the agent's own node.
namespace strait::api {

namespace {

Outcome checks(const Surroundings& at, const Call& call) {
  auto filter = list_filter(call, Element::health_check);
  if (!filter)
    return consul_error(filter.error());
  JsonWriter json;
  json.begin_object();
  for (auto& check : own_checks(at)) {
    JsonWriter element;
    write_check(element, *check, at.self);
    if (!*filter || (*filter)->takes(element.view()))
      json.raw(check->value.id, element.view());
  }
  return Reply{200, json.end_object().take()};
}

Reply unknown_check(const std::string& id) {
  return text_reply(404, fmt::format("Unknown check ID \"{}\". Ensure that the check ID is passed, "
                                     "not the check name.",
                                     id));
}

Outcome register_check(const Surroundings& at, const Call& call) {
  auto check = decode_agent_check(call.body, at.self);
  if (!check)
    return text_reply(400, check.error().detail);
  if (!check->service_id.empty() && !own_service(at, check->service_id))
    return text_reply(404, fmt::format("ServiceID \"{}\" does not exist", check->service_id));
  if (auto known = own_check(at, check->id)) {
    check->status = known->value.status;
    check->output = known->value.output;
  }
  return Write{{catalog::Register{own_node(at.self), true, {}, {std::move(*check)}}},
               empty_or_error};
}

Outcome deregister_check(const Surroundings& at, const Call& call) {
  auto& id = call.parts.at(0);
  if (!own_check(at, id))
    return unknown_check(id);
  return Write{{catalog::Deregister{.node = at.self.node_name, .check_id = id}}, empty_or_error};
}

Outcome report_check(const Surroundings& at, const std::string& id, model::Health status,
                     std::string output, const ReportTtl& report) {
  auto check = own_check(at, id);
  if (!check)
    return unknown_check(id);
  if (check->value.definition.ttl.count() == 0)
    return text_reply(404, fmt::format("CheckID \"{}\" does not have associated TTL", id));
  if (!report)
    return Write{{catalog::ReportCheck{at.self.node_name, id, status, std::move(output)}},
                 empty_or_error};
  return Later{[=](const std::function<void(Reply)>& reply) {
    report(id, status, output, [reply](const Status& done) {
      reply(done ? Reply{200, ""} : consul_error(done.error()));
    });
  }};
}

Endpoint report_as(model::Health status, const ReportTtl& report) {
  return [=](const Surroundings& at, const Call& call) {
    return report_check(at, call.parts.at(0), status, call.parameters.get("note"), report);
  };
}

} // namespace

void add_agent_check_endpoints(Router& router, ReportTtl report) {
  router.add("GET", "/v1/agent/checks", checks);
  router.add("PUT", "/v1/agent/check/register", register_check);
  router.add("PUT", "/v1/agent/check/deregister/*", deregister_check);
  router.add("PUT", "/v1/agent/check/pass/*", report_as(model::Health::passing, report));
  router.add("PUT", "/v1/agent/check/warn/*", report_as(model::Health::warning, report));
  router.add("PUT", "/v1/agent/check/fail/*", report_as(model::Health::critical, report));
  router.add("PUT", "/v1/agent/check/update/*", [report](auto& at, auto& call) -> Outcome {
    auto update = decode_check_update(call.body);
    if (!update)
      return text_reply(400, update.error().detail);
    return report_check(at, call.parts.at(0), update->status, update->output, report);
  });
}

} // namespace strait::api
