#include "kubernetes/decode_kinds.hpp"

namespace strait::kubernetes {

namespace {

/// Over all rules of one route (Gateway API, HTTPRoute validation).
constexpr std::size_t max_matches_per_route = 128;

void decode_path(Fields& fields, model::PathMatch& out) {
  using Type = model::PathMatchType;
  fields.choice<Type, Type>(
      "type", out.type,
      {{"Exact", Type::exact}, {"PathPrefix", Type::prefix}, {"RegularExpression", Type::regex}});
  fields.text("value", out.value,
              out.type == Type::regex ? rules::regular_expression : rules::literal_path);
}

void decode_value_type(Fields& fields, model::ValueMatch& out) {
  using Type = model::ValueMatchType;
  fields.choice<Type, Type>("type", out.type,
                            {{"Exact", Type::exact}, {"RegularExpression", Type::regex}});
  fields.text("name", out.name, rules::header_name, Need::required);
}

void decode_match(Fields& fields, model::HttpMatch& out) {
  using Type = model::ValueMatchType;
  fields.object("path", [&](Fields& path) { decode_path(path, out.path); });
  fields.list("headers", out.headers, {0, 16}, [](Fields& header, model::ValueMatch& it) {
    decode_value_type(header, it);
    header.text("value", it.value,
                it.type == Type::regex ? rules::regular_expression : rules::header_value,
                Need::required);
  });
  fields.list("queryParams", out.query, {0, 16}, [](Fields& parameter, model::ValueMatch& it) {
    decode_value_type(parameter, it);
    parameter.text("value", it.value,
                   it.type == Type::regex ? rules::regular_expression : rules::query_value,
                   Need::required);
  });
  fields.one_of("method", out.method,
                {"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"});
  fields.unique("headers", out.headers, "name", [](auto& it) { return it.name; });
  fields.unique("queryParams", out.query, "name", [](auto& it) { return it.name; });
}

void decode_rule(Fields& fields, model::HttpRule& out) {
  fields.text("name", out.name, rules::dns_subdomain);
  fields.list("matches", out.matches, {0, 64}, decode_match);
  decode_filters(fields, out.filters);
  fields.list("backendRefs", out.backends, {0, 16}, [](Fields& ref, model::BackendRef& it) {
    decode_backend(ref, it);
    decode_filters(ref, it.filters);
  });
  fields.unsupported({"timeouts", "retry", "sessionPersistence"});
  for (auto& filter : out.filters)
    if (filter == model::Filter{model::UnsupportedFilter{"RequestRedirect"}} &&
        !out.backends.empty())
      fields.error("backendRefs", "must not be given beside a RequestRedirect filter");
  if (out.matches.empty())
    out.matches.emplace_back();
}

} // namespace

void decode(Fields& root, model::HttpRoute& out) {
  root.object("spec", [&](Fields& spec) {
    decode_parents(spec, out.parents);
    spec.texts("hostnames", out.hostnames, rules::hostname, {0, 16});
    if (spec.has("rules"))
      spec.list("rules", out.rules, {1, 16}, decode_rule);
    spec.unsupported({"useDefaultGateways"});

    std::size_t matches = 0;
    for (auto& rule : out.rules)
      matches += rule.matches.size();
    if (matches > max_matches_per_route)
      spec.error("rules", fmt::format("at most {} matches may be given in all, got {}",
                                      max_matches_per_route, matches));
    for (std::size_t i = 0; i < out.rules.size(); ++i)
      for (std::size_t k = 0; k < i; ++k)
        if (!out.rules[i].name.empty() && out.rules[i].name == out.rules[k].name)
          spec.error(Fields::item_path("rules", i, "name"), "stands twice in this list");
  });
  // The API's default for a route that gives none: everything, to no backend.
  if (out.rules.empty())
    out.rules.emplace_back().matches.emplace_back();
}

void decode(Fields& root, model::TcpRoute& out) {
  struct Rule {
    std::vector<model::BackendRef> backends;
  };
  root.object(
      "spec",
      [&](Fields& spec) {
        decode_parents(spec, out.parents);
        spec.unsupported({"useDefaultGateways"});
        std::vector<Rule> rules;
        spec.list("rules", rules, {1, 1}, [](Fields& fields, Rule& rule) {
          // Its name is a label for policies to point at; there are none for TCP.
          fields.skip({"name"});
          fields.list("backendRefs", rule.backends, {1, 16}, decode_backend);
        });
        if (!rules.empty())
          out.backends = std::move(rules.front().backends);
      },
      Need::required);
}

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
