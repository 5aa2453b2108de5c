#include "kubernetes/deployment.hpp"

#include "kubernetes/deployer.hpp"

#include <algorithm>

namespace strait::kubernetes {

Node restricted(const Node& live, const Node& desired) {
  if (auto* wanted = std::get_if<Node::Map>(&desired.value)) {
    Node::Map out;
    for (auto& member : *wanted)
      if (auto* value = live.find(member.key))
        out.push_back({member.key, restricted(*value, member.value)});
    return {std::move(out), {}};
  }
  auto* wanted = std::get_if<Node::List>(&desired.value);
  auto* there = std::get_if<Node::List>(&live.value);
  if (!wanted || !there || wanted->size() != there->size())
    return live;
  Node::List out;
  for (std::size_t i = 0; i < wanted->size(); ++i)
    out.push_back(restricted((*there)[i], (*wanted)[i]));
  return {std::move(out), {}};
}

bool same(const Node& a, const Node& b) {
  if (auto* left = std::get_if<Node::Map>(&a.value)) {
    auto* right = std::get_if<Node::Map>(&b.value);
    return right && left->size() == right->size() &&
           std::all_of(left->begin(), left->end(), [&](auto& member) {
             auto* other = b.find(member.key);
             return other && same(member.value, *other);
           });
  }
  if (auto* left = std::get_if<Node::List>(&a.value)) {
    auto* right = std::get_if<Node::List>(&b.value);
    return right && std::equal(left->begin(), left->end(), right->begin(), right->end(), same);
  }
  if (a.value.index() != b.value.index())
    return false;
  return std::visit(
      [&](auto& value) {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, Node::Map> || std::is_same_v<T, Node::List>)
          return false; // Above.
        else
          return value == std::get<T>(b.value);
      },
      a.value);
}

std::string owner_uid(const Node& object) {
  auto* owners = node_at(object, {"metadata", "ownerReferences"});
  if (auto* list = owners ? std::get_if<Node::List>(&owners->value) : nullptr)
    for (auto& owner : *list)
      if (auto* controls = owner.find("controller"))
        if (auto* flag = std::get_if<bool>(&controls->value); flag && *flag)
          return text_at(owner, {"uid"});
  return {};
}

Deployment::Effects Deployment::want(Instant now, const model::Name& name, const std::string& uid,
                                     Result<std::vector<Node>> objects) {
  auto& gateway = gateways_[name];
  gateway.uid = uid;
  gateway.wanted = true;
  gateway.refused.reset();
  std::set<ObjectId> wanted;
  std::vector<std::pair<ObjectId, Node*>> ids;
  if (objects)
    for (auto& object : *objects) {
      auto id = id_of(object);
      if (!id) {
        gateway.refused = id.error();
        break;
      }
      wanted.insert(*id);
      ids.emplace_back(*id, &object);
    }
  else
    gateway.refused = objects.error();
  if (gateway.refused)
    return advance(now, name);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    auto& [id, node] = ids[i];
    auto& object = objects_[id];
    object.gateway = name;
    object.order = i;
    auto body = write_json(*node, 0);
    if (body != object.body) { // What stood in the way of the last one may not be there now.
      object.due = {};
      object.delay = Millis{0};
      object.error.reset();
    }
    object.body = std::move(body);
    object.desired = std::move(*node);
    by_gateway_[name].insert(id);
  }
  for (auto& id : by_gateway_[name])
    if (!wanted.contains(id))
      objects_[id].desired.reset();
  return advance(now, name);
}

Deployment::Effects Deployment::withdraw(Instant now, const model::Name& name) {
  auto it = gateways_.find(name);
  if (it == gateways_.end())
    return {};
  it->second.wanted = false;
  it->second.refused.reset();
  for (auto& id : by_gateway_[name])
    objects_[id].desired.reset();
  return advance(now, name);
}

void Deployment::forget(const model::Name& name) {
  for (auto& id : by_gateway_[name]) {
    auto& object = objects_[id];
    if (object.phase != Phase::idle)
      --in_flight_;
    objects_.erase(id);
  }
  by_gateway_.erase(name);
  gateways_.erase(name);
}

Deployment::Effects Deployment::seen(Instant now, const ObjectId& id, const Item& live) {
  auto it = objects_.find(id);
  if (it == objects_.end()) {
    // Of a Gateway that is not known yet: remembered by its label. Only of one that is one day
    // wanted it will be of use.
    auto label = text_at(*live.object, {"metadata", "labels", gateway_name_label});
    if (label.empty())
      return {};
    it = objects_.try_emplace(id).first;
    for (auto& [name, gateway] : gateways_)
      if (name.ns == id.name.ns && model::gateway_label_value(name) == label) {
        it->second.gateway = name;
        by_gateway_[name].insert(id);
      }
    if (it->second.gateway.name.empty()) {
      it->second.gateway = {id.name.ns, label};
      by_gateway_[it->second.gateway].insert(id);
    }
  }
  it->second.live = *live.object;
  it->second.live_uid = live.uid;
  it->second.vacant = false;
  return settle(now, id);
}

Deployment::Effects Deployment::gone(Instant now, const ObjectId& id) {
  auto it = objects_.find(id);
  if (it == objects_.end())
    return {};
  auto& object = it->second;
  object.live.reset();
  object.live_uid.clear();
  object.applied_body.clear();
  object.as_applied.reset();
  object.vacant = true;
  if (!object.desired && object.phase == Phase::idle) {
    auto gateway = object.gateway;
    by_gateway_[gateway].erase(id);
    objects_.erase(it);
    return advance(now, gateway);
  }
  return settle(now, id);
}

Deployment::Effects Deployment::synced(Instant now) {
  synced_ = true;
  return tick(now);
}

Deployment::Effects Deployment::looked(Instant now, const ObjectId& id,
                                       Result<std::optional<Node>> live) {
  auto it = objects_.find(id);
  if (it == objects_.end() || it->second.phase != Phase::looking)
    return {};
  auto& object = it->second;
  object.phase = Phase::idle;
  --in_flight_;
  if (!live)
    failed(now, object, live.error());
  else if (!*live)
    object.vacant = true;
  else if (owner_uid(**live) != gateways_[object.gateway].uid)
    failed(now, object,
           {Errc::conflict, to_string(id) + ": exists and does not belong to this Gateway; "
                                            "rename or remove one of the two"});
  else
    object.live = std::move(**live);
  return settle(now, id);
}

Deployment::Effects Deployment::applied(Instant now, const ObjectId& id, Result<Node> live) {
  auto it = objects_.find(id);
  if (it == objects_.end() || it->second.phase != Phase::applying)
    return {};
  auto& object = it->second;
  object.phase = Phase::idle;
  --in_flight_;
  if (!live) {
    object.applied_body.clear();
    object.vacant = false; // It may have been made meanwhile.
    failed(now, object, live.error());
  } else {
    object.delay = Millis{0};
    object.error.reset();
    object.live_uid = text_at(*live, {"metadata", "uid"});
    if (object.desired)
      object.as_applied = restricted(*live, *object.desired);
    object.live = std::move(*live);
  }
  return settle(now, id);
}

Deployment::Effects Deployment::deleted(Instant now, const ObjectId& id, const Status& outcome) {
  auto it = objects_.find(id);
  if (it == objects_.end() || it->second.phase != Phase::deleting)
    return {};
  auto& object = it->second;
  object.phase = Phase::idle;
  --in_flight_;
  bool is_gone = outcome || outcome.error().code == Errc::not_found;
  if (!is_gone) {
    failed(now, object, outcome.error());
    return settle(now, id);
  }
  return gone(now, id);
}

Deployment::Effects Deployment::tick(Instant now) {
  Effects effects;
  if (!synced_)
    return effects;
  for (auto& [id, object] : objects_)
    step(now, id, object, effects);
  for (auto& [name, gateway] : gateways_)
    tell(name, effects);
  return effects;
}

Deployment::Effects Deployment::advance(Instant now, const model::Name& name) {
  Effects effects;
  if (!synced_)
    return effects;
  // In the order of making, so that nothing refers to what is not there yet.
  std::vector<std::pair<std::size_t, ObjectId>> order;
  for (auto& id : by_gateway_[name])
    order.emplace_back(objects_[id].order, id);
  std::sort(order.begin(), order.end());
  for (auto& [place, id] : order)
    step(now, id, objects_[id], effects);
  tell(name, effects);
  return effects;
}

Deployment::Effects Deployment::settle(Instant now, const ObjectId& id) {
  auto it = objects_.find(id);
  return it == objects_.end() ? Effects{} : advance(now, it->second.gateway);
}

void Deployment::step(Instant now, const ObjectId& id, Object& object, Effects& effects) {
  if (object.phase != Phase::idle || now < object.due || in_flight_ >= options_.in_flight_max)
    return;
  auto gateway = gateways_.find(object.gateway);
  if (gateway == gateways_.end())
    return; // Not heard of, or gone: Kubernetes sees to it.
  auto begin = [&](Phase phase) {
    object.phase = phase;
    ++in_flight_;
  };
  bool ours = object.live && owner_uid(*object.live) == gateway->second.uid;
  if (!object.desired) {
    if (!ours || gateway->second.refused ||
        node_at(*object.live, {"metadata", "deletionTimestamp"}))
      return;
    begin(Phase::deleting);
    effects.push_back(Delete{id, object.live_uid});
    return;
  }
  if (object.live && !ours) { // Of an earlier Gateway of this name, or of somebody else.
    failed(now, object,
           {Errc::conflict, to_string(id) + ": exists and does not belong to this Gateway"});
    return;
  }
  if (!object.live && !object.vacant) {
    begin(Phase::looking);
    effects.push_back(Look{id});
    return;
  }
  bool as_left = object.live && object.body == object.applied_body && object.as_applied &&
                 same(restricted(*object.live, *object.desired), *object.as_applied);
  if (as_left) {
    object.error.reset();
    return;
  }
  begin(Phase::applying);
  object.applied_body = object.body;
  effects.push_back(Apply{id, object.body});
}

void Deployment::failed(Instant now, Object& object, Error error) {
  object.delay = std::clamp(object.delay * 2, options_.retry_min, options_.retry_max);
  object.due = now + object.delay;
  object.error = std::move(error);
}

void Deployment::tell(const model::Name& name, Effects& effects) {
  auto it = gateways_.find(name);
  if (it == gateways_.end())
    return;
  auto& gateway = it->second;
  auto error = gateway.refused;
  bool busy = false;
  std::size_t first = SIZE_MAX;
  for (auto& id : by_gateway_[name]) {
    auto& object = objects_[id];
    busy |= object.desired && !object.as_applied;
    if (!gateway.refused && object.error && object.order < first) {
      error = object.error;
      first = object.order;
    }
  }
  if ((!error && busy) || (gateway.told && error == gateway.last_told))
    return; // Not known yet, or known.
  gateway.told = true;
  gateway.last_told = error;
  effects.push_back(Told{name, error});
}

} // namespace strait::kubernetes
