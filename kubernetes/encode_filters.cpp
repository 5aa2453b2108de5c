#include "base/overload.hpp"
#include "kubernetes/encode_kinds.hpp"

namespace strait::kubernetes {

namespace {

Node encode_headers(const std::vector<model::Header>& headers) {
  return list_of(headers, [](auto& header) {
    MapWriter out;
    out.put("name", header.name);
    out.put("value", header.value);
    return out.take();
  });
}

Node encode_modifier(const model::HeaderModifier& headers) {
  MapWriter out;
  out.put_unless_empty("set", encode_headers(headers.set));
  out.put_unless_empty("add", encode_headers(headers.add));
  out.put_unless_empty("remove", list_of(headers.remove));
  return out.take();
}

/// "RequestMirror" has its settings in "requestMirror", "URLRewrite" in "urlRewrite".
std::string settings_field(const std::string& type) {
  std::size_t capitals = 0;
  auto is_capital = [&](std::size_t i) { return type[i] >= 'A' && type[i] <= 'Z'; };
  while (capitals < type.size() && is_capital(capitals))
    ++capitals;
  auto lower = capitals <= 1 || capitals == type.size() ? capitals : capitals - 1;
  auto field = type;
  for (std::size_t i = 0; i < lower; ++i)
    field[i] = static_cast<char>(field[i] - 'A' + 'a');
  return field;
}

Node encode_target(const model::BackendTarget& target) {
  MapWriter out;
  out.put("group", target.group);
  out.put("kind", target.kind);
  out.put_unless_empty("namespace", target.ns);
  out.put("name", target.name);
  out.put_if("port", target.port);
  return out.take();
}

void put_path(MapWriter& out, const std::optional<model::PathModifier>& path) {
  if (!path)
    return;
  MapWriter one;
  bool full = path->type == model::PathModifier::Type::full;
  one.put("type", full ? "ReplaceFullPath" : "ReplacePrefixMatch");
  one.put(full ? "replaceFullPath" : "replacePrefixMatch", path->value);
  out.put("path", one.take());
}

Node settings(const model::RequestHeaderModifier& it) { return encode_modifier(it.headers); }
Node settings(const model::ResponseHeaderModifier& it) { return encode_modifier(it.headers); }
Node settings(const model::UnsupportedFilter&) { return Node{Node::Map{}, {}}; }

Node settings(const model::RequestMirror& it) {
  MapWriter out;
  out.put("backendRef", encode_target(it.backend));
  if (it.denominator != 100) {
    MapWriter fraction;
    fraction.put("numerator", std::int64_t{it.numerator});
    fraction.put("denominator", std::int64_t{it.denominator});
    out.put("fraction", fraction.take());
  } else if (it.numerator != 100) {
    out.put("percent", std::int64_t{it.numerator});
  }
  return out.take();
}

Node settings(const model::RequestRedirect& it) {
  MapWriter out;
  out.put_unless_empty("scheme", it.scheme);
  out.put_unless_empty("hostname", it.hostname);
  put_path(out, it.path);
  out.put_if("port", it.port);
  out.put("statusCode", std::int64_t{it.status});
  return out.take();
}

Node settings(const model::UrlRewrite& it) {
  MapWriter out;
  out.put_unless_empty("hostname", it.hostname);
  put_path(out, it.path);
  return out.take();
}

Node settings(const model::Cors& it) {
  MapWriter out;
  out.put_unless_empty("allowOrigins", list_of(it.allow_origins));
  if (it.allow_credentials)
    out.put("allowCredentials", true);
  out.put_unless_empty("allowMethods", list_of(it.allow_methods));
  out.put_unless_empty("allowHeaders", list_of(it.allow_headers));
  out.put_unless_empty("exposeHeaders", list_of(it.expose_headers));
  out.put("maxAge", std::int64_t{it.max_age});
  return out.take();
}

Node settings(const model::ExternalAuth& it) {
  MapWriter out, protocol;
  bool http = it.protocol == model::ExternalAuth::Protocol::http;
  out.put("protocol", http ? "HTTP" : "GRPC");
  out.put("backendRef", encode_target(it.backend));
  if (http)
    protocol.put_unless_empty("path", it.path);
  protocol.put_unless_empty("allowedHeaders", list_of(it.allowed_headers));
  if (http)
    protocol.put_unless_empty("allowedResponseHeaders", list_of(it.allowed_response_headers));
  out.put(http ? "http" : "grpc", protocol.take());
  if (it.forward_body != 0) {
    MapWriter body;
    body.put("maxSize", std::int64_t{it.forward_body});
    out.put("forwardBody", body.take());
  }
  return out.take();
}

Node settings(const model::ExtensionRef& it) {
  MapWriter out;
  out.put("group", it.group);
  out.put("kind", it.kind);
  out.put("name", it.name);
  return out.take();
}

std::string type_of(const model::Filter& filter) {
  return std::visit(
      overload{
          [](const model::RequestHeaderModifier&) { return std::string{"RequestHeaderModifier"}; },
          [](const model::ResponseHeaderModifier&) {
            return std::string{"ResponseHeaderModifier"};
          },
          [](const model::UnsupportedFilter& it) { return it.type; },
          [](const model::RequestMirror&) { return std::string{"RequestMirror"}; },
          [](const model::RequestRedirect&) { return std::string{"RequestRedirect"}; },
          [](const model::UrlRewrite&) { return std::string{"URLRewrite"}; },
          [](const model::Cors&) { return std::string{"CORS"}; },
          [](const model::ExternalAuth&) { return std::string{"ExternalAuth"}; },
          [](const model::ExtensionRef&) { return std::string{"ExtensionRef"}; }},
      filter);
}

} // namespace

Node encode_filter(const model::Filter& filter) {
  MapWriter out;
  auto type = type_of(filter);
  out.put("type", type);
  out.put(settings_field(type), std::visit([](auto& it) { return settings(it); }, filter));
  return out.take();
}

} // namespace strait::kubernetes
