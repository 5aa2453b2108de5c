#include "kubernetes/decode_kinds.hpp"

#include <tuple>

namespace strait::kubernetes {

namespace {

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

void decode_listener(Fields& fields, model::Listener& out) {
  fields.text("name", out.name, rules::dns_subdomain, Need::required);
  fields.text("hostname", out.hostname, rules::listener_hostname);
  fields.integer("port", out.port, port_range, Need::required);
  fields.text("protocol", out.protocol, rules::protocol, Need::required);
  bool mode_given = false;
  fields.object("tls", [&](Fields& tls) { decode_tls(tls, out.tls, mode_given); });
  fields.object("allowedRoutes", [&](Fields& allowed) {
    decode_namespaces(allowed, out.allowed.from, out.allowed.selector);
    allowed.list("kinds", out.allowed.kinds, {0, 8}, decode_group_kind);
  });

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

} // namespace

void decode_certificate(Fields& fields, model::CertificateRef& out) {
  fields.text("group", out.group, rules::api_group);
  fields.text("kind", out.kind, rules::api_kind);
  fields.text("namespace", out.ns, rules::dns_label);
  fields.text("name", out.name, rules::dns_subdomain, Need::required);
}

void decode_namespaces(Fields& owner, model::FromNamespaces& from, model::LabelSelector& selector) {
  using From = model::FromNamespaces;
  owner.object("namespaces", [&](Fields& namespaces) {
    namespaces.choice<From, From>("from", from,
                                  {{"All", From::all},
                                   {"Selector", From::selector},
                                   {"Same", From::same},
                                   {"None", From::none}});
    bool selected = namespaces.has("selector");
    // Without one, "no selector" (nothing) and "an empty one" (everything) would look the same.
    if (from == From::selector && !selected)
      namespaces.error("selector", "required when from is Selector");
    namespaces.object("selector", [&](Fields& labels) {
      labels.map("matchLabels", selector.match_labels, rules::qualified_name, rules::label_value);
      labels.list("matchExpressions", selector.match_expressions, any_count, decode_requirement);
    });
  });
}

void decode_listeners(Fields& spec, std::vector<model::Listener>& out) {
  spec.list("listeners", out, {1, 64}, decode_listener);
  spec.unique("listeners", out, "name", [](auto& it) { return it.name; });
  spec.unique("listeners", out, "(port, protocol, hostname)", [](auto& it) {
    return std::tuple{it.port, it.protocol, it.hostname};
  });
}

void decode(Fields& root, model::ListenerSet& out) {
  root.object(
      "spec",
      [&](Fields& spec) {
        spec.object(
            "parentRef",
            [&](Fields& ref) {
              ref.text("group", out.parent.group, rules::api_group);
              ref.text("kind", out.parent.kind, rules::api_kind);
              ref.text("namespace", out.parent.ns, rules::dns_label);
              ref.text("name", out.parent.name, rules::dns_subdomain, Need::required);
            },
            Need::required);
        decode_listeners(spec, out.listeners);
      },
      Need::required);
}

} // namespace strait::kubernetes
