#include "kubernetes/decode_kinds.hpp"

#include <map>
#include <tuple>

namespace strait::kubernetes {

namespace {

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

struct FilterRow {
  std::string_view type, field;
  bool once;
};
constexpr FilterRow filter_rows[] = {
    {"RequestHeaderModifier", "requestHeaderModifier", true},
    {"ResponseHeaderModifier", "responseHeaderModifier", true},
    {"RequestMirror", "requestMirror", false},
    {"RequestRedirect", "requestRedirect", true},
    {"URLRewrite", "urlRewrite", true},
    {"CORS", "cors", true},
    {"ExternalAuth", "externalAuth", false},
    {"ExtensionRef", "extensionRef", false},
};

void decode_filter(Fields& fields, model::Filter& out) {
  std::vector<std::string_view> types;
  for (auto& row : filter_rows)
    types.push_back(row.type);
  std::string type;
  fields.one_of("type", type, types, Need::required);
  for (auto& row : filter_rows) {
    bool given = fields.has(row.field);
    if (type.empty() || given == (row.type == type))
      continue;
    fields.error(row.field, given ? fmt::format("must not be given for a {} filter", type)
                                  : fmt::format("required for a {} filter", type));
  }
  if (type == "RequestHeaderModifier") {
    auto& filter = out.emplace<model::RequestHeaderModifier>();
    fields.object("requestHeaderModifier",
                  [&](Fields& inner) { decode_headers(inner, filter.headers); });
  } else if (type == "ResponseHeaderModifier") {
    auto& filter = out.emplace<model::ResponseHeaderModifier>();
    fields.object("responseHeaderModifier",
                  [&](Fields& inner) { decode_headers(inner, filter.headers); });
  } else {
    out = model::UnsupportedFilter{type};
  }
}

std::string_view type_of(const model::Filter& filter) {
  if (auto* other = std::get_if<model::UnsupportedFilter>(&filter))
    return other->type;
  return filter_rows[filter.index()].type;
}

} // namespace

void decode_filters(Fields& owner, std::vector<model::Filter>& out) {
  owner.list("filters", out, {0, 16}, decode_filter);
  std::map<std::string_view, std::size_t> count;
  for (auto& filter : out)
    ++count[type_of(filter)];
  for (auto& row : filter_rows)
    if (row.once && count[row.type] > 1)
      owner.error("filters", fmt::format("a {} filter may be given only once", row.type));
  if (count["RequestRedirect"] != 0 && count["URLRewrite"] != 0)
    owner.error("filters", "RequestRedirect and URLRewrite must not be given together");
}

void decode_backend(Fields& fields, model::BackendRef& out) {
  fields.text("group", out.group, rules::api_group);
  fields.text("kind", out.kind, rules::api_kind);
  fields.text("namespace", out.ns, rules::dns_label);
  fields.text("name", out.name, rules::dns_subdomain, Need::required);
  fields.integer("port", out.port, port_range);
  fields.integer("weight", out.weight, {0, 1'000'000});
  if (out.group.empty() && out.kind == "Service" && !out.port)
    fields.error("port", "required for a Service");
}

void decode_parents(Fields& spec, std::vector<model::ParentRef>& out) {
  spec.list("parentRefs", out, {0, 32}, [](Fields& fields, model::ParentRef& ref) {
    fields.text("group", ref.group, rules::api_group);
    fields.text("kind", ref.kind, rules::api_kind);
    fields.text("namespace", ref.ns, rules::dns_label);
    fields.text("name", ref.name, rules::dns_subdomain, Need::required);
    fields.text("sectionName", ref.section_name, rules::dns_subdomain);
    fields.integer("port", ref.port, port_range);
  });
  // Several references to one parent must name parts of it, and different ones.
  auto parent = [](auto& ref) { return std::tie(ref.group, ref.kind, ref.ns, ref.name); };
  auto part = [](auto& ref) { return std::tie(ref.section_name, ref.port); };
  for (std::size_t i = 0; i < out.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      if (parent(out[i]) != parent(out[k]))
        continue;
      auto whole = [](auto& ref) { return ref.section_name.empty() && !ref.port; };
      if (part(out[i]) == part(out[k]) || whole(out[i]) || whole(out[k])) {
        spec.error(Fields::item_path("parentRefs", i, ""),
                   fmt::format("names the same parent as parentRefs[{}]: each must have its own "
                               "sectionName or port",
                               k));
        break;
      }
    }
  }
}

} // namespace strait::kubernetes
