#include "api/consul_body_parts.hpp"

#include <algorithm>

namespace strait::api {

namespace {

/// Consul runs no check more often: what asks for it gets this.
constexpr Millis interval_min{1'000};

/// A check as agents take it: definition and description in one object.
void read_check(BodyReader& in, model::HealthCheck& out) {
  std::string status, check_id;
  auto& definition = out.definition;
  in.text("ID", out.id);
  in.text("CheckID", check_id);
  in.text("Name", out.name);
  in.text("ServiceID", out.service_id);
  in.text("Notes", out.notes);
  in.text("Status", status);
  check_status(in, status, out.status);
  in.text("HTTP", definition.http);
  in.text_lists("Header", definition.header);
  in.text("Method", definition.method);
  in.text("Body", definition.body);
  in.text("TCP", definition.tcp);
  in.flag("TLSSkipVerify", definition.tls_skip_verify);
  in.duration("Interval", definition.interval);
  in.duration("Timeout", definition.timeout);
  in.duration("TTL", definition.ttl);
  in.duration("DeregisterCriticalServiceAfter", definition.deregister_after);
  in.number("SuccessBeforePassing", 0, threshold_max, definition.success_before_passing);
  in.number("FailuresBeforeCritical", 0, threshold_max, definition.failures_before_critical);
  in.refuse({"Script",
             "ScriptArgs",
             "Args",
             "DockerContainerID",
             "Shell",
             "UDP",
             "GRPC",
             "GRPCUseTLS",
             "H2PING",
             "H2PINGUseTLS",
             "OSService",
             "AliasNode",
             "AliasService",
             "TLSServerName",
             "TCPUseTLS",
             "DisableRedirects",
             "FailuresBeforeWarning",
             "Namespace",
             "Partition",
             "ProxyHTTP",
             "ProxyGRPC"});
  in.skip({"Token", "OutputMaxSize", "EnterpriseMeta"});
  if (!check_id.empty())
    out.id = check_id;
  if (definition.interval.count() > 0)
    definition.interval = std::max(definition.interval, interval_min);
  out.type = check_type(definition);
}

/// What Consul demands of a check's kind; empty: nothing is wrong.
std::string invalid_definition(const model::CheckDefinition& definition) {
  int kinds = !definition.http.empty() + !definition.tcp.empty() + (definition.ttl.count() > 0);
  bool probes = !definition.http.empty() || !definition.tcp.empty();
  if (kinds == 0)
    return "TTL must be > 0 for TTL checks";
  if (probes && definition.interval.count() == 0)
    return "Interval must be > 0 for Script, HTTP, H2PING, TCP, UDP or OSService checks";
  if (kinds > 1)
    return "must be one of HTTP, TCP and TTL, not several";
  return {};
}

/// The id and name that Consul gives: "service:ID", or "service:ID:N" when there are several.
void name_check(model::HealthCheck& check, const model::ServiceInstance& instance,
                std::size_t number, std::size_t count) {
  if (check.id.empty()) {
    check.id = "service:" + instance.id;
    if (count > 1)
      check.id += ":" + std::to_string(number);
  }
  if (check.name.empty())
    check.name = fmt::format("Service '{}' check", instance.service);
  check.node = instance.node;
  check.service_id = instance.id;
  check.service_name = instance.service;
  check.service_tags = instance.tags;
}

} // namespace

Result<AgentServiceBody> decode_agent_service(std::string_view body, const AgentIdentity& self,
                                              const BodyLimits& limits) {
  AgentServiceBody out;
  auto& instance = out.instance;
  auto add_check = [&](BodyReader& inner) { read_check(inner, out.checks.emplace_back()); };
  auto status = BodyReader::read(body, [&](BodyReader& in) {
    read_service_kind(in, instance);
    in.text("ID", instance.id);
    in.text("Name", instance.service);
    read_tags(in, "Tags", instance.tags, limits);
    in.text("Address", instance.address);
    in.number("Port", 0, port_max, instance.port);
    read_service_addresses(in, instance.tagged_addresses);
    read_meta(in, "Meta", instance.meta, limits);
    read_weights(in, instance);
    in.flag("EnableTagOverride", instance.enable_tag_override);
    in.object("Check", add_check);
    in.list("Checks", add_check);
    read_proxy(in, instance);
    read_connect(in);
    in.refuse({"SocketPath", "Locality", "Namespace", "Partition", "Ports"});
    in.skip({"Token"});
    if (instance.service.empty())
      in.fail("Missing service name");
    if (instance.address == "0.0.0.0" || instance.address == "::" || instance.address == "[::]")
      in.fail("Invalid service address");
    for (auto& check : out.checks)
      if (auto why = invalid_definition(check.definition); !why.empty())
        in.fail("Invalid check: " + why);
  });
  if (!status)
    return fail(std::move(status.error()));
  instance.node = self.node_name;
  if (instance.id.empty())
    instance.id = instance.service;
  for (std::size_t i = 0; i < out.checks.size(); ++i)
    name_check(out.checks[i], instance, i + 1, out.checks.size());
  return out;
}

Result<model::HealthCheck> decode_agent_check(std::string_view body, const AgentIdentity& self) {
  model::HealthCheck check;
  auto status = BodyReader::read(body, [&](BodyReader& in) {
    read_check(in, check);
    if (check.name.empty())
      in.fail("Missing check name");
    if (auto why = invalid_definition(check.definition); !why.empty())
      in.fail("Invalid check: " + why);
  });
  if (!status)
    return fail(std::move(status.error()));
  check.node = self.node_name;
  if (check.id.empty())
    check.id = check.name;
  return check;
}

Result<CheckUpdate> decode_check_update(std::string_view body) {
  CheckUpdate out;
  std::string text;
  auto status = BodyReader::read(body, [&](BodyReader& in) {
    in.text("Status", text);
    in.text("Output", out.output);
    auto health = model::health_from(text);
    if (health && *health != model::Health::maintenance)
      out.status = *health;
    else
      in.fail(fmt::format("Invalid check status: '{}'", text));
  });
  if (!status)
    return fail(std::move(status.error()));
  return out;
}

Result<PeeringTokenBody> decode_peering_token(std::string_view body) {
  PeeringTokenBody out;
  auto status = BodyReader::read(
      body,
      [&](BodyReader& in) {
        in.text("PeerName", out.peer_name);
        in.map("Meta", out.meta);
        in.texts("ServerExternalAddresses", out.server_external_addresses);
        in.refuse({"Partition"});
      },
      "Body decoding failed: ");
  if (!status)
    return fail(std::move(status.error()));
  if (out.peer_name.empty())
    return fail(Errc::invalid,
                "PeerName is required in the payload when generating a new peering token.");
  return out;
}

Result<PeeringEstablishBody> decode_peering_establish(std::string_view body) {
  PeeringEstablishBody out;
  auto status = BodyReader::read(
      body,
      [&](BodyReader& in) {
        in.text("PeerName", out.peer_name);
        in.text("PeeringToken", out.peering_token);
        in.map("Meta", out.meta);
        in.refuse({"Partition"});
      },
      "Body decoding failed: ");
  if (!status)
    return fail(std::move(status.error()));
  if (out.peer_name.empty())
    return fail(Errc::invalid, "PeerName is required in the payload when establishing a peering.");
  if (out.peering_token.empty())
    return fail(Errc::invalid,
                "PeeringToken is required in the payload when establishing a peering.");
  return out;
}

} // namespace strait::api
