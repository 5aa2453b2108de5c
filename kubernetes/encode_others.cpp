#include "kubernetes/base64.hpp"
#include "kubernetes/encode_kinds.hpp"

#include <algorithm>

namespace strait::kubernetes {

namespace {

bool is_number(const std::string& text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Whether ConfigMap.data, which is text, can hold it.
bool is_text(const std::string& value) { return invalid_utf8_at(value) == std::string::npos; }

} // namespace

void encode(MapWriter& root, const model::Service& object) {
  MapWriter spec;
  spec.put_unless_empty("clusterIP", object.cluster_ip);
  spec.put_unless_empty("ports", list_of(object.ports, [](auto& port) {
                          MapWriter out;
                          out.put_unless_empty("name", port.name);
                          out.put("port", std::int64_t{port.port});
                          if (is_number(port.target))
                            out.put("targetPort", std::int64_t{std::stol(port.target)});
                          else
                            out.put_unless_empty("targetPort", port.target);
                          out.put("protocol", port.protocol);
                          out.put_unless_empty("appProtocol", port.app_protocol);
                          return out.take();
                        }));
  spec.put_unless_empty("selector", object.selector);
  spec.put_unless_empty("type", object.type);
  root.put("spec", spec.take());
}

void encode(MapWriter& root, const model::EndpointSlice& object) {
  root.put("addressType", object.address_type);
  root.put("endpoints", list_of(object.endpoints, [](auto& endpoint) {
             MapWriter conditions, out;
             conditions.put("ready", endpoint.ready);
             conditions.put("serving", endpoint.serving);
             conditions.put("terminating", endpoint.terminating);
             out.put("addresses", list_of(endpoint.addresses));
             out.put("conditions", conditions.take());
             return out.take();
           }));
  root.put("ports", list_of(object.ports, [](auto& port) {
             MapWriter out;
             out.put_unless_empty("name", port.name);
             if (port.port != 0)
               out.put("port", std::int64_t{port.port});
             out.put("protocol", port.protocol);
             return out.take();
           }));
}

void encode(MapWriter& root, const model::Secret& object) {
  root.put_unless_empty("type", object.type);
  MapWriter data;
  for (auto& [key, value] : object.data)
    data.put(key, to_base64(value));
  root.put_unless_empty("data", data.take());
}

void encode(MapWriter& root, const model::ConfigMap& object) {
  MapWriter text, binary;
  for (auto& [key, value] : object.data) {
    if (is_text(value))
      text.put(key, value);
    else
      binary.put(key, to_base64(value));
  }
  root.put_unless_empty("data", text.take());
  root.put_unless_empty("binaryData", binary.take());
}

void encode(MapWriter&, const model::Namespace&) {}

void encode(MapWriter& root, const model::MeshService& object) {
  MapWriter spec;
  spec.put_unless_empty("name", object.service);
  spec.put_unless_empty("peer", object.peer);
  root.put("spec", spec.take());
}

void encode(MapWriter& root, const model::GatewayClassConfig& object) {
  constexpr const char* backends[] = {"Respond500", "DetachRoute", "KeepLastGood"};
  constexpr const char* reasons[] = {"Upstream", "Consul"};
  constexpr const char* readiness[] = {"Independent", "AllOrNothing"};
  MapWriter spec, policy;
  auto& override_ = object.reference_policy;
  if (override_.invalid_backends)
    policy.put("invalidBackends", backends[static_cast<std::size_t>(*override_.invalid_backends)]);
  if (override_.certificate_ref_reason)
    policy.put("certificateRefReason",
               reasons[static_cast<std::size_t>(*override_.certificate_ref_reason)]);
  if (override_.listener_readiness)
    policy.put("listenerReadiness",
               readiness[static_cast<std::size_t>(*override_.listener_readiness)]);
  spec.put_unless_empty("referencePolicy", policy.take());
  spec.put_unless_empty("serviceType", object.service_type);
  if (object.map_privileged_container_ports != 0)
    spec.put("mapPrivilegedContainerPorts", std::int64_t{object.map_privileged_container_ports});
  spec.put_unless_empty("openshiftSCCName", object.openshift_scc_name);
  root.put("spec", spec.take());
}

void encode(MapWriter& root, const model::ExportedServices& object) {
  MapWriter spec;
  spec.put("services", list_of(object.services, [](auto& entry) {
             MapWriter out;
             out.put("name", entry.service);
             out.put("consumers", list_of(entry.peers, [](auto& peer) {
                       MapWriter consumer;
                       consumer.put("peer", peer);
                       return consumer.take();
                     }));
             return out.take();
           }));
  root.put("spec", spec.take());
}

void encode(MapWriter& root, const model::ServiceIntentions& object) {
  MapWriter spec, destination;
  destination.put("name", object.name);
  spec.put("destination", destination.take());
  spec.put("sources", list_of(object.sources, [](auto& source) {
             MapWriter out;
             out.put("name", source.name);
             out.put_unless_empty("peer", source.peer);
             out.put("action", source.allow ? "allow" : "deny");
             out.put_unless_empty("description", source.description);
             return out.take();
           }));
  root.put("spec", spec.take());
}

} // namespace strait::kubernetes
