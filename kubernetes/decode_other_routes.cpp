#include "kubernetes/decode_kinds.hpp"

namespace strait::kubernetes {

namespace {

void decode_method(Fields& fields, model::GrpcMethodMatch& out) {
  using Type = model::ValueMatchType;
  fields.choice<Type, Type>("type", out.type,
                            {{"Exact", Type::exact}, {"RegularExpression", Type::regex}});
  bool regex = out.type == Type::regex;
  fields.text("service", out.service, regex ? rules::regular_expression : rules::grpc_service);
  fields.text("method", out.method, regex ? rules::regular_expression : rules::grpc_method);
  if (out.service.empty() && out.method.empty())
    fields.error("one or both of service and method must be given");
}

void decode_rule(Fields& fields, model::GrpcRule& out) {
  fields.text("name", out.name, rules::dns_subdomain);
  fields.list("matches", out.matches, {0, 64}, [](Fields& match, model::GrpcMatch& it) {
    match.object("method", [&](Fields& method) { decode_method(method, it.method.emplace()); });
    decode_values(match, "headers", it.headers, rules::header_value);
  });
  decode_filters(fields, out.filters, FilterSet::grpc);
  fields.list("backendRefs", out.backends, {0, 16}, [](Fields& ref, model::BackendRef& it) {
    decode_backend(ref, it);
    decode_filters(ref, it.filters, FilterSet::grpc);
  });
  decode_session(fields, out.session);
}

/// The rule of TCPRoute, TLSRoute and UDPRoute: they have exactly one, with backends only.
void decode_only_rule(Fields& spec, std::vector<model::BackendRef>& out) {
  struct Rule {
    std::vector<model::BackendRef> backends;
  };
  std::vector<Rule> rules;
  spec.list("rules", rules, {1, 1}, [](Fields& fields, Rule& rule) {
    // Its name is a label for policies to point at; there are none for these kinds.
    fields.skip({"name"});
    fields.list("backendRefs", rule.backends, {1, 16}, decode_backend);
  });
  if (!rules.empty())
    out = std::move(rules.front().backends);
}

template <class Route>
void decode_stream_route(Fields& root, Route& out) {
  root.object(
      "spec",
      [&](Fields& spec) {
        decode_parents(spec, out.parents);
        spec.unsupported({"useDefaultGateways"});
        if constexpr (requires { out.hostnames; })
          spec.texts("hostnames", out.hostnames, rules::hostname, {1, 1024});
        decode_only_rule(spec, out.backends);
      },
      Need::required);
}

} // namespace

void decode(Fields& root, model::GrpcRoute& out) {
  root.object("spec", [&](Fields& spec) {
    decode_parents(spec, out.parents);
    spec.texts("hostnames", out.hostnames, rules::hostname, {0, 16});
    spec.list("rules", out.rules, {0, 16}, decode_rule);
    spec.unsupported({"useDefaultGateways"});
    check_match_count(spec, out.rules);
    check_rule_names(spec, out.rules);
  });
}

void decode(Fields& root, model::TcpRoute& out) { decode_stream_route(root, out); }
void decode(Fields& root, model::TlsRoute& out) { decode_stream_route(root, out); }
void decode(Fields& root, model::UdpRoute& out) { decode_stream_route(root, out); }

void decode(Fields& root, model::ReferenceGrant& out) {
  root.object(
      "spec",
      [&](Fields& spec) {
        spec.list("from", out.from, {1, 16}, [](Fields& fields, model::ReferenceGrant::From& it) {
          fields.text("group", it.group, rules::api_group, Need::required);
          fields.text("kind", it.kind, rules::api_kind, Need::required);
          fields.text("namespace", it.ns, rules::dns_label, Need::required);
        });
        spec.list("to", out.to, {1, 16}, [](Fields& fields, model::ReferenceGrant::To& it) {
          fields.text("group", it.group, rules::api_group, Need::required);
          fields.text("kind", it.kind, rules::api_kind, Need::required);
          fields.text("name", it.name, rules::dns_subdomain);
        });
      },
      Need::required);
}

} // namespace strait::kubernetes
