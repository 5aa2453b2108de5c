#include "api/consul_json.hpp"
#include "api/lists.hpp"
#include "api/router.hpp"

#include <algorithm>

/// GET health/*: instances with their checks, and checks (reference/consul §2.4).
namespace strait::api {

namespace {

using catalog::ServiceKey;
using catalog::View;
using model::Kind;

catalog::Topic all_of(Kind kind) { return {kind, {}}; }

/// Consul's ?passing: bare, or a boolean as Go reads one. Nothing: it is none.
std::optional<bool> passing_only(const Parameters& parameters) {
  if (!parameters.has("passing"))
    return false;
  auto& text = parameters.get("passing");
  for (auto* yes : {"", "1", "t", "T", "true", "TRUE", "True"})
    if (text == yes)
      return true;
  for (auto* no : {"0", "f", "F", "false", "FALSE", "False"})
    if (text == no)
      return false;
  return {};
}

Outcome service(const Surroundings& at, const Call& call) {
  auto& name = call.parts.at(0);
  if (name.empty())
    return text_reply(400, "Missing service name");
  auto passing = passing_only(call.parameters);
  if (!passing)
    return text_reply(400, "Invalid value for ?passing");
  auto filter = list_filter(call, Element::check_service_node);
  if (!filter)
    return consul_error(filter.error());
  ServiceKey key{peer_of(call), name};
  auto wanted = [picked = InstanceSelection{call}, only = *passing](auto& it) {
    return picked.takes(it) && (!only || it.overall == model::Health::passing);
  };
  auto answer = [key, wanted, filter = *filter, self = at.self](const View& view) {
    ListWriter list{filter};
    for (auto& it : catalog::instances_of(view, key))
      if (wanted(it))
        list.add([&](JsonWriter& json) { write_check_service_node(json, it, self); });
    return list.reply();
  };
  return Read{[key](const View& view) { return catalog::service_index(view, key); },
              answer,
              {catalog::topic_of(key)}};
}

/// Checks that `takes` wants, in order of node and id; of one peer.
Outcome checks(const Surroundings& at, const Call& call, const std::string& peer,
               std::function<bool(const View&, const model::HealthCheck&)> takes) {
  auto filter = list_filter(call, Element::health_check);
  if (!filter)
    return consul_error(filter.error());
  auto answer = [=, filter = *filter, picked = NodeSelection{call},
                 self = at.self](const View& view) {
    ListWriter list{filter};
    for (auto& item : view.table<model::HealthCheck>()) {
      auto& check = item.second->value;
      if (check.peer == peer && takes(view, check) && picked.takes(view, check.peer, check.node))
        list.add([&](JsonWriter& json) { write_check(json, *item.second, self); });
    }
    return list.reply();
  };
  bool by_node = NodeSelection{call}.any();
  auto index = [by_node](const View& view) {
    auto newest = view.kind_revision(Kind::health_check);
    return by_node ? std::max(newest, view.kind_revision(Kind::node)) : newest;
  };
  std::set<catalog::Topic> topics{all_of(Kind::health_check)};
  if (by_node)
    topics.insert(all_of(Kind::node));
  return Read{index, answer, topics};
}

Outcome state(const Surroundings& at, const Call& call) {
  auto wanted = call.parts.at(0);
  if (wanted.empty())
    return text_reply(400, "Missing check state");
  return checks(at, call, peer_of(call), [wanted](const View&, const model::HealthCheck& check) {
    return wanted == "any" || model::to_string(check.status) == wanted;
  });
}

/// The checks of one node; they stand together in the table.
Outcome node(const Surroundings& at, const Call& call) {
  auto name = call.parts.at(0);
  if (name.empty())
    return text_reply(400, "Missing node name");
  auto filter = list_filter(call, Element::health_check);
  if (!filter)
    return consul_error(filter.error());
  auto peer = peer_of(call);
  auto answer = [name, peer, filter = *filter, self = at.self](const View& view) {
    auto scope = model::key_of(model::HealthCheck{.peer = peer, .node = name}).name.ns;
    auto& table = view.table<model::HealthCheck>();
    ListWriter list{filter};
    for (auto it = table.lower_bound(model::Name{scope, ""});
         it != table.end() && it->first.ns == scope; ++it)
      list.add([&](JsonWriter& json) { write_check(json, *it->second, self); });
    return list.reply();
  };
  return Read{[](const View& view) { return view.kind_revision(Kind::health_check); },
              answer,
              {all_of(Kind::health_check)}};
}

/// The checks of one service's instances, without those of their nodes.
Outcome checks_of_service(const Surroundings& at, const Call& call) {
  auto& name = call.parts.at(0);
  if (name.empty())
    return text_reply(400, "Missing service name");
  auto filter = list_filter(call, Element::health_check);
  if (!filter)
    return consul_error(filter.error());
  ServiceKey key{peer_of(call), name};
  auto answer = [key, filter = *filter, picked = NodeSelection{call},
                 self = at.self](const View& view) {
    ListWriter list{filter};
    for (auto& instance : catalog::instances_of(view, key))
      for (auto& check : instance.checks)
        if (!check->value.service_id.empty() && picked.takes(instance.node.get()))
          list.add([&](JsonWriter& json) { write_check(json, *check, self); });
    return list.reply();
  };
  return Read{[key](const View& view) { return catalog::service_index(view, key); },
              answer,
              {catalog::topic_of(key)}};
}

} // namespace

void add_health_endpoints(Router& router) {
  router.add("GET", "/v1/health/service/:service", service);
  router.add("GET", "/v1/health/node/:node", node);
  router.add("GET", "/v1/health/checks/:service", checks_of_service);
  router.add("GET", "/v1/health/state/:state", state);
}

} // namespace strait::api
