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

Node encode_filter(const model::Filter& filter) {
  MapWriter out;
  std::visit(overload{[&](const model::RequestHeaderModifier& it) {
                        out.put("type", "RequestHeaderModifier");
                        out.put("requestHeaderModifier", encode_modifier(it.headers));
                      },
                      [&](const model::ResponseHeaderModifier& it) {
                        out.put("type", "ResponseHeaderModifier");
                        out.put("responseHeaderModifier", encode_modifier(it.headers));
                      },
                      [&](const model::UnsupportedFilter& it) {
                        out.put("type", it.type);
                        out.put(settings_field(it.type), Node{Node::Map{}, {}});
                      }},
             filter);
  return out.take();
}

Node encode_backend(const model::BackendRef& ref) {
  MapWriter out;
  out.put("group", ref.group);
  out.put("kind", ref.kind);
  out.put_unless_empty("namespace", ref.ns);
  out.put("name", ref.name);
  if (ref.port)
    out.put("port", std::int64_t{*ref.port});
  out.put("weight", std::int64_t{ref.weight});
  out.put_unless_empty("filters", list_of(ref.filters, encode_filter));
  return out.take();
}

Node encode_values(const std::vector<model::ValueMatch>& matches) {
  return list_of(matches, [](auto& match) {
    MapWriter out;
    bool exact = match.type == model::ValueMatchType::exact;
    out.put("type", exact ? "Exact" : "RegularExpression");
    out.put("name", match.name);
    out.put("value", match.value);
    return out.take();
  });
}

Node encode_match(const model::HttpMatch& match) {
  constexpr const char* types[] = {"Exact", "PathPrefix", "RegularExpression"};
  MapWriter path, out;
  path.put("type", types[static_cast<std::size_t>(match.path.type)]);
  path.put("value", match.path.value);
  out.put("path", path.take());
  out.put_unless_empty("headers", encode_values(match.headers));
  out.put_unless_empty("queryParams", encode_values(match.query));
  out.put_unless_empty("method", match.method);
  return out.take();
}

} // namespace

Node encode_parent(const model::ParentRef& ref) {
  MapWriter out;
  out.put("group", ref.group);
  out.put("kind", ref.kind);
  out.put_unless_empty("namespace", ref.ns);
  out.put("name", ref.name);
  out.put_unless_empty("sectionName", ref.section_name);
  if (ref.port)
    out.put("port", std::int64_t{*ref.port});
  return out.take();
}

void encode(MapWriter& root, const model::HttpRoute& object) {
  MapWriter spec;
  spec.put_unless_empty("parentRefs", list_of(object.parents, encode_parent));
  spec.put_unless_empty("hostnames", list_of(object.hostnames));
  spec.put("rules", list_of(object.rules, [](auto& rule) {
             MapWriter out;
             out.put_unless_empty("name", rule.name);
             out.put("matches", list_of(rule.matches, encode_match));
             out.put_unless_empty("filters", list_of(rule.filters, encode_filter));
             out.put_unless_empty("backendRefs", list_of(rule.backends, encode_backend));
             return out.take();
           }));
  root.put("spec", spec.take());
}

void encode(MapWriter& root, const model::TcpRoute& object) {
  MapWriter spec, rule;
  rule.put("backendRefs", list_of(object.backends, encode_backend));
  Node::List rules;
  rules.push_back(rule.take());
  spec.put_unless_empty("parentRefs", list_of(object.parents, encode_parent));
  spec.put("rules", Node{std::move(rules), {}});
  root.put("spec", spec.take());
}

void encode(MapWriter& root, const model::ReferenceGrant& object) {
  MapWriter spec;
  spec.put("from", list_of(object.from, [](auto& from) {
             MapWriter out;
             out.put("group", from.group);
             out.put("kind", from.kind);
             out.put("namespace", from.ns);
             return out.take();
           }));
  spec.put("to", list_of(object.to, [](auto& to) {
             MapWriter out;
             out.put("group", to.group);
             out.put("kind", to.kind);
             out.put_unless_empty("name", to.name);
             return out.take();
           }));
  root.put("spec", spec.take());
}

} // namespace strait::kubernetes
