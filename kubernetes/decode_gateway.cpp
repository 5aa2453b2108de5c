#include "kubernetes/decode_kinds.hpp"

namespace strait::kubernetes {

namespace {

void decode_address(Fields& fields, model::GatewayAddress& out) {
  fields.text("type", out.type, rules::address_type);
  fields.text("value", out.value, rules::any);
  bool ip = rules::ipv4(out.value).empty() || rules::ipv6(out.value).empty();
  if (out.type == "IPAddress" && !out.value.empty() && !ip)
    fields.error("value", fmt::format("expected an IP address, got \"{}\"", out.value));
  if (out.type == "Hostname" && !out.value.empty() && !rules::hostname(out.value).empty())
    fields.error("value", rules::hostname(out.value));
}

void decode_validation(Fields& tls, std::optional<model::ClientValidation>& out) {
  tls.object("validation", [&](Fields& fields) {
    auto& validation = out.emplace();
    fields.list("caCertificateRefs", validation.ca_refs, {1, 16},
                [](Fields& ref, model::ClientValidation::CaRef& it) {
                  ref.text("group", it.group, rules::api_group, Need::required);
                  ref.text("kind", it.kind, rules::api_kind, Need::required);
                  ref.text("namespace", it.ns, rules::dns_label);
                  ref.text("name", it.name, rules::dns_subdomain, Need::required);
                });
    fields.choice<bool, bool>("mode", validation.insecure_fallback,
                              {{"AllowValidOnly", false}, {"AllowInsecureFallback", true}});
  });
}

void decode_frontend(Fields& frontend, model::GatewayTls& out) {
  struct Port {
    std::uint16_t port = 0;
    std::optional<model::ClientValidation> validation;
  };
  frontend.object(
      "default", [&](Fields& tls) { decode_validation(tls, out.frontend); }, Need::required);
  std::vector<Port> ports;
  frontend.list("perPort", ports, {0, 64}, [](Fields& fields, Port& it) {
    fields.integer("port", it.port, port_range, Need::required);
    fields.object(
        "tls", [&](Fields& tls) { decode_validation(tls, it.validation); }, Need::required);
  });
  frontend.unique("perPort", ports, "port", [](auto& it) { return it.port; });
  for (auto& it : ports)
    out.frontend_per_port[it.port] = std::move(it.validation);
}

void decode_gateway_tls(Fields& tls, model::GatewayTls& out) {
  tls.object("backend", [&](Fields& backend) {
    backend.object("clientCertificateRef", [&](Fields& ref) {
      decode_certificate(ref, out.backend_client_certificate.emplace());
    });
  });
  tls.object("frontend", [&](Fields& frontend) { decode_frontend(frontend, out); });
}

void decode_infrastructure(Fields& fields, model::Infrastructure& out) {
  fields.map("labels", out.labels, rules::qualified_name, rules::label_value, {0, 8});
  fields.map("annotations", out.annotations, rules::qualified_name, rules::any, {0, 16});
  fields.object("parametersRef", [&](Fields& ref) {
    auto& parameters = out.parameters.emplace();
    ref.text("group", parameters.group, rules::api_group, Need::required);
    ref.text("kind", parameters.kind, rules::api_kind, Need::required);
    ref.text("name", parameters.name, rules::dns_subdomain, Need::required);
  });
}

} // namespace

void decode(Fields& root, model::GatewayClass& out) {
  root.object(
      "spec",
      [&](Fields& spec) {
        spec.text("controllerName", out.controller_name, rules::controller_name, Need::required);
        spec.text("description", out.description, rules::short_description);
        spec.object("parametersRef", [&](Fields& ref) {
          auto& parameters = out.parameters.emplace();
          ref.text("group", parameters.group, rules::api_group, Need::required);
          ref.text("kind", parameters.kind, rules::api_kind, Need::required);
          ref.text("name", parameters.name, rules::dns_subdomain, Need::required);
          ref.text("namespace", parameters.ns, rules::dns_label);
        });
      },
      Need::required);
}

void decode(Fields& root, model::Gateway& out) {
  root.object(
      "spec",
      [&](Fields& spec) {
        spec.text("gatewayClassName", out.class_name, rules::dns_subdomain, Need::required);
        decode_listeners(spec, out.listeners);
        spec.list("addresses", out.addresses, {0, 16}, decode_address);
        spec.object("infrastructure", [&](Fields& infrastructure) {
          decode_infrastructure(infrastructure, out.infrastructure);
        });
        spec.object("allowedListeners", [&](Fields& allowed) {
          decode_namespaces(allowed, out.listener_sets, out.listener_sets_selector);
        });
        spec.object("tls", [&](Fields& tls) { decode_gateway_tls(tls, out.tls); });
        spec.unsupported({"defaultScope"});

        for (std::size_t i = 0; i < out.addresses.size(); ++i)
          for (std::size_t k = 0; k < i; ++k)
            if (out.addresses[i] == out.addresses[k] && !out.addresses[i].value.empty())
              spec.error(Fields::item_path("addresses", i, "value"), "stands twice in this list");
      },
      Need::required);
}

} // namespace strait::kubernetes
