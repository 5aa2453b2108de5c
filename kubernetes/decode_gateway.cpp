#include "kubernetes/decode_kinds.hpp"

#include <tuple>

namespace strait::kubernetes {

namespace {

void decode_certificate(Fields& fields, model::CertificateRef& out) {
  fields.text("group", out.group, rules::api_group);
  fields.text("kind", out.kind, rules::api_kind);
  fields.text("namespace", out.ns, rules::dns_label);
  fields.text("name", out.name, rules::dns_subdomain, Need::required);
}

void decode_tls(Fields& fields, std::optional<model::ListenerTls>& out, bool& mode_given) {
  using Mode = model::ListenerTls::Mode;
  auto& tls = out.emplace();
  mode_given = fields.has("mode");
  fields.choice<Mode, Mode>("mode", tls.mode,
                            {{"Terminate", Mode::terminate}, {"Passthrough", Mode::passthrough}});
  fields.list("certificateRefs", tls.certificates, {0, 64}, decode_certificate);
  fields.map("options", tls.options, rules::qualified_name, rules::any, {0, 16});
  if (tls.mode == Mode::terminate && tls.certificates.empty() && tls.options.empty())
    fields.error("certificateRefs", "required when mode is Terminate");
}

void decode_requirement(Fields& fields, model::LabelSelector::Requirement& out) {
  using Operator = model::LabelSelector::Operator;
  fields.text("key", out.key, rules::qualified_name, Need::required);
  fields.choice<Operator, Operator>("operator", out.op,
                                    {{"In", Operator::in},
                                     {"NotIn", Operator::not_in},
                                     {"Exists", Operator::exists},
                                     {"DoesNotExist", Operator::does_not_exist}},
                                    Need::required);
  fields.texts("values", out.values, rules::label_value, any_count);
  bool takes_values = out.op == Operator::in || out.op == Operator::not_in;
  if (takes_values == out.values.empty())
    fields.error("values", takes_values ? "required for In and NotIn"
                                        : "must not be given for Exists and DoesNotExist");
}

void decode_group_kind(Fields& fields, model::RouteGroupKind& out) {
  fields.text("group", out.group, rules::api_group);
  fields.text("kind", out.kind, rules::api_kind, Need::required);
}

void decode_allowed(Fields& fields, model::AllowedRoutes& out) {
  using From = model::FromNamespaces;
  fields.object("namespaces", [&](Fields& namespaces) {
    namespaces.choice<From, From>("from", out.from,
                                  {{"All", From::all},
                                   {"Selector", From::selector},
                                   {"Same", From::same},
                                   {"None", From::none}});
    bool selected = namespaces.has("selector");
    // Without one, "no selector" (nothing) and "an empty one" (everything) would look the same.
    if (out.from == From::selector && !selected)
      namespaces.error("selector", "required when from is Selector");
    namespaces.object("selector", [&](Fields& selector) {
      selector.map("matchLabels", out.selector.match_labels, rules::qualified_name,
                   rules::label_value);
      selector.list("matchExpressions", out.selector.match_expressions, any_count,
                    decode_requirement);
    });
  });
  fields.list("kinds", out.kinds, {0, 8}, decode_group_kind);
}

void decode_listener(Fields& fields, model::Listener& out) {
  fields.text("name", out.name, rules::dns_subdomain, Need::required);
  fields.text("hostname", out.hostname, rules::listener_hostname);
  fields.integer("port", out.port, port_range, Need::required);
  fields.text("protocol", out.protocol, rules::protocol, Need::required);
  bool mode_given = false;
  fields.object("tls", [&](Fields& tls) { decode_tls(tls, out.tls, mode_given); });
  fields.object("allowedRoutes", [&](Fields& allowed) { decode_allowed(allowed, out.allowed); });

  bool plain = out.protocol == "HTTP" || out.protocol == "TCP" || out.protocol == "UDP";
  if (plain && out.tls)
    fields.error("tls", fmt::format("must not be given for protocol {}", out.protocol));
  if (out.protocol == "HTTPS" && out.tls && out.tls->mode != model::ListenerTls::Mode::terminate)
    fields.error("tls.mode", "must be Terminate for protocol HTTPS");
  if (out.protocol == "TLS" && !mode_given)
    fields.error("tls.mode", "required for protocol TLS");
  if ((out.protocol == "TCP" || out.protocol == "UDP") && !out.hostname.empty())
    fields.error("hostname", fmt::format("must not be given for protocol {}", out.protocol));
}

void decode_address(Fields& fields, model::GatewayAddress& out) {
  fields.text("type", out.type, rules::address_type);
  fields.text("value", out.value, rules::any);
  bool ip = rules::ipv4(out.value).empty() || rules::ipv6(out.value).empty();
  if (out.type == "IPAddress" && !out.value.empty() && !ip)
    fields.error("value", fmt::format("expected an IP address, got \"{}\"", out.value));
  if (out.type == "Hostname" && !out.value.empty() && !rules::hostname(out.value).empty())
    fields.error("value", rules::hostname(out.value));
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
        spec.list("listeners", out.listeners, {1, 64}, decode_listener);
        spec.list("addresses", out.addresses, {0, 16}, decode_address);
        spec.unsupported({"infrastructure", "allowedListeners", "defaultScope"});
        spec.object("tls", [](Fields& tls) { tls.unsupported({"backend", "frontend"}); });

        spec.unique("listeners", out.listeners, "name", [](auto& it) { return it.name; });
        spec.unique("listeners", out.listeners, "(port, protocol, hostname)", [](auto& it) {
          return std::tuple{it.port, it.protocol, it.hostname};
        });
        for (std::size_t i = 0; i < out.addresses.size(); ++i)
          for (std::size_t k = 0; k < i; ++k)
            if (out.addresses[i] == out.addresses[k] && !out.addresses[i].value.empty())
              spec.error(Fields::item_path("addresses", i, "value"), "stands twice in this list");
      },
      Need::required);
}

} // namespace strait::kubernetes
