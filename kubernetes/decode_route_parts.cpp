#include "kubernetes/decode_kinds.hpp"

#include <tuple>

namespace strait::kubernetes {

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

void decode_values(Fields& match, std::string_view key, std::vector<model::ValueMatch>& out,
                   rules::TextRule exact) {
  using Type = model::ValueMatchType;
  match.list(key, out, {0, 16}, [&](Fields& fields, model::ValueMatch& it) {
    fields.choice<Type, Type>("type", it.type,
                              {{"Exact", Type::exact}, {"RegularExpression", Type::regex}});
    fields.text("name", it.name, rules::header_name, Need::required);
    fields.text("value", it.value, it.type == Type::regex ? rules::regular_expression : exact,
                Need::required);
  });
  match.unique(key, out, "name", [](auto& it) { return it.name; });
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

void decode_session(Fields& rule, std::optional<model::SessionPersistence>& out) {
  using Type = model::SessionPersistence::Type;
  rule.object("sessionPersistence", [&](Fields& fields) {
    auto& session = out.emplace();
    fields.text("sessionName", session.name, rules::session_name);
    fields.choice<Type, Type>("type", session.type,
                              {{"Cookie", Type::cookie}, {"Header", Type::header}});
    fields.duration("absoluteTimeout", session.absolute_timeout);
    if (session.type == Type::header)
      fields.refuse("cookieConfig", "must not be given when type is Header");
    fields.object("cookieConfig", [&](Fields& cookie) {
      cookie.choice<bool, bool>("lifetimeType", session.permanent,
                                {{"Session", false}, {"Permanent", true}});
    });
    if (session.permanent && !session.absolute_timeout)
      fields.error("absoluteTimeout", "required when cookieConfig.lifetimeType is Permanent");
    fields.unsupported({"idleTimeout"});
  });
}

} // namespace strait::kubernetes
