#include "kubernetes/encode_kinds.hpp"
#include "net/base64.hpp"

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
    data.put(key, net::to_base64(value));
  root.put_unless_empty("data", data.take());
}

void encode(MapWriter& root, const model::ConfigMap& object) {
  MapWriter text, binary;
  for (auto& [key, value] : object.data) {
    if (is_text(value))
      text.put(key, value);
    else
      binary.put(key, net::to_base64(value));
  }
  root.put_unless_empty("data", text.take());
  root.put_unless_empty("binaryData", binary.take());
}

void encode(MapWriter&, const model::Namespace&) {}

void encode(MapWriter& root, const model::Pod& object) {
  MapWriter status;
  status.put_unless_empty("phase", object.phase);
  status.put_unless_empty("hostIP", object.host_ip);
  status.put_unless_empty("podIP", object.ip);
  root.put_unless_empty("status", status.take());
}

} // namespace strait::kubernetes
