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

Node encode_namespaces(model::FromNamespaces from, const model::LabelSelector& selector) {
  constexpr const char* names[] = {"Same", "All", "Selector", "None"};
  MapWriter out;
  out.put("from", names[static_cast<std::size_t>(from)]);
  if (from == model::FromNamespaces::selector)
    out.put("selector", encode_selector(selector));
  else
    out.put_unless_empty("selector", encode_selector(selector));
  return out.take();
}

Node encode_allowed(const model::AllowedRoutes& allowed) {
  MapWriter out;
  out.put("namespaces", encode_namespaces(allowed.from, allowed.selector));
  out.put_unless_empty("kinds", list_of(allowed.kinds, encode_group_kind));
  return out.take();
}

/// TLSConfig: {} without a validation.
Node encode_client_validation(const std::optional<model::ClientValidation>& validation) {
  MapWriter out;
  if (validation) {
    MapWriter one;
    one.put("caCertificateRefs", list_of(validation->ca_refs, [](auto& ref) {
              MapWriter ca;
              ca.put("group", ref.group);
              ca.put("kind", ref.kind);
              ca.put_unless_empty("namespace", ref.ns);
              ca.put("name", ref.name);
              return ca.take();
            }));
    one.put("mode", validation->insecure_fallback ? "AllowInsecureFallback" : "AllowValidOnly");
    out.put("validation", one.take());
  }
  return out.take();
}

Node encode_gateway_tls(const model::GatewayTls& tls) {
  MapWriter out;
  if (tls.backend_client_certificate) {
    MapWriter backend;
    backend.put("clientCertificateRef", encode_certificate(*tls.backend_client_certificate));
    out.put("backend", backend.take());
  }
  if (tls.frontend || !tls.frontend_per_port.empty()) {
    MapWriter frontend;
    frontend.put("default", encode_client_validation(tls.frontend));
    Node::List ports;
    for (auto& [port, validation] : tls.frontend_per_port) {
      MapWriter one;
      one.put("port", std::int64_t{port});
      one.put("tls", encode_client_validation(validation));
      ports.push_back(one.take());
    }
    frontend.put_unless_empty("perPort", Node{std::move(ports), {}});
    out.put("frontend", frontend.take());
  }
  return out.take();
}

Node encode_infrastructure(const model::Infrastructure& infrastructure) {
  MapWriter out;
  out.put_unless_empty("labels", infrastructure.labels);
  out.put_unless_empty("annotations", infrastructure.annotations);
  if (auto& ref = infrastructure.parameters) {
    MapWriter parameters;
    parameters.put("group", ref->group);
    parameters.put("kind", ref->kind);
    parameters.put("name", ref->name);
    out.put("parametersRef", parameters.take());
  }
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
  spec.put_unless_empty("infrastructure", encode_infrastructure(object.infrastructure));
  bool none = object.listener_sets == model::FromNamespaces::none;
  if (!none || object.listener_sets_selector != model::LabelSelector{}) {
    MapWriter allowed;
    allowed.put("namespaces",
                encode_namespaces(object.listener_sets, object.listener_sets_selector));
    spec.put("allowedListeners", allowed.take());
  }
  spec.put_unless_empty("tls", encode_gateway_tls(object.tls));
  spec.put("listeners", list_of(object.listeners, encode_listener));
  root.put("spec", spec.take());
}

void encode(MapWriter& root, const model::ListenerSet& object) {
  MapWriter spec, parent;
  parent.put("group", object.parent.group);
  parent.put("kind", object.parent.kind);
  parent.put_unless_empty("namespace", object.parent.ns);
  parent.put("name", object.parent.name);
  spec.put("parentRef", parent.take());
  spec.put("listeners", list_of(object.listeners, encode_listener));
  root.put("spec", spec.take());
}

} // namespace strait::kubernetes
