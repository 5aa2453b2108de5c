#include "kubernetes/status_patch.hpp"

#include "kubernetes/encode_kinds.hpp"
#include "kubernetes/watch.hpp"

#include <algorithm>
#include <set>

namespace strait::kubernetes {

namespace {

using model::Condition;
using model::Kind;

const Node::List& list_in(const Node* node, std::string_view key) {
  static const Node::List none;
  auto* found = node ? node->find(key) : nullptr;
  auto* list = found ? std::get_if<Node::List>(&found->value) : nullptr;
  return list ? *list : none;
}

std::int64_t integer_in(const Node& node, std::string_view key) {
  auto* found = node.find(key);
  auto* number = found ? std::get_if<std::int64_t>(&found->value) : nullptr;
  return number ? *number : 0;
}

bool is_own_type(std::string_view type) {
  static const std::set<std::string_view> types{
#define STRAIT_CONDITION(id, text) text,
#include "catalog/model/conditions.def"
  };
  return types.contains(type);
}

/// Not said means not known yet, after a restart, rather than not so.
bool stands(std::string_view type) {
  return type == model::to_string(model::ConditionType::serving);
}

Node encode_condition(const Condition& condition, const Node* before, WallTime now) {
  std::string_view status = condition.status ? "True" : "False";
  auto transition = condition.transition == WallTime{} ? now : condition.transition;
  auto at = to_rfc3339(transition);
  if (before && text_at(*before, {"status"}) == status)
    if (auto kept = text_at(*before, {"lastTransitionTime"}); !kept.empty())
      at = kept;
  MapWriter out;
  out.put("type", model::to_string(condition.type));
  out.put("status", status);
  out.put("observedGeneration", condition.observed_generation);
  out.put("lastTransitionTime", at);
  out.put("reason", model::to_string(condition.reason));
  out.put("message", std::string_view{condition.message}.substr(0, message_bytes_max));
  return out.take();
}

class Merge {
public:
  Merge(std::span<const std::string_view> own, WallTime now, std::string ns)
      : own_{own}, now_{now}, ns_{std::move(ns)} {}

  Node conditions(const Node* owner, const std::vector<Condition>& found) const {
    Node::List out;
    std::set<std::string_view> written;
    for (auto& before : list_in(owner, "conditions")) {
      auto type = text_at(before, {"type"});
      auto ours = std::find_if(found.begin(), found.end(),
                               [&](auto& it) { return model::to_string(it.type) == type; });
      if (ours == found.end()) {
        if (!is_own_type(type) || stands(type))
          out.push_back(before);
        continue;
      }
      written.insert(model::to_string(ours->type));
      bool newer = integer_in(before, "observedGeneration") > ours->observed_generation;
      out.push_back(newer ? before : encode_condition(*ours, &before, now_));
    }
    for (auto& condition : found)
      if (!written.contains(model::to_string(condition.type)))
        out.push_back(encode_condition(condition, nullptr, now_));
    // Where there is no room for all, our additions to the standard give way.
    for (std::size_t i = out.size(); i-- > 0 && out.size() > conditions_max;)
      if (text_at(out[i], {"type"}).starts_with("strait.dev/"))
        out.erase(out.begin() + static_cast<std::ptrdiff_t>(i));
    return {std::move(out), {}};
  }

  Node listeners(const Node* status, const std::vector<model::ListenerStatus>& found) const {
    auto& before = list_in(status, "listeners");
    return list_of(found, [&](auto& listener) {
      auto same = std::find_if(before.begin(), before.end(),
                               [&](auto& it) { return text_at(it, {"name"}) == listener.name; });
      MapWriter out;
      out.put("name", listener.name);
      out.put("attachedRoutes", std::int64_t{listener.attached_routes});
      out.put("supportedKinds", list_of(listener.supported_kinds, encode_group_kind));
      out.put("conditions",
              conditions(same == before.end() ? nullptr : &*same, listener.conditions));
      return out.take();
    });
  }

  /// `parents` of routes, `ancestors` of policies.
  Node parents(const Node* status, std::string_view list, std::string_view ref,
               const std::vector<model::ParentStatus>& found, std::size_t max) const {
    Node::List out;
    std::vector<bool> written(found.size());
    auto write = [&](std::size_t i, const Node* before) {
      written[i] = true;
      MapWriter entry;
      auto encoded = encode_parent(found[i].parent);
      // Said as it stands there, if it is the same.
      entry.put(ref, before ? *before->find(ref) : std::move(encoded));
      entry.put("controllerName", found[i].controller);
      entry.put("conditions", conditions(before, found[i].conditions));
      out.push_back(entry.take());
    };
    for (auto& before : list_in(status, list)) {
      auto controller = text_at(before, {"controllerName"});
      if (std::find(own_.begin(), own_.end(), controller) == own_.end()) {
        out.push_back(before);
        continue;
      }
      auto* named = before.find(ref);
      for (std::size_t i = 0; named && i < found.size(); ++i)
        if (!written[i] && found[i].controller == controller &&
            same_parent(*named, found[i].parent)) {
          write(i, &before);
          break;
        }
    }
    for (std::size_t i = 0; i < found.size() && out.size() < max; ++i)
      if (!written[i])
        write(i, nullptr);
    return {std::move(out), {}};
  }

private:
  bool same_parent(const Node& node, const model::ParentRef& ref) const {
    auto or_else = [](std::string text, std::string_view otherwise) {
      return text.empty() ? std::string{otherwise} : text;
    };
    auto* group = node.find("group"); // "" is core, absent is the Gateway API.
    return (group ? text_at(node, {"group"}) : "gateway.networking.k8s.io") == ref.group &&
           or_else(text_at(node, {"kind"}), "Gateway") == ref.kind &&
           or_else(text_at(node, {"namespace"}), ns_) == or_else(ref.ns, ns_) &&
           text_at(node, {"name"}) == ref.name &&
           text_at(node, {"sectionName"}) == ref.section_name &&
           integer_in(node, "port") == ref.port.value_or(0);
  }

  std::span<const std::string_view> own_;
  WallTime now_;
  std::string ns_;
};

Node encode_address(const std::string& address) {
  MapWriter out;
  bool name = address.find_first_not_of("0123456789abcdef.:") != std::string::npos;
  out.put("type", name ? "Hostname" : "IPAddress");
  out.put("value", address);
  return out.take();
}

bool is_route(Kind kind) {
  return kind == Kind::http_route || kind == Kind::grpc_route || kind == Kind::tls_route ||
         kind == Kind::tcp_route || kind == Kind::udp_route;
}

bool is_empty(const Node& node) {
  auto* list = std::get_if<Node::List>(&node.value);
  return list && list->empty();
}

Node with_precondition(const Node& seen, MapWriter metadata) {
  metadata.put("resourceVersion", text_at(seen, {"metadata", "resourceVersion"}));
  return metadata.take();
}

} // namespace

bool same_value(const Node& a, const Node& b) {
  if (a.value.index() != b.value.index())
    return false;
  if (auto* map = std::get_if<Node::Map>(&a.value)) {
    auto& other = std::get<Node::Map>(b.value);
    return map->size() == other.size() &&
           std::all_of(map->begin(), map->end(), [&](const Member& member) {
             auto* found = b.find(member.key);
             return found && same_value(member.value, *found);
           });
  }
  if (auto* list = std::get_if<Node::List>(&a.value))
    return std::equal(list->begin(), list->end(), std::get<Node::List>(b.value).begin(),
                      std::get<Node::List>(b.value).end(), same_value);
  if (auto* text = std::get_if<std::string>(&a.value))
    return *text == std::get<std::string>(b.value);
  if (auto* number = std::get_if<std::int64_t>(&a.value))
    return *number == std::get<std::int64_t>(b.value);
  if (auto* number = std::get_if<double>(&a.value))
    return *number == std::get<double>(b.value);
  if (auto* flag = std::get_if<bool>(&a.value))
    return *flag == std::get<bool>(b.value);
  return true;
}

std::optional<Node> status_patch(const Node& seen, const model::ObjectStatus& status,
                                 std::span<const std::string_view> own, WallTime now) {
  auto* before = seen.find("status");
  auto kind = status.object.kind;
  Merge merge{own, now, status.object.name.ns};
  Node::Map wanted;
  auto want = [&](std::string_view key, Node value) {
    wanted.push_back({std::string{key}, std::move(value)});
  };
  if (is_route(kind)) {
    want("parents", merge.parents(before, "parents", "parentRef", status.parents, parents_max));
  } else if (kind == Kind::backend_tls_policy) {
    want("ancestors",
         merge.parents(before, "ancestors", "ancestorRef", status.parents, ancestors_max));
  } else {
    want("conditions", merge.conditions(before, status.conditions));
  }
  if (kind == Kind::gateway) {
    want("addresses", list_of(status.addresses, encode_address));
    want("attachedListenerSets", Node{std::int64_t{status.attached_listener_sets}, {}});
  }
  if (kind == Kind::gateway || kind == Kind::listener_set)
    want("listeners", merge.listeners(before, status.listeners));
  if (kind == Kind::gateway_class) {
    auto names = status.supported_features;
    std::sort(names.begin(), names.end());
    want("supportedFeatures", list_of(names, [](auto& name) {
           MapWriter out;
           out.put("name", name);
           return out.take();
         }));
  }
  MapWriter changed;
  bool any = false;
  for (auto& [key, value] : wanted) {
    auto* stands = before ? before->find(key) : nullptr;
    bool nothing = is_empty(value) || same_value(value, Node{std::int64_t{0}, {}});
    if (stands ? same_value(*stands, value) : nothing)
      continue;
    any = true;
    changed.put(key, std::move(value));
  }
  if (!any)
    return {};
  MapWriter out;
  out.put("metadata", with_precondition(seen, {}));
  out.put("status", changed.take());
  return out.take();
}

std::optional<Node> finalizer_patch(const Node& seen, bool in_use) {
  auto finalizers = list_in(seen.find("metadata"), "finalizers");
  auto ours = std::find_if(finalizers.begin(), finalizers.end(), [](auto& it) {
    auto* text = std::get_if<std::string>(&it.value);
    return text && *text == gateway_exists_finalizer;
  });
  bool has = ours != finalizers.end();
  bool ending = !text_at(seen, {"metadata", "deletionTimestamp"}).empty();
  if (has == in_use || (in_use && ending))
    return {};
  if (has)
    finalizers.erase(ours);
  else
    finalizers.push_back(Node{std::string{gateway_exists_finalizer}, {}});
  MapWriter metadata;
  metadata.put("finalizers", Node{std::move(finalizers), {}});
  MapWriter out;
  out.put("metadata", with_precondition(seen, std::move(metadata)));
  return out.take();
}

} // namespace strait::kubernetes
