#include "kubernetes/encode_kinds.hpp"

namespace strait::kubernetes {

namespace {

Node encode_certificate(const model::CertificateRef& ref) {
  MapWriter out;
  out.put("group", ref.group);
  out.put("kind", ref.kind);
  out.put_unless_empty("namespace", ref.ns);
  out.put("name", ref.name);
  return out.take();
}

Node encode_selector(const model::LabelSelector& selector) {
  constexpr const char* names[] = {"In", "NotIn", "Exists", "DoesNotExist"};
  MapWriter out;
  out.put_unless_empty("matchLabels", selector.match_labels);
  out.put_unless_empty("matchExpressions", list_of(selector.match_expressions, [&](auto& need) {
                         MapWriter one;
                         one.put("key", need.key);
                         one.put("operator", names[static_cast<std::size_t>(need.op)]);
                         one.put_unless_empty("values", list_of(need.values));
                         return one.take();
                       }));
  return out.take();
}

Node encode_allowed(const model::AllowedRoutes& allowed) {
  constexpr const char* names[] = {"Same", "All", "Selector", "None"};
  MapWriter namespaces, out;
  namespaces.put("from", names[static_cast<std::size_t>(allowed.from)]);
  if (allowed.from == model::FromNamespaces::selector)
    namespaces.put("selector", encode_selector(allowed.selector));
  else
    namespaces.put_unless_empty("selector", encode_selector(allowed.selector));
  out.put("namespaces", namespaces.take());
  out.put_unless_empty("kinds", list_of(allowed.kinds, encode_group_kind));
  return out.take();
}

Node encode_listener(const model::Listener& listener) {
  MapWriter out;
  out.put("name", listener.name);
  out.put_unless_empty("hostname", listener.hostname);
  out.put("port", std::int64_t{listener.port});
  out.put("protocol", listener.protocol);
  if (listener.tls) {
    MapWriter tls;
    bool ends = listener.tls->mode == model::ListenerTls::Mode::terminate;
    tls.put("mode", ends ? "Terminate" : "Passthrough");
    tls.put_unless_empty("certificateRefs",
                         list_of(listener.tls->certificates, encode_certificate));
    tls.put_unless_empty("options", listener.tls->options);
    out.put("tls", tls.take());
  }
  out.put("allowedRoutes", encode_allowed(listener.allowed));
  return out.take();
}

} // namespace

Node encode_group_kind(const model::RouteGroupKind& kind) {
  MapWriter out;
  out.put("group", kind.group);
  out.put("kind", kind.kind);
  return out.take();
}

void encode(MapWriter& root, const model::GatewayClass& object) {
  MapWriter spec;
  spec.put("controllerName", object.controller_name);
  spec.put_unless_empty("description", object.description);
  if (auto& ref = object.parameters) {
    MapWriter parameters;
    parameters.put("group", ref->group);
    parameters.put("kind", ref->kind);
    parameters.put("name", ref->name);
    parameters.put_unless_empty("namespace", ref->ns);
    spec.put("parametersRef", parameters.take());
  }
  root.put("spec", spec.take());
}

void encode(MapWriter& root, const model::Gateway& object) {
  MapWriter spec;
  spec.put("gatewayClassName", object.class_name);
  spec.put_unless_empty("addresses", list_of(object.addresses, [](auto& address) {
                          MapWriter one;
                          one.put("type", address.type);
                          one.put_unless_empty("value", address.value);
                          return one.take();
                        }));
  spec.put("listeners", list_of(object.listeners, encode_listener));
  root.put("spec", spec.take());
}

} // namespace strait::kubernetes
