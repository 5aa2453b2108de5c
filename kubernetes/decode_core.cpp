#include "kubernetes/decode_kinds.hpp"
#include "net/base64.hpp"

#include <tuple>

namespace strait::kubernetes {

namespace {

/// Of all values of one Secret or ConfigMap together, as Kubernetes has it.
constexpr std::size_t max_data_bytes = 1u << 20;
constexpr Range slice_endpoints{0, 1000}, slice_addresses{1, 100}, slice_ports{0, 20'000};

void decode_binary(Fields& fields, std::string_view key, model::StringMap& out) {
  model::StringMap encoded;
  fields.map(key, encoded, rules::data_key, rules::any);
  for (auto& [name, text] : encoded) {
    auto bytes = net::from_base64(text);
    if (!bytes)
      fields.error(fmt::format("{}.{}", key, name), "expected base64");
    else
      out[name] = std::move(*bytes);
  }
}

void check_size(Fields& fields, const model::StringMap& data) {
  std::size_t bytes = 0;
  for (auto& [key, value] : data)
    bytes += value.size();
  if (bytes > max_data_bytes)
    fields.error(
        "data", fmt::format("at most {} bytes may be given in all, got {}", max_data_bytes, bytes));
}

void decode_service_port(Fields& fields, model::ServicePort& out) {
  fields.text("name", out.name, rules::dns_label);
  fields.integer("port", out.port, port_range, Need::required);
  fields.integer_or_text("targetPort", out.target, port_range, rules::target_port);
  fields.one_of("protocol", out.protocol, {"TCP", "UDP", "SCTP"});
  fields.text("appProtocol", out.app_protocol, rules::qualified_name);
  fields.skip({"nodePort"});
}

} // namespace

/// Where a load balancer lets clients in.
void decode_ingress(Fields& status, std::vector<std::string>& out) {
  status.object("loadBalancer", [&](Fields& balancer) {
    struct Ingress {
      std::string ip, hostname;
    };
    std::vector<Ingress> all;
    balancer.list("ingress", all, any_count, [](Fields& fields, Ingress& it) {
      fields.text("ip", it.ip, rules::any);
      fields.text("hostname", it.hostname, rules::any);
      fields.skip({"ipMode", "ports"});
    });
    for (auto& it : all)
      if (!it.ip.empty() || !it.hostname.empty())
        out.push_back(it.ip.empty() ? it.hostname : it.ip);
  });
  status.skip({"conditions"});
}

void decode(Fields& root, model::Service& out) {
  root.object("status", [&](Fields& status) { decode_ingress(status, out.ingress); });
  root.object("spec", [&](Fields& spec) {
    spec.list("ports", out.ports, any_count, decode_service_port);
    spec.map("selector", out.selector, rules::qualified_name, rules::label_value);
    spec.text("clusterIP", out.cluster_ip, rules::any);
    spec.one_of("type", out.type, {"ClusterIP", "NodePort", "LoadBalancer", "ExternalName"});
    // How traffic that does not come through a gateway reaches the Service.
    spec.skip({"clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy",
               "externalTrafficPolicy", "sessionAffinity", "sessionAffinityConfig", "externalIPs",
               "externalName", "loadBalancerIP", "loadBalancerClass", "loadBalancerSourceRanges",
               "allocateLoadBalancerNodePorts", "healthCheckNodePort", "publishNotReadyAddresses",
               "trafficDistribution"});
    spec.unique("ports", out.ports, "name", [](auto& it) { return it.name; });
    spec.unique("ports", out.ports, "(port, protocol)", [](auto& it) {
      return std::tuple{it.port, it.protocol};
    });
  });
}

void decode(Fields& root, model::EndpointSlice& out) {
  root.one_of("addressType", out.address_type, {"IPv4", "IPv6", "FQDN"}, Need::required);
  auto address = out.address_type == "IPv4"   ? rules::ipv4
                 : out.address_type == "IPv6" ? rules::ipv6
                                              : rules::dns_subdomain;
  root.list(
      "endpoints", out.endpoints, slice_endpoints,
      [&](Fields& fields, model::EndpointSlice::Endpoint& it) {
        fields.texts("addresses", it.addresses, address, slice_addresses);
        fields.object("conditions", [&](Fields& conditions) {
          conditions.flag("ready", it.ready);
          it.serving = it.ready; // discovery/v1: without a word of its own, as ready.
          conditions.flag("serving", it.serving);
          conditions.flag("terminating", it.terminating);
        });
        // Where the endpoint runs: not yet used for choosing among endpoints.
        fields.skip({"hostname", "nodeName", "zone", "hints", "targetRef", "deprecatedTopology"});
      });
  root.list("ports", out.ports, slice_ports, [](Fields& fields, model::EndpointSlice::Port& it) {
    fields.text("name", it.name, rules::any);
    fields.integer("port", it.port, port_range);
    fields.one_of("protocol", it.protocol, {"TCP", "UDP", "SCTP"});
    fields.skip({"appProtocol"});
  });
}

void decode(Fields& root, model::Secret& out) {
  root.text("type", out.type, rules::any);
  decode_binary(root, "data", out.data);
  model::StringMap plain;
  root.map("stringData", plain, rules::data_key, rules::any);
  for (auto& [key, value] : plain)
    out.data[key] = value; // stringData wins, as in Kubernetes.
  root.skip({"immutable"});
  check_size(root, out.data);
}

void decode(Fields& root, model::ConfigMap& out) {
  root.map("data", out.data, rules::data_key, rules::any);
  model::StringMap binary;
  decode_binary(root, "binaryData", binary);
  for (auto& [key, value] : binary)
    if (!out.data.emplace(key, value).second)
      root.error("binaryData." + key, "this key is in data too");
  root.skip({"immutable"});
  check_size(root, out.data);
}

void decode(Fields& root, model::Namespace&) {
  root.object("spec", [](Fields& spec) { spec.skip({"finalizers"}); });
}

void decode(Fields& root, model::Pod& out) {
  root.skip({"spec"});
  root.object("status", [&](Fields& status) {
    status.one_of("phase", out.phase, {"Pending", "Running", "Succeeded", "Failed", "Unknown"});
    status.text("podIP", out.ip, rules::any);
    status.text("hostIP", out.host_ip, rules::any);
    status.skip_others();
  });
}

} // namespace strait::kubernetes
