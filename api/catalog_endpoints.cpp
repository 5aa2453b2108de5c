#include "api/consul_bodies.hpp"
#include "api/consul_json.hpp"
#include "api/lists.hpp"
#include "api/query_options.hpp"
#include "api/router.hpp"

#include <algorithm>

/// catalog/* (reference/consul §2.4).
namespace strait::api {

namespace {

using catalog::ServiceKey;
using catalog::View;
using model::Kind;

catalog::Topic all_of(Kind kind) { return {kind, {}}; }

catalog::Revision newest(const View& view, std::initializer_list<Kind> kinds) {
  catalog::Revision revision = 0;
  for (auto kind : kinds)
    revision = std::max(revision, view.kind_revision(kind));
  return revision;
}

bool elsewhere(const std::string& datacenter, const Surroundings& at) {
  return !datacenter.empty() && datacenter != at.self.datacenter;
}

Reply true_or_error(const Write::Results& results, const View&) {
  auto& result = results.at(0);
  return result ? Reply{200, "true"} : consul_error(result.error());
}

Outcome write_register(const Surroundings& at, const Call& call) {
  auto body = decode_register(call.body, at.self);
  if (!body)
    return text_reply(400, body.error().detail);
  if (elsewhere(body->datacenter, at))
    return no_path_to(body->datacenter);
  return Write{{std::move(body->command)}, true_or_error};
}

Outcome write_deregister(const Surroundings& at, const Call& call) {
  auto body = decode_deregister(call.body);
  if (!body)
    return text_reply(400, body.error().detail);
  if (elsewhere(body->datacenter, at))
    return no_path_to(body->datacenter);
  return Write{{std::move(body->command)}, true_or_error};
}

Outcome datacenters(const Surroundings& at, const Call&) {
  JsonWriter json;
  json.begin_array().text(at.self.datacenter).end_array();
  return Reply{200, json.take()};
}

Outcome nodes(const Surroundings&, const Call& call) {
  auto filter = list_filter(call, Element::node);
  if (!filter)
    return consul_error(filter.error());
  auto answer = [peer = peer_of(call), picked = NodeSelection{call},
                 filter = *filter](const View& view) {
    ListWriter list{filter};
    for (auto& node : catalog::nodes(view, peer))
      if (picked.takes(node.get()))
        list.add([&](JsonWriter& json) { write_node(json, *node); });
    return list.reply();
  };
  return Read{
      [](const View& view) { return newest(view, {Kind::node}); }, answer, {all_of(Kind::node)}};
}

/// The names of services with the tags of their instances. With ?peer what was imported through
/// that peering, which Consul cannot list.
Outcome services(const Surroundings&, const Call& call) {
  auto filter = list_filter(call, Element::service_node);
  if (!filter)
    return consul_error(filter.error());
  NodeSelection picked{call};
  bool by_instance = picked.any() || *filter;
  auto takes = [picked, filter = *filter](const View& view, const model::Name& name) {
    catalog::InstanceHealth health{.instance = view.record<model::ServiceInstance>(name)};
    auto& instance = health.instance->value;
    health.node = view.record<model::Node>({instance.peer, instance.node});
    if (!picked.takes(health.node.get()))
      return false;
    if (!filter)
      return true;
    JsonWriter json;
    write_service_node(json, health);
    return filter->takes(json.view());
  };
  auto answer = [peer = peer_of(call), takes, by_instance](const View& view) {
    JsonWriter json;
    json.begin_object();
    for (auto it = view.services.lower_bound(ServiceKey{peer, ""});
         it != view.services.end() && it->first.peer == peer; ++it) {
      std::set<std::string> tags;
      bool any = false;
      for (auto& item : it->second.instances) {
        if (by_instance && !takes(view, item.first))
          continue;
        any = true;
        auto& instance = *view.find<model::ServiceInstance>(item.first);
        tags.insert(instance.tags.begin(), instance.tags.end());
      }
      if (any)
        json.texts(it->first.service, {tags.begin(), tags.end()});
    }
    return Reply{200, json.end_object().take()};
  };
  if (!by_instance)
    return Read{[](const View& view) { return newest(view, {Kind::service_instance}); },
                answer,
                {all_of(Kind::service_instance)}};
  return Read{[](const View& view) {
                return newest(view, {Kind::service_instance, Kind::node});
              },
              answer,
              {all_of(Kind::service_instance), all_of(Kind::node)}};
}

Outcome service(const Surroundings&, const Call& call) {
  if (call.parts.at(0).empty())
    return text_reply(400, "Missing service name");
  auto filter = list_filter(call, Element::service_node);
  if (!filter)
    return consul_error(filter.error());
  ServiceKey key{peer_of(call), call.parts.at(0)};
  auto answer = [key, picked = InstanceSelection{call}, filter = *filter](const View& view) {
    ListWriter list{filter};
    for (auto& it : catalog::instances_of(view, key))
      if (picked.takes(it))
        list.add([&](JsonWriter& json) { write_service_node(json, it); });
    return list.reply();
  };
  return Read{[key](const View& view) { return catalog::service_index(view, key); },
              answer,
              {catalog::topic_of(key)}};
}

/// By name or by the beginning of its id, as Consul takes both; null: there is none.
RecordPtr<model::Node> find_node(const View& view, const std::string& peer,
                                 const std::string& name) {
  constexpr std::size_t id_prefix_min = 4; // Shorter ones would match by chance.
  if (auto node = view.record<model::Node>({peer, name}))
    return node;
  if (name.size() >= id_prefix_min)
    for (auto& node : catalog::nodes(view, peer))
      if (node->value.id.starts_with(name))
        return node;
  return nullptr;
}

/// Calls visit with every instance on the node, by id.
template <class Visit>
void each_instance(const View& view, const model::Node& node, Visit&& visit) {
  auto key = model::key_of(node).name;
  auto it = view.node_instances.lower_bound(std::pair{key, std::string{}});
  for (; it != view.node_instances.end() && it->first.first == key; ++it) {
    model::ServiceInstance at{.peer = node.peer, .node = node.name, .id = it->first.second};
    visit(*view.record<model::ServiceInstance>(model::key_of(at).name));
  }
}

Outcome node(const Surroundings&, const Call& call, bool as_list) {
  auto& name = call.parts.at(0);
  if (name.empty())
    return text_reply(400, "Missing node name");
  auto filter = list_filter(call, Element::node_service);
  if (!filter)
    return consul_error(filter.error());
  auto answer = [peer = peer_of(call), name, as_list, filter = *filter](const View& view) {
    auto found = find_node(view, peer, name);
    if (!found)
      return Reply{200, as_list ? R"({"Node":null,"Services":null})" : "null"};
    JsonWriter json;
    write_node(json.begin_object().key("Node"), *found);
    json.key("Services");
    as_list ? json.begin_array() : json.begin_object();
    each_instance(view, found->value, [&](const catalog::Record<model::ServiceInstance>& it) {
      JsonWriter element;
      write_node_service(element, it);
      if (filter && !filter->takes(element.view()))
        return;
      if (!as_list)
        json.key(it.value.id);
      json.raw(element.view());
    });
    as_list ? json.end_array() : json.end_object();
    return Reply{200, json.end_object().take()};
  };
  return Read{[](const View& view) {
                return newest(view, {Kind::node, Kind::service_instance});
              },
              answer,
              {all_of(Kind::node), all_of(Kind::service_instance)}};
}

} // namespace

void add_catalog_endpoints(Router& router) {
  router.add("PUT", "/v1/catalog/register", write_register);
  router.add("PUT", "/v1/catalog/deregister", write_deregister);
  router.add("GET", "/v1/catalog/datacenters", datacenters);
  router.add("GET", "/v1/catalog/nodes", nodes);
  router.add("GET", "/v1/catalog/services", services);
  router.add("GET", "/v1/catalog/service/:service", service);
  router.add("GET", "/v1/catalog/node/:node",
             [](auto& at, auto& call) { return node(at, call, false); });
  router.add("GET", "/v1/catalog/node-services/:node",
             [](auto& at, auto& call) { return node(at, call, true); });
}

} // namespace strait::api
