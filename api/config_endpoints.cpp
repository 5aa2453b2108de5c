#include "api/json_writer.hpp"
#include "api/lists.hpp"
#include "api/query_options.hpp"
#include "api/router.hpp"
#include "kubernetes/config_entry.hpp"

#include <algorithm>
#include <array>
#include <charconv>

/// config and exported-services, imported-services (reference/consul §1.15, §3.1).
namespace strait::api {

namespace {

using catalog::View;
using model::Kind;

catalog::Topic all_of(Kind kind) { return {kind, {}}; }

/// Kinds that Consul knows and Strait does not hold: there is never an entry of them.
constexpr std::array kinds_not_held{"service-defaults",
                                    "proxy-defaults",
                                    "service-router",
                                    "service-splitter",
                                    "ingress-gateway",
                                    "terminating-gateway",
                                    "mesh",
                                    "sameness-group",
                                    "api-gateway",
                                    "bound-api-gateway",
                                    "http-route",
                                    "tcp-route",
                                    "file-system-certificate",
                                    "inline-certificate",
                                    "control-plane-request-limit",
                                    "jwt-provider"};

/// The kinds that Strait holds, by name. A service-resolver is an object of Consul's only
/// namespace.
struct HeldKind {
  std::string_view name;
  Kind kind;
  const char* ns;
};
constexpr std::array held_kinds{
    HeldKind{"exported-services", Kind::exported_services, ""},
    HeldKind{"service-intentions", Kind::service_intentions, ""},
    HeldKind{"service-resolver", Kind::service_resolver, kubernetes::only_namespace}};

const HeldKind* held(std::string_view kind) {
  auto found =
      std::find_if(held_kinds.begin(), held_kinds.end(), [&](auto& it) { return it.name == kind; });
  return found == held_kinds.end() ? nullptr : &*found;
}
bool is_known(std::string_view kind) {
  return held(kind) ||
         std::find(kinds_not_held.begin(), kinds_not_held.end(), kind) != kinds_not_held.end();
}

template <class T>
std::string json_of(const catalog::Record<T>& record) {
  return kubernetes::encode_config_entry(record.value, record.created, record.modified);
}

/// Calls visit.operator()<T>() for the type of the kind's entries.
template <class Visit>
auto with_type(const HeldKind& kind, Visit&& visit) {
  if (kind.kind == Kind::exported_services)
    return visit.template operator()<model::ExportedServices>();
  if (kind.kind == Kind::service_intentions)
    return visit.template operator()<model::ServiceIntentions>();
  return visit.template operator()<model::ServiceResolver>();
}

/// Calls visit with the JSON of every entry of the kind; of every kind if it is empty.
template <class Visit>
void each_entry(const View& view, std::string_view kind, Visit&& visit) {
  for (auto& each : held_kinds)
    if (kind.empty() || kind == each.name)
      with_type(each, [&]<class T>() {
        auto& table = view.table<T>();
        for (auto it = table.lower_bound(model::Name{each.ns, ""});
             it != table.end() && it->first.ns == each.ns; ++it)
          visit(json_of(*it->second));
      });
}

catalog::Revision list_index(const View& view) {
  catalog::Revision newest = 0;
  for (auto& each : held_kinds)
    newest = std::max(newest, view.kind_revision(each.kind));
  return newest;
}

Outcome list(const Surroundings&, const Call& call) {
  auto kind = call.parts.at(0);
  if (!kind.empty() && !is_known(kind))
    return text_reply(500, "invalid config entry kind: " + kind);
  auto filter = list_filter(call, Element::config_entry);
  if (!filter)
    return consul_error(filter.error());
  auto answer = [kind, filter = *filter](const View& view) {
    ListWriter entries{filter};
    each_entry(view, kind, [&](const std::string& json) {
      entries.add([&](JsonWriter& writer) { writer.raw(json); });
    });
    return entries.reply();
  };
  std::set<catalog::Topic> topics;
  for (auto& each : held_kinds)
    topics.insert(all_of(each.kind));
  return Read{list_index, answer, std::move(topics)};
}

Outcome read(const Surroundings& at, const Call& call) {
  auto kind = call.parts.at(0), name = call.parts.at(1);
  if (!is_known(kind))
    return text_reply(500, "invalid config entry kind: " + kind);
  if (name.empty())
    return list(at, call);
  auto missing =
      text_reply(404, fmt::format("Config entry not found for \"{}\" / \"{}\"", kind, name));
  auto* entry = held(kind);
  if (!entry)
    return Read{list_index, [missing](const View&) { return missing; }, {}};
  model::Name key{entry->ns, name};
  // With the entry's own index one that did not change goes on waiting when another one did.
  auto index = [entry, key](const View& view) {
    return with_type(*entry, [&]<class T>() {
      auto record = view.record<T>(key);
      return record ? record->modified : view.kind_revision(T::kind);
    });
  };
  auto answer = [entry, key, missing](const View& view) {
    return with_type(*entry, [&]<class T>() {
      auto record = view.record<T>(key);
      return record ? Reply{200, json_of(*record)} : missing;
    });
  };
  return Read{index, answer, {{entry->kind, key}}};
}

/// ?cas; the error is Consul's.
Result<catalog::Cas> cas_of(const Call& call) {
  if (!call.parameters.has("cas"))
    return catalog::Cas{};
  auto& text = call.parameters.get("cas");
  catalog::Revision revision = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), revision);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size())
    return fail(Errc::invalid, "strconv.ParseUint: parsing \"{}\": invalid syntax", text);
  return catalog::Cas{revision};
}

Outcome write(const Surroundings&, const Call& call) {
  auto cas = cas_of(call);
  if (!cas)
    return consul_error(cas.error());
  auto entry = kubernetes::decode_config_entry(call.body);
  if (!entry)
    return text_reply(400, "Request decoding failed: " + entry.error().detail);
  auto object = std::visit([](auto& it) { return catalog::AnyRecord{std::move(it)}; }, *entry);
  return Write{{catalog::Put{std::move(object), *cas}},
               [](const Write::Results& results, const View&) {
                 auto& result = results.at(0);
                 if (!result && result.error().code == Errc::conflict)
                   return Reply{200, "false"};
                 return result ? Reply{200, "true"} : consul_error(result.error());
               }};
}

Outcome remove(const Surroundings&, const Call& call) {
  auto &kind = call.parts.at(0), &name = call.parts.at(1);
  auto cas = cas_of(call);
  if (!cas)
    return consul_error(cas.error());
  if (kind.empty() || name.empty())
    return text_reply(404, "Must provide both a kind and name to delete");
  if (!is_known(kind))
    return text_reply(500, "invalid config entry kind: " + kind);
  bool with_cas = cas->has_value();
  auto* entry = held(kind);
  if (!entry)
    return Reply{200, with_cas ? "false" : "{}"};
  return Write{{catalog::Remove{{entry->kind, {entry->ns, name}}, *cas}},
               [with_cas](const Write::Results& results, const View&) {
                 auto& result = results.at(0);
                 if (result)
                   return Reply{200, with_cas ? "true" : "{}"};
                 if (result.error().code == Errc::not_found)
                   return Reply{200, with_cas ? "false" : "{}"};
                 if (result.error().code == Errc::conflict)
                   return Reply{200, "false"};
                 return consul_error(result.error());
               }};
}

/// Which service which peers may import, wildcards resolved.
Outcome exported(const Surroundings&, const Call&) {
  auto answer = [](const View& view) {
    std::set<std::string> services;
    for (auto& item : view.table<model::ExportedServices>())
      for (auto& entry : item.second->value.services)
        for (auto& peer : entry.peers)
          for (auto& name : catalog::exported_to(view, peer))
            services.insert(name);
    JsonWriter json;
    json.begin_array();
    for (auto& name : services) {
      json.begin_object().text("Service", name).key("Consumers").begin_object();
      json.texts("Peers", catalog::exported_peers(view, name)).end_object().end_object();
    }
    return Reply{200, json.end_array().take()};
  };
  auto index = [](const View& view) {
    return std::max(view.kind_revision(Kind::exported_services),
                    view.kind_revision(Kind::service_instance));
  };
  return Read{index, answer, {all_of(Kind::exported_services), all_of(Kind::service_instance)}};
}

/// Whether it is a service itself, not a proxy in front of one.
bool is_typical(const View& view, const catalog::ServiceEntry& entry) {
  for (auto& item : entry.instances)
    return view.find<model::ServiceInstance>(item.first)->service_kind.empty();
  return false;
}

Outcome imported(const Surroundings&, const Call&) {
  auto answer = [](const View& view) {
    JsonWriter json;
    json.begin_array();
    for (auto& item : view.services)
      if (!item.first.peer.empty() && is_typical(view, item.second)) {
        json.begin_object().text("Service", item.first.service);
        json.text("SourcePeer", item.first.peer).end_object();
      }
    return Reply{200, json.end_array().take()};
  };
  return Read{[](const View& view) { return view.kind_revision(Kind::service_instance); },
              answer,
              {all_of(Kind::service_instance)}};
}

} // namespace

void add_config_endpoints(Router& router) {
  router.add("PUT", "/v1/config", write);
  router.add("GET", "/v1/config/:kind", list);
  router.add("DELETE", "/v1/config/:kind", [](auto&, auto&) -> Outcome {
    return text_reply(404, "Must provide both a kind and name to delete");
  });
  router.add("GET", "/v1/config/:kind/*", read);
  router.add("DELETE", "/v1/config/:kind/*", remove);
  router.add("GET", "/v1/exported-services", exported);
  router.add("GET", "/v1/imported-services", imported);
}

} // namespace strait::api
