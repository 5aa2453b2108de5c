#pragma once

#include "actors/messages.hpp"

namespace strait::actors {

/// What the actors say of objects, merged per object: a pure machine, owned by the status actor. At
/// most one write per object is under way; meanwhile the latest wins.
class StatusLedger {
public:
  /// Parents of a route, and ancestors of a policy, that a status may have (Gateway API); those of
  /// the last gateways by name are left out.
  static constexpr std::size_t parents_max = 32;
  static constexpr std::size_t ancestors_max = 16;

  /// The whole word of an object's own actor.
  void own(const model::ObjectStatus& status);
  /// One gateway's word on a route or policy: other gateways' parents stay.
  void route(const RouteStatus& status);
  /// A gateway's word on a ListenerSet.
  void listener_set(const ListenerSetStatus& status);
  /// What the gateway said of ListenerSets and policies, and of routes too, counts no more.
  void forget(const model::Name& gateway, bool routes_too);
  /// A resource's actor failed or runs again.
  void health(const ActorHealth& health);

  /// Statuses to write now; each is under way until written() is told of it.
  std::vector<model::ObjectStatus> take();
  /// A failed write is tried again with the next take().
  void written(const model::ObjectKey& object, bool ok);

private:
  struct Entry {
    std::optional<model::ObjectStatus> own;
    std::map<model::Name, std::vector<model::ParentStatus>> parents; // By gateway.
    std::map<model::Name, model::ObjectStatus> of_set;               // By gateway.
    std::optional<ActorHealth> health;
    bool dirty = false, under_way = false;
    model::ObjectStatus merged(const model::ObjectKey& object) const;
    bool nothing() const { return !own && parents.empty() && of_set.empty() && !health; }
  };
  void touch(const model::ObjectKey& object);
  void says_no_more(const model::Name& gateway, const model::ObjectKey& object);

  std::map<model::ObjectKey, Entry> entries_;
  std::set<model::ObjectKey> dirty_;
  std::map<model::Name, std::set<model::ObjectKey>> by_gateway_; // Of what it says something.
};

} // namespace strait::actors
