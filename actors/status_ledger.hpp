#pragma once

#include "actors/messages.hpp"

namespace strait::actors {

/// What the actors say of objects, merged per object: a pure machine, owned by the status actor. At
/// most one write per object is under way; meanwhile the latest wins.
class StatusLedger {
public:
  /// A class or gateway actor's whole word on its own object.
  void own(const model::ObjectStatus& status);
  /// One gateway's word on a route: other gateways' parents stay.
  void route(const RouteStatus& status);
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
    std::optional<ActorHealth> health;
    bool dirty = false, under_way = false;
    model::ObjectStatus merged(const model::ObjectKey& object) const;
    bool nothing() const { return !own && parents.empty() && !health; }
  };
  void touch(const model::ObjectKey& object);

  std::map<model::ObjectKey, Entry> entries_;
  std::set<model::ObjectKey> dirty_;
};

} // namespace strait::actors
