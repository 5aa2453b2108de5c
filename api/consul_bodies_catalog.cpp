#include "api/consul_body_parts.hpp"

namespace strait::api {

namespace {

void read_instance(BodyReader& in, model::ServiceInstance& out, const BodyLimits& limits) {
  read_service_kind(in, out);
  in.text("ID", out.id);
  in.text("Service", out.service);
  read_tags(in, "Tags", out.tags, limits);
  in.text("Address", out.address);
  read_service_addresses(in, out.tagged_addresses);
  read_meta(in, "Meta", out.meta, limits);
  in.number("Port", 0, port_max, out.port);
  read_weights(in, out);
  in.flag("EnableTagOverride", out.enable_tag_override);
  read_proxy(in, out);
  read_connect(in);
  in.text("PeerName", out.peer); // Refused by the catalog, with Consul's text.
  in.refuse({"SocketPath", "Locality", "Namespace", "Partition", "Ports"});
  in.skip({"CreateIndex", "ModifyIndex", "ContentHash", "Datacenter"});
}

void read_definition(BodyReader& in, model::CheckDefinition& out) {
  in.text("HTTP", out.http);
  in.text("Method", out.method);
  in.text_lists("Header", out.header);
  in.text("Body", out.body);
  in.flag("TLSSkipVerify", out.tls_skip_verify);
  in.text("TCP", out.tcp);
  // The Go client has each duration twice; the text wins over the number.
  in.duration("IntervalDuration", out.interval);
  in.duration("TimeoutDuration", out.timeout);
  in.duration("DeregisterCriticalServiceAfterDuration", out.deregister_after);
  in.duration("Interval", out.interval);
  in.duration("Timeout", out.timeout);
  in.duration("DeregisterCriticalServiceAfter", out.deregister_after);
  in.refuse({"TLSServerName", "TCPUseTLS", "UDP", "GRPC", "OSService", "GRPCUseTLS", "H2PING",
             "ScriptArgs", "DisableRedirects"});
}

void read_check(BodyReader& in, model::HealthCheck& out, const BodyLimits& limits) {
  std::string status, unused;
  in.text("Node", out.node);
  in.text("CheckID", out.id);
  in.text("Name", out.name);
  in.text("Status", status);
  check_status(in, status, out.status);
  in.text("Notes", out.notes);
  in.text("Output", out.output);
  in.text("ServiceID", out.service_id);
  in.text("ServiceName", out.service_name); // Replaced by the service's own.
  read_tags(in, "ServiceTags", out.service_tags, limits);
  in.text("Type", out.type);
  in.text("PeerName", out.peer);
  in.object("Definition", [&](BodyReader& inner) { read_definition(inner, out.definition); });
  if (out.type.empty())
    out.type = check_type(out.definition);
  in.duration("Interval", out.definition.interval);
  in.duration("Timeout", out.definition.timeout);
  in.refuse({"ExposedPort", "Namespace", "Partition"});
  in.skip({"CreateIndex", "ModifyIndex"});
}

} // namespace

Result<RegisterBody> decode_register(std::string_view body, const AgentIdentity& self,
                                     const BodyLimits& limits) {
  RegisterBody out;
  auto& command = out.command;
  auto add_check = [&](BodyReader& inner) {
    read_check(inner, command.checks.emplace_back(), limits);
  };
  auto status = BodyReader::read(body, [&](BodyReader& in) {
    in.text("Datacenter", out.datacenter);
    in.text("ID", command.node.id);
    in.text("Node", command.node.name);
    in.text("Address", command.node.address);
    in.map("TaggedAddresses", command.node.tagged_addresses);
    read_meta(in, "NodeMeta", command.node.meta, limits);
    in.text("PeerName", command.node.peer);
    in.flag("SkipNodeUpdate", command.skip_node_update);
    in.object("Service",
              [&](BodyReader& inner) { read_instance(inner, command.instance.emplace(), limits); });
    in.object("Check", add_check);
    in.list("Checks", add_check);
    in.refuse({"Locality", "Namespace", "Partition"});
    in.skip({"WriteRequest", "Token"});
  });
  if (!status)
    return fail(std::move(status.error()));
  command.node.datacenter = self.datacenter;
  return out;
}

Result<DeregisterBody> decode_deregister(std::string_view body) {
  DeregisterBody out;
  std::string address;
  auto status = BodyReader::read(body, [&](BodyReader& in) {
    in.text("Datacenter", out.datacenter);
    in.text("Node", out.command.node);
    in.text("ServiceID", out.command.instance_id);
    in.text("CheckID", out.command.check_id);
    in.text("Address", address); // Obsolete at Consul as well.
    in.refuse({"PeerName", "Namespace", "Partition"});
    in.skip({"WriteRequest", "Token"});
  });
  if (!status)
    return fail(std::move(status.error()));
  return out;
}

} // namespace strait::api
