#include "api/consul_json.hpp"
#include "api/duration.hpp"

namespace strait::api {

void write_agent_service(JsonWriter& json, const model::ServiceInstance& instance,
                         const AgentIdentity& self, std::string_view content_hash) {
  json.begin_object().text_unless_empty("Kind", instance.service_kind);
  json.text("ID", instance.id).text("Service", instance.service).texts("Tags", instance.tags);
  json.map("Meta", instance.meta).number("Port", instance.port).text("Address", instance.address);
  if (!instance.tagged_addresses.empty()) {
    json.key("TaggedAddresses").begin_object();
    for (auto& [key, it] : instance.tagged_addresses)
      json.key(key).begin_object().text("Address", it.address).number("Port", it.port).end_object();
    json.end_object();
  }
  json.key("Weights").begin_object().number("Passing", instance.weight_passing);
  json.number("Warning", instance.weight_warning).end_object();
  json.flag("EnableTagOverride", instance.enable_tag_override);
  json.text_unless_empty("ContentHash", content_hash);
  if (!instance.proxy_destination.empty()) {
    json.key("Proxy").begin_object().text("DestinationServiceName", instance.proxy_destination);
    json.text("Mode", "").raw("MeshGateway", "{}").raw("Expose", "{}").end_object();
  }
  json.text("Datacenter", self.datacenter).end_object();
}

namespace {

/// The shape that Consul has only here: every field of a definition, none of it filled in.
void write_local_check(JsonWriter& json, const model::HealthCheck& check) {
  json.begin_object().text("Node", check.node).text("CheckID", check.id).text("Name", check.name);
  json.text("Status", model::to_string(check.status)).text("Notes", check.notes);
  json.text("Output", check.output).text("ServiceID", check.service_id);
  json.text("ServiceName", check.service_name).texts("ServiceTags", check.service_tags);
  json.text("Type", "").number("ExposedPort", 0).key("Definition").begin_object();
  for (auto* name : {"Interval", "Timeout", "DeregisterCriticalServiceAfter"})
    json.text(name, "0s");
  json.text("HTTP", "").null("Header").text("Method", "").text("Body", "");
  json.text("TLSServerName", "").flag("TLSSkipVerify", false).text("TCP", "");
  json.flag("TCPUseTLS", false).text("UDP", "").text("GRPC", "").text("OSService", "");
  json.flag("GRPCUseTLS", false).end_object();
  json.number("CreateIndex", 0).number("ModifyIndex", 0).end_object();
}

} // namespace

void write_agent_health(JsonWriter& json, const catalog::InstanceHealth& health,
                        const AgentIdentity& self) {
  json.begin_object().text("AggregatedStatus", model::to_string(health.overall));
  write_agent_service(json.key("Service"), health.instance->value, self);
  json.key("Checks").begin_array();
  for (auto& check : health.checks)
    write_local_check(json, check->value);
  json.end_array().end_object();
}

void write_member(JsonWriter& json, const AgentIdentity& self) {
  constexpr int serf_alive = 1;
  constexpr std::uint16_t serf_port = 8301;
  json.begin_object().text("Name", self.node_name).text("Addr", self.advertise_address);
  json.number("Port", serf_port);
  json.map("Tags", {{"build", self.version + ":"},
                    {"dc", self.datacenter},
                    {"grpc_port", std::to_string(self.grpc_port)},
                    {"grpc_tls_port", std::to_string(self.grpc_tls_port)},
                    {"id", self.node_id},
                    {"port", std::to_string(self.server_port)},
                    {"role", "consul"},
                    {"segment", ""}});
  json.number("Status", serf_alive).number("ProtocolMin", 1).number("ProtocolMax", 5);
  json.number("ProtocolCur", 2).number("DelegateMin", 2).number("DelegateMax", 5);
  json.number("DelegateCur", 4).end_object();
}

void write_self(JsonWriter& json, const AgentIdentity& self) {
  json.begin_object().key("Config").begin_object().text("Datacenter", self.datacenter);
  json.text("PrimaryDatacenter", self.datacenter).text("NodeName", self.node_name);
  json.text("NodeID", self.node_id).text("Revision", "").flag("Server", true);
  json.text("Version", self.version).text("BuildDate", "1970-01-01T00:00:01Z").end_object();
  json.key("DebugConfig").begin_object().text("AdvertiseAddrLAN", self.advertise_address);
  json.text("Datacenter", self.datacenter).number("GRPCPort", self.grpc_port);
  json.number("GRPCTLSPort", self.grpc_tls_port).number("HTTPPort", self.http_port);
  json.text("NodeID", self.node_id).text("NodeName", self.node_name);
  json.flag("PeeringEnabled", true).flag("ServerMode", true).end_object();
  json.null("Coord");
  write_member(json.key("Member"), self);
  json.key("Stats").begin_object().key("agent").begin_object().end_object().end_object();
  json.map("Meta", {{"consul-network-segment", ""}, {"consul-version", self.version}});
  json.key("xDS").begin_object().raw("SupportedProxies", "{}").number("Port", self.grpc_port);
  json.key("Ports").begin_object().number("Plaintext", self.grpc_port);
  json.number("TLS", self.grpc_tls_port).end_object().end_object().end_object();
}

} // namespace strait::api
