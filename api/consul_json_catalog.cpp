#include "api/consul_json.hpp"
#include "api/duration.hpp"

namespace strait::api {

namespace {

void write_node_head(JsonWriter& json, const model::Node& node) {
  json.text("ID", node.id).text("Node", node.name).text("Address", node.address);
  json.text("Datacenter", node.datacenter);
}

template <class T>
void write_indexes(JsonWriter& json, const catalog::Record<T>& record) {
  json.number("CreateIndex", record.created).number("ModifyIndex", record.modified);
}

void write_addresses(JsonWriter& json, std::string_view name,
                     const std::map<std::string, model::ServiceAddress>& addresses) {
  if (addresses.empty())
    return;
  json.key(name).begin_object();
  for (auto& [key, it] : addresses)
    json.key(key).begin_object().text("Address", it.address).number("Port", it.port).end_object();
  json.end_object();
}

void write_weights(JsonWriter& json, std::string_view name,
                   const model::ServiceInstance& instance) {
  json.key(name).begin_object().number("Passing", instance.weight_passing);
  json.number("Warning", instance.weight_warning).end_object();
}

void write_proxy(JsonWriter& json, std::string_view name, const model::ServiceInstance& instance) {
  json.key(name).begin_object();
  json.text_unless_empty("DestinationServiceName", instance.proxy_destination);
  json.text("Mode", "").raw("MeshGateway", "{}").raw("Expose", "{}").end_object();
}

void write_connect(JsonWriter& json, std::string_view name,
                   const model::ServiceInstance& instance) {
  json.key(name).begin_object();
  if (auto& meta = instance.peer_meta) {
    json.key("PeerMeta").begin_object().texts("SNI", meta->sni);
    json.texts("SpiffeID", meta->spiffe_ids).text("Protocol", meta->protocol).end_object();
  }
  json.end_object();
}

std::string duration_or_empty(Millis duration) {
  return duration.count() == 0 ? std::string{} : to_go_text(duration);
}

void write_definition(JsonWriter& json, const model::CheckDefinition& definition) {
  json.key("Definition").begin_object();
  json.text_unless_empty("Interval", duration_or_empty(definition.interval));
  json.text_unless_empty("Timeout", duration_or_empty(definition.timeout));
  json.text_unless_empty("DeregisterCriticalServiceAfter",
                         duration_or_empty(definition.deregister_after));
  json.text_unless_empty("HTTP", definition.http);
  if (!definition.header.empty()) {
    json.key("Header").begin_object();
    for (auto& [name, values] : definition.header)
      json.texts(name, values);
    json.end_object();
  }
  json.text_unless_empty("Method", definition.method).text_unless_empty("Body", definition.body);
  if (definition.tls_skip_verify)
    json.flag("TLSSkipVerify", true);
  json.text_unless_empty("TCP", definition.tcp).end_object();
}

} // namespace

void write_node(JsonWriter& json, const catalog::Record<model::Node>& record) {
  auto& node = record.value;
  json.begin_object();
  write_node_head(json, node);
  json.text_unless_empty("PeerName", node.peer);
  json.map_or_null("TaggedAddresses", node.tagged_addresses).map_or_null("Meta", node.meta);
  write_indexes(json, record);
  json.end_object();
}

void write_service_node(JsonWriter& json, const catalog::InstanceHealth& health) {
  static const model::Node nowhere; // An instance whose node is missing is still shown.
  auto& node = health.node ? health.node->value : nowhere;
  auto& instance = health.instance->value;
  json.begin_object().text("ID", node.id).text("Node", instance.node);
  json.text("Address", node.address).text("Datacenter", node.datacenter);
  json.map_or_null("TaggedAddresses", node.tagged_addresses).map_or_null("NodeMeta", node.meta);
  json.text("ServiceKind", instance.service_kind).text("ServiceID", instance.id);
  json.text("ServiceName", instance.service).texts("ServiceTags", instance.tags);
  json.text("ServiceAddress", instance.address);
  write_addresses(json, "ServiceTaggedAddresses", instance.tagged_addresses);
  write_weights(json, "ServiceWeights", instance);
  json.map("ServiceMeta", instance.meta).number("ServicePort", instance.port);
  json.text("ServiceSocketPath", "");
  json.flag("ServiceEnableTagOverride", instance.enable_tag_override);
  write_proxy(json, "ServiceProxy", instance);
  write_connect(json, "ServiceConnect", instance);
  json.null("ServiceLocality").text_unless_empty("PeerName", instance.peer);
  write_indexes(json, *health.instance);
  json.end_object();
}

void write_node_service(JsonWriter& json, const catalog::Record<model::ServiceInstance>& record) {
  auto& instance = record.value;
  json.begin_object().text_unless_empty("Kind", instance.service_kind);
  json.text("ID", instance.id).text("Service", instance.service).texts("Tags", instance.tags);
  json.text("Address", instance.address);
  write_addresses(json, "TaggedAddresses", instance.tagged_addresses);
  json.map_or_null("Meta", instance.meta);
  if (instance.port != 0)
    json.number("Port", instance.port);
  write_weights(json, "Weights", instance);
  json.flag("EnableTagOverride", instance.enable_tag_override);
  write_proxy(json, "Proxy", instance);
  write_connect(json, "Connect", instance);
  json.text("PeerName", instance.peer);
  write_indexes(json, record);
  json.end_object();
}

void write_check(JsonWriter& json, const catalog::Record<model::HealthCheck>& record,
                 const AgentIdentity& self) {
  auto& check = record.value;
  bool ours = check.peer.empty() && check.node == self.node_name;
  json.begin_object().text("Node", check.node).text("CheckID", check.id).text("Name", check.name);
  json.text("Status", model::to_string(check.status)).text("Notes", check.notes);
  json.text("Output", check.output).text("ServiceID", check.service_id);
  json.text("ServiceName", check.service_name).texts("ServiceTags", check.service_tags);
  json.text("Type", check.type);
  json.text("Interval", ours ? duration_or_empty(check.definition.interval) : "");
  json.text("Timeout", ours ? duration_or_empty(check.definition.timeout) : "");
  json.number("ExposedPort", 0).text_unless_empty("PeerName", check.peer);
  if (ours)
    json.raw("Definition", "{}");
  else
    write_definition(json, check.definition);
  write_indexes(json, record);
  json.end_object();
}

void write_check_service_node(JsonWriter& json, const catalog::InstanceHealth& health,
                              const AgentIdentity& self) {
  json.begin_object();
  if (health.node)
    write_node(json.key("Node"), *health.node);
  else
    json.null("Node");
  write_node_service(json.key("Service"), *health.instance);
  json.key("Checks").begin_array();
  for (auto& check : health.checks)
    write_check(json, *check, self);
  json.end_array().end_object();
}

} // namespace strait::api
