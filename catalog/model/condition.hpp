#pragma once

#include "catalog/model/gateway.hpp"
#include "catalog/model/object.hpp"
#include "catalog/model/route.hpp"

/// Conditions: what Strait tells about an object. Types and reasons are one table, conditions.def.
namespace strait::model {

enum class ConditionType : std::uint8_t {
#define STRAIT_CONDITION(id, text) id,
#include "catalog/model/conditions.def"
};
std::string_view to_string(ConditionType type);

enum class Reason : std::uint8_t {
#define STRAIT_REASON(id, text) id,
#include "catalog/model/conditions.def"
};
std::string_view to_string(Reason reason);

/// metav1.Condition. transition is kept by whoever stores conditions: resolution leaves it empty.
struct Condition {
  ConditionType type{};
  bool status = false;
  Reason reason{};
  std::string message;
  std::int64_t observed_generation = 0;
  WallTime transition{};
  friend bool operator==(const Condition&, const Condition&) = default;
};

struct ListenerStatus {
  std::string name;
  std::int32_t attached_routes = 0;
  std::vector<RouteGroupKind> supported_kinds;
  std::vector<Condition> conditions;
  friend bool operator==(const ListenerStatus&, const ListenerStatus&) = default;
};

/// Status of a route or a policy towards one of its parents (a policy's ancestors).
struct ParentStatus {
  ParentRef parent;
  std::string controller;
  std::vector<Condition> conditions;
  friend bool operator==(const ParentStatus&, const ParentStatus&) = default;
};

/// All that Strait says of one object; the parts that its kind does not have stay empty.
struct ObjectStatus {
  static constexpr Kind kind = Kind::object_status;
  ObjectKey object;
  std::vector<Condition> conditions;
  std::vector<ListenerStatus> listeners;
  std::vector<ParentStatus> parents;
  std::vector<std::string> addresses;
  std::vector<std::string> supported_features;
  std::int32_t attached_listener_sets = 0; ///< Gateway only.
  friend bool operator==(const ObjectStatus&, const ObjectStatus&) = default;
};

/// A route as one gateway served it when its references last resolved, for a gateway whose policy
/// is KeepLastGood. `granted` may have gone meanwhile: who serves from it asks for each again.
struct KeptRoute {
  static constexpr Kind kind = Kind::kept_route;
  struct Grant { ///< A reference that a ReferenceGrant allowed.
    std::string group, kind, ns, name;
    friend bool operator==(const Grant&, const Grant&) = default;
  };
  Name gateway;
  ObjectKey route;
  std::int64_t generation = 0; ///< Of the route.
  std::vector<std::string> hostnames;
  std::vector<Grant> granted;
  std::vector<std::string> clusters; ///< Ids that the content uses.
  std::string content;               ///< As the feed to proxies writes it.
  friend bool operator==(const KeptRoute&, const KeptRoute&) = default;
};

} // namespace strait::model
