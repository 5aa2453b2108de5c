#include "api/consul_body_parts.hpp"

namespace strait::api {

void read_meta(BodyReader& in, std::string_view key, model::StringMap& out,
               const BodyLimits& limits) {
  in.map(key, out);
  if (out.size() > limits.meta_pairs_max)
    in.fail(
        fmt::format("{}: cannot contain more than {} key/value pairs", key, limits.meta_pairs_max));
  for (auto& [name, value] : out)
    if (name.empty() || name.size() > limits.meta_key_bytes_max)
      in.fail(fmt::format("{}: Key must be 1..{} characters long, got {}", key,
                          limits.meta_key_bytes_max, name.size()));
    else if (value.size() > limits.meta_value_bytes_max)
      in.fail(fmt::format("{}: Value of '{}' is too long (limit: {} characters)", key, name,
                          limits.meta_value_bytes_max));
}

void read_tags(BodyReader& in, std::string_view key, std::vector<std::string>& out,
               const BodyLimits& limits) {
  in.texts(key, out);
  if (out.size() > limits.tags_max)
    in.fail(fmt::format("{}: has {} tags, at most {} are taken", key, out.size(), limits.tags_max));
}

void read_service_addresses(BodyReader& in, std::map<std::string, model::ServiceAddress>& out) {
  in.members("TaggedAddresses", [&](const std::string& name, BodyReader& inner) {
    inner.text("Address", out[name].address);
    inner.number("Port", 0, port_max, out[name].port);
  });
}

void read_weights(BodyReader& in, model::ServiceInstance& out) {
  in.object("Weights", [&](BodyReader& inner) {
    inner.number("Passing", 0, weight_max, out.weight_passing);
    inner.number("Warning", 0, weight_max, out.weight_warning);
  });
}

void read_proxy(BodyReader& in, model::ServiceInstance& out) {
  in.object("Proxy", [&](BodyReader& inner) {
    inner.text("DestinationServiceName", out.proxy_destination);
    inner.refuse({"DestinationServiceID", "LocalServiceAddress", "LocalServicePort",
                  "LocalServiceSocketPath", "Mode", "TransparentProxy", "Config", "Upstreams",
                  "MeshGateway", "Expose", "EnvoyExtensions", "AccessLogs", "MutualTLSMode"});
  });
}

void read_connect(BodyReader& in) {
  in.object("Connect", [](BodyReader& inner) {
    inner.refuse({"Native", "SidecarService", "PeerMeta"});
  });
}

void read_service_kind(BodyReader& in, model::ServiceInstance& out) {
  in.text("Kind", out.service_kind);
  for (auto* kind : {"", "connect-proxy", "mesh-gateway", "terminating-gateway", "ingress-gateway",
                     "api-gateway"})
    if (out.service_kind == kind)
      return;
  in.fail(fmt::format("Kind: '{}' is no kind of service", out.service_kind));
}

void check_status(BodyReader& in, const std::string& text, model::Health& out) {
  if (text.empty())
    return;
  auto health = model::health_from(text);
  if (!health || *health == model::Health::maintenance)
    return in.fail("Status for checks must 'passing', 'warning', 'critical'");
  out = *health;
}

std::string check_type(const model::CheckDefinition& definition) {
  if (!definition.http.empty())
    return "http";
  if (!definition.tcp.empty())
    return "tcp";
  return definition.ttl.count() > 0 ? "ttl" : "";
}

} // namespace strait::api
