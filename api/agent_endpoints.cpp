#include "api/agent_endpoints.hpp"

#include "api/agent_lookup.hpp"
#include "api/consul_bodies.hpp"
#include "api/consul_json.hpp"
#include "api/lists.hpp"
#include "api/query_options.hpp"

#include <algorithm>

/// agent/*: this agent, and the services on its own node (reference/consul §2.4, §2.5).
namespace strait::api {

namespace {

Outcome self(const Surroundings& at, const Call&) {
  JsonWriter json;
  write_self(json, at.self);
  return Reply{200, json.take()};
}

Outcome version(const Surroundings& at, const Call&) {
  JsonWriter json;
  json.begin_object().text("SHA", "").text("BuildDate", "1970-01-01T00:00:01Z");
  json.text("HumanVersion", at.self.version).text("FIPS", "").end_object();
  return Reply{200, json.take()};
}

Outcome members(const Surroundings& at, const Call& call) {
  if (call.parameters.has("wan"))
    return refuse_wan_federation("wan");
  JsonWriter json;
  write_member(json.begin_array(), at.self);
  return Reply{200, json.end_array().take()};
}

Outcome join(const Surroundings&, const Call& call) {
  if (call.parameters.has("wan"))
    return refuse_wan_federation("join");
  return text_reply(500, "join: there is no gossip pool to join; the servers of a datacenter share "
                         "a store, and datacenters are connected by peering");
}

Outcome services(const Surroundings& at, const Call& call) {
  auto filter = list_filter(call, Element::agent_service);
  if (!filter)
    return consul_error(filter.error());
  JsonWriter json;
  json.begin_object();
  for (auto& service : own_services(at)) {
    JsonWriter element;
    write_agent_service(element, service->value, at.self);
    if (!*filter || (*filter)->takes(element.view()))
      json.raw(service->value.id, element.view());
  }
  return Reply{200, json.end_object().take()};
}

/// FNV-1a: equal texts, equal hashes; nobody's safety hangs on it.
std::string hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (unsigned char c : text)
    hash = (hash ^ c) * 0x100000001b3U;
  return fmt::format("{:016x}", hash);
}

std::string content_hash(const model::ServiceInstance& instance, const AgentIdentity& self) {
  JsonWriter json;
  write_agent_service(json, instance, self);
  return hash_of(json.view());
}

/// Waits while the hash that the client has is that of the service (Consul's ?hash).
Outcome service(const Surroundings& at, const Call& call) {
  auto id = call.parts.at(0);
  auto found = own_service(at, id);
  if (!found)
    return text_reply(404, "unknown service ID: " + id);
  auto key = model::key_of(found->value);
  auto answer = [name = key.name, id, self = at.self](const catalog::View& view) {
    auto* instance = view.find<model::ServiceInstance>(name);
    if (!instance)
      return text_reply(404, "unknown service ID: " + id);
    auto hash = content_hash(*instance, self);
    JsonWriter json;
    write_agent_service(json, *instance, self, hash);
    return Reply{200, json.take(), json_type, {{"X-Consul-ContentHash", hash}}};
  };
  auto index = [name = key.name](const catalog::View& view) {
    auto record = view.record<model::ServiceInstance>(name);
    return record ? record->modified : view.kind_revision(model::Kind::service_instance);
  };
  bool known = call.parameters.get("hash") == content_hash(found->value, at.self);
  auto& instance = found->value;
  return Read{index,
              answer,
              {catalog::topic_of(catalog::ServiceKey{"", instance.service})},
              known ? index(*at.view) : 0};
}

Outcome register_service(const Surroundings& at, const Call& call) {
  auto body = decode_agent_service(call.body, at.self);
  if (!body)
    return text_reply(400, body.error().detail);
  catalog::Register command{own_node(at.self), true, body->instance, body->checks};
  std::set<std::string> ids;
  for (auto& check : command.checks) {
    // What is known of a check stays known when its service is registered anew.
    if (auto known = own_check(at, check.id)) {
      check.status = known->value.status;
      check.output = known->value.output;
    }
    ids.insert(check.id);
  }
  Write write{{command}, {}};
  if (call.parameters.has("replace-existing-checks"))
    for (auto& check : own_checks(at))
      if (check->value.service_id == body->instance.id && !ids.contains(check->value.id))
        write.commands.push_back(
            catalog::Deregister{.node = at.self.node_name, .check_id = check->value.id});
  write.reply = empty_or_error;
  return write;
}

Outcome deregister_service(const Surroundings& at, const Call& call) {
  auto& id = call.parts.at(0);
  if (!own_service(at, id))
    return text_reply(404, fmt::format("Unknown service ID \"{}\". Ensure that the service ID is "
                                       "passed, not the service name.",
                                       id));
  return Write{{catalog::Deregister{.node = at.self.node_name, .instance_id = id}}, empty_or_error};
}

int health_status(model::Health health) {
  switch (health) {
  case model::Health::passing:
    return 200;
  case model::Health::warning:
    return 429;
  default:
    return 503;
  }
}

Reply health_reply(model::Health overall, std::string json, const Call& call) {
  std::string text{model::to_string(overall)};
  Reply reply{health_status(overall), std::move(json), json_type, {{"X-Consul-Reason", text}}};
  if (call.parameters.get("format") == "text") {
    reply.body = text;
    reply.content_type = "text/plain";
  }
  return reply;
}

Outcome health_by_id(const Surroundings& at, const Call& call) {
  auto& id = call.parts.at(0);
  if (id.empty())
    return text_reply(400, "Missing serviceID");
  auto found = own_service(at, id);
  if (!found)
    return Reply{404,
                 R"({"AggregatedStatus":"critical","Service":null,"Checks":null})",
                 json_type,
                 {{"X-Consul-Reason", fmt::format("ServiceId {} not found", id)}}};
  auto health = own_health(at, found);
  JsonWriter json;
  write_agent_health(json, health, at.self);
  return health_reply(health.overall, json.take(), call);
}

Outcome health_by_name(const Surroundings& at, const Call& call) {
  auto& name = call.parts.at(0);
  if (name.empty())
    return text_reply(400, "Missing service Name");
  JsonWriter json;
  json.begin_array();
  auto overall = model::Health::passing;
  bool any = false;
  for (auto& service : own_services(at))
    if (service->value.service == name) {
      auto health = own_health(at, service);
      overall = model::worse(overall, health.overall);
      write_agent_health(json, health, at.self);
      any = true;
    }
  json.end_array();
  if (!any)
    return Reply{
        404, "[]", json_type, {{"X-Consul-Reason", fmt::format("ServiceName {} Not Found", name)}}};
  return health_reply(overall, json.take(), call);
}

} // namespace

Reply empty_or_error(const Write::Results& results, const catalog::View&) {
  for (auto& result : results)
    if (!result)
      return result.error().code == Errc::invalid ? text_reply(400, result.error().detail)
                                                  : consul_error(result.error());
  return Reply{200, ""};
}

void add_agent_endpoints(Router& router) {
  router.add("GET", "/v1/agent/self", self);
  router.add("GET", "/v1/agent/version", version);
  router.add("GET", "/v1/agent/members", members);
  router.add("PUT", "/v1/agent/join/*", join);
  router.add("GET", "/v1/agent/services", services);
  router.add("PUT", "/v1/agent/service/register", register_service);
  router.add("PUT", "/v1/agent/service/deregister/*", deregister_service);
  router.add("GET", "/v1/agent/service/*", service);
  router.add("GET", "/v1/agent/health/service/id/*", health_by_id);
  router.add("GET", "/v1/agent/health/service/name/*", health_by_name);
}

} // namespace strait::api
