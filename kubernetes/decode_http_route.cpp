#include "kubernetes/decode_kinds.hpp"

namespace strait::kubernetes {

namespace {

void decode_path(Fields& fields, model::PathMatch& out) {
  using Type = model::PathMatchType;
  fields.choice<Type, Type>(
      "type", out.type,
      {{"Exact", Type::exact}, {"PathPrefix", Type::prefix}, {"RegularExpression", Type::regex}});
  fields.text("value", out.value,
              out.type == Type::regex ? rules::regular_expression : rules::literal_path);
}

void decode_match(Fields& fields, model::HttpMatch& out) {
  fields.object("path", [&](Fields& path) { decode_path(path, out.path); });
  decode_values(fields, "headers", out.headers, rules::header_value);
  decode_values(fields, "queryParams", out.query, rules::query_value);
  fields.one_of("method", out.method,
                {"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"});
}

void decode_timeouts(Fields& fields, model::Timeouts& out) {
  fields.duration("request", out.request);
  fields.duration("backendRequest", out.backend_request);
  if (out.request && *out.request != Millis{0} && out.backend_request > out.request)
    fields.error("backendRequest", "must not be longer than request");
}

void decode_retry(Fields& fields, model::Retry& out) {
  fields.integers("codes", out.codes, {400, 599}, {0, 200});
  fields.integer("attempts", out.attempts, {1, INT32_MAX});
  fields.duration("backoff", out.backoff);
}

bool replaces_prefix(const std::vector<model::Filter>& filters) {
  for (auto& filter : filters) {
    auto* redirect = std::get_if<model::RequestRedirect>(&filter);
    auto* rewrite = std::get_if<model::UrlRewrite>(&filter);
    auto* path = redirect && redirect->path ? &*redirect->path
                 : rewrite && rewrite->path ? &*rewrite->path
                                            : nullptr;
    if (path && path->type == model::PathModifier::Type::prefix)
      return true;
  }
  return false;
}

/// What one part of a rule demands of another.
void check_rule(Fields& fields, const model::HttpRule& rule) {
  for (auto& filter : rule.filters)
    if (std::holds_alternative<model::RequestRedirect>(filter) && !rule.backends.empty())
      fields.error("backendRefs", "must not be given beside a RequestRedirect filter");
  bool prefix =
      rule.matches.size() == 1 && rule.matches.front().path.type == model::PathMatchType::prefix;
  constexpr auto needs = "ReplacePrefixMatch needs exactly one match, and that a PathPrefix";
  if (!prefix && replaces_prefix(rule.filters))
    fields.error("filters", needs);
  for (std::size_t i = 0; i < rule.backends.size() && !prefix; ++i)
    if (replaces_prefix(rule.backends[i].filters))
      fields.error(Fields::item_path("backendRefs", i, "filters"), needs);
}

void decode_rule(Fields& fields, model::HttpRule& out) {
  fields.text("name", out.name, rules::dns_subdomain);
  fields.list("matches", out.matches, {0, 64}, decode_match);
  decode_filters(fields, out.filters, FilterSet::http);
  fields.list("backendRefs", out.backends, {0, 16}, [](Fields& ref, model::BackendRef& it) {
    decode_backend(ref, it);
    decode_filters(ref, it.filters, FilterSet::http);
  });
  fields.object("timeouts", [&](Fields& timeouts) { decode_timeouts(timeouts, out.timeouts); });
  fields.object("retry", [&](Fields& retry) { decode_retry(retry, out.retry.emplace()); });
  decode_session(fields, out.session);
  if (out.matches.empty())
    out.matches.emplace_back();
  check_rule(fields, out);
}

} // namespace

void decode(Fields& root, model::HttpRoute& out) {
  root.object("spec", [&](Fields& spec) {
    decode_parents(spec, out.parents);
    spec.texts("hostnames", out.hostnames, rules::hostname, {0, 16});
    if (spec.has("rules"))
      spec.list("rules", out.rules, {1, 16}, decode_rule);
    spec.unsupported({"useDefaultGateways"});

    check_match_count(spec, out.rules);
    check_rule_names(spec, out.rules);
  });
  // The API's default for a route that gives none: everything, to no backend.
  if (out.rules.empty())
    out.rules.emplace_back().matches.emplace_back();
}

} // namespace strait::kubernetes
