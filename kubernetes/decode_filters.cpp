#include "kubernetes/decode_kinds.hpp"

#include <algorithm>
#include <map>

namespace strait::kubernetes {

namespace {

/// A fraction's parts are int32 in the API.
constexpr Range positive{1, INT32_MAX};

void decode_headers(Fields& fields, model::HeaderModifier& out) {
  auto header = [](Fields& entry, model::Header& it) {
    entry.text("name", it.name, rules::header_name, Need::required);
    entry.text("value", it.value, rules::header_value, Need::required);
  };
  fields.list("set", out.set, {0, 16}, header);
  fields.list("add", out.add, {0, 16}, header);
  fields.texts("remove", out.remove, rules::header_name, {0, 16});
  fields.unique("set", out.set, "name", [](auto& it) { return it.name; });
  fields.unique("add", out.add, "name", [](auto& it) { return it.name; });
  fields.unique("remove", out.remove, "", [](auto& it) { return it; });
}
void read(Fields& fields, model::RequestHeaderModifier& out) {
  decode_headers(fields, out.headers);
}
void read(Fields& fields, model::ResponseHeaderModifier& out) {
  decode_headers(fields, out.headers);
}

void decode_target(Fields& ref, model::BackendTarget& out) {
  ref.text("group", out.group, rules::api_group);
  ref.text("kind", out.kind, rules::api_kind);
  ref.text("namespace", out.ns, rules::dns_label);
  ref.text("name", out.name, rules::dns_subdomain, Need::required);
  ref.integer("port", out.port, port_range);
  if (out.group.empty() && out.kind == "Service" && !out.port)
    ref.error("port", "required for a Service");
}

void read(Fields& fields, model::RequestMirror& out) {
  fields.object(
      "backendRef", [&](Fields& ref) { decode_target(ref, out.backend); }, Need::required);
  fields.integer("percent", out.numerator, {0, 100});
  if (fields.has("percent") && fields.has("fraction"))
    fields.error("fraction", "must not be given beside percent");
  fields.object("fraction", [&](Fields& fraction) {
    out.numerator = 0;
    fraction.integer("numerator", out.numerator, {0, INT32_MAX}, Need::required);
    fraction.integer("denominator", out.denominator, positive);
    if (out.numerator > out.denominator)
      fraction.error("numerator", "must not be more than the denominator");
  });
}

void decode_path_modifier(Fields& fields, std::optional<model::PathModifier>& out) {
  using Type = model::PathModifier::Type;
  fields.object("path", [&](Fields& path) {
    auto& modifier = out.emplace();
    path.choice<Type, Type>("type", modifier.type,
                            {{"ReplaceFullPath", Type::full}, {"ReplacePrefixMatch", Type::prefix}},
                            Need::required);
    bool full = modifier.type == Type::full;
    auto field = full ? "replaceFullPath" : "replacePrefixMatch";
    auto other = full ? "replacePrefixMatch" : "replaceFullPath";
    path.text(field, modifier.value, rules::path_replacement, Need::required);
    path.refuse(other, fmt::format("must not be given when type is {}",
                                   full ? "ReplaceFullPath" : "ReplacePrefixMatch"));
  });
}

void read(Fields& fields, model::RequestRedirect& out) {
  fields.one_of("scheme", out.scheme, {"http", "https"});
  fields.text("hostname", out.hostname, rules::precise_hostname);
  decode_path_modifier(fields, out.path);
  fields.integer("port", out.port, port_range);
  fields.integer("statusCode", out.status, {300, 399});
  constexpr std::uint16_t statuses[] = {301, 302, 303, 307, 308};
  if (std::find(std::begin(statuses), std::end(statuses), out.status) == std::end(statuses))
    fields.error("statusCode",
                 fmt::format("expected 301, 302, 303, 307 or 308, got {}", out.status));
}

void read(Fields& fields, model::UrlRewrite& out) {
  fields.text("hostname", out.hostname, rules::precise_hostname);
  decode_path_modifier(fields, out.path);
}

std::string method_or_star(std::string_view text) {
  for (auto method :
       {"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "*"})
    if (text == method)
      return {};
  return "expected an HTTP method or \"*\"";
}

/// Each stands once, and "*" alone.
void check_star(Fields& fields, std::string_view key, const std::vector<std::string>& all) {
  if (all.size() > 1 && std::find(all.begin(), all.end(), "*") != all.end())
    fields.error(key, "\"*\" must stand alone");
  fields.unique(key, all, "", [](auto& it) { return it; });
}

void read(Fields& fields, model::Cors& out) {
  fields.texts("allowOrigins", out.allow_origins, rules::cors_origin, {0, 64});
  fields.flag("allowCredentials", out.allow_credentials);
  fields.texts("allowMethods", out.allow_methods, method_or_star, {0, 9});
  fields.texts("allowHeaders", out.allow_headers, rules::header_name, {0, 64});
  fields.texts("exposeHeaders", out.expose_headers, rules::header_name, {0, 64});
  fields.integer("maxAge", out.max_age, positive);
  check_star(fields, "allowOrigins", out.allow_origins);
  check_star(fields, "allowMethods", out.allow_methods);
  check_star(fields, "allowHeaders", out.allow_headers);
  fields.unique("exposeHeaders", out.expose_headers, "", [](auto& it) { return it; });
}

void read(Fields& fields, model::ExternalAuth& out) {
  using Protocol = model::ExternalAuth::Protocol;
  fields.choice<Protocol, Protocol>("protocol", out.protocol,
                                    {{"HTTP", Protocol::http}, {"GRPC", Protocol::grpc}},
                                    Need::required);
  fields.object(
      "backendRef", [&](Fields& ref) { decode_target(ref, out.backend); }, Need::required);
  bool http = out.protocol == Protocol::http;
  fields.object(
      http ? "http" : "grpc",
      [&](Fields& protocol) {
        protocol.texts("allowedHeaders", out.allowed_headers, rules::header_name, {0, 64});
        if (!http)
          return;
        protocol.text("path", out.path, rules::authorizer_path);
        protocol.texts("allowedResponseHeaders", out.allowed_response_headers, rules::header_name,
                       {0, 64});
      },
      Need::required);
  fields.refuse(http ? "grpc" : "http",
                fmt::format("must not be given when protocol is {}", http ? "HTTP" : "GRPC"));
  fields.object("forwardBody", [&](Fields& body) {
    body.integer("maxSize", out.forward_body, {0, UINT16_MAX}, Need::required);
  });
}

void read(Fields& fields, model::ExtensionRef& out) {
  fields.text("group", out.group, rules::api_group, Need::required);
  fields.text("kind", out.kind, rules::api_kind, Need::required);
  fields.text("name", out.name, rules::dns_subdomain, Need::required);
}

template <class T>
void read_as(Fields& fields, std::string_view field, model::Filter& out) {
  auto& filter = out.emplace<T>();
  fields.object(field, [&](Fields& inner) { read(inner, filter); });
}

struct FilterRow {
  std::string_view type, field;
  bool once, grpc;
  void (*read)(Fields& fields, std::string_view field, model::Filter& out);
};
constexpr FilterRow filter_rows[] = {
    {"RequestHeaderModifier", "requestHeaderModifier", true, true,
     read_as<model::RequestHeaderModifier>},
    {"ResponseHeaderModifier", "responseHeaderModifier", true, true,
     read_as<model::ResponseHeaderModifier>},
    {"RequestMirror", "requestMirror", false, true, read_as<model::RequestMirror>},
    {"RequestRedirect", "requestRedirect", true, false, read_as<model::RequestRedirect>},
    {"URLRewrite", "urlRewrite", true, false, read_as<model::UrlRewrite>},
    {"CORS", "cors", true, false, read_as<model::Cors>},
    {"ExternalAuth", "externalAuth", false, false, read_as<model::ExternalAuth>},
    {"ExtensionRef", "extensionRef", false, true, read_as<model::ExtensionRef>},
};

/// Its type; empty when that is not one of the set.
std::string decode_filter(Fields& fields, model::Filter& out, FilterSet set) {
  std::vector<std::string_view> types;
  for (auto& row : filter_rows)
    if (set == FilterSet::http || row.grpc)
      types.push_back(row.type);
  std::string type;
  fields.one_of("type", type, types, Need::required);
  for (auto& row : filter_rows) {
    if (set == FilterSet::grpc && !row.grpc)
      continue;
    bool given = fields.has(row.field);
    if (type.empty() || given == (row.type == type))
      continue;
    fields.error(row.field, given ? fmt::format("must not be given for a {} filter", type)
                                  : fmt::format("required for a {} filter", type));
  }
  for (auto& row : filter_rows)
    if (row.type == type)
      row.read(fields, row.field, out);
  return type;
}

} // namespace

void decode_filters(Fields& owner, std::vector<model::Filter>& out, FilterSet set) {
  std::map<std::string, std::size_t, std::less<>> count;
  owner.list("filters", out, {0, 16},
             [&](Fields& fields, model::Filter& it) { ++count[decode_filter(fields, it, set)]; });
  for (auto& row : filter_rows)
    if (auto it = count.find(row.type); row.once && it != count.end() && it->second > 1)
      owner.error("filters", fmt::format("a {} filter may be given only once", row.type));
  if (count.contains("RequestRedirect") && count.contains("URLRewrite"))
    owner.error("filters", "RequestRedirect and URLRewrite must not be given together");
}

} // namespace strait::kubernetes
