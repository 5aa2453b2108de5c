#pragma once

#include "actors/messages.hpp"
#include "base/time.hpp"

namespace strait::actors {

/// What the actors say of objects, merged per object: a pure machine, owned by the status actor. At
/// most one write per object is under way; meanwhile the latest wins.
///
/// A change is written once: while some proxy has not acknowledged it, it is held back for at most
/// serving_wait_max, so that one write says Accepted and Serving together. An object's first change
/// is written at once, the next not before write_interval_min; as long as changes keep coming, the
/// interval doubles with each write up to write_interval_max. Once they have ended, write_quiet is
/// the longest that the last of them waits.
class StatusLedger {
public:
  /// Parents of a route, and ancestors of a policy, that a status may have (Gateway API); those of
  /// the last gateways by name are left out.
  static constexpr std::size_t parents_max = 32;
  static constexpr std::size_t ancestors_max = 16;
  static constexpr Millis serving_wait_max{100};
  static constexpr Millis write_interval_min{50}, write_interval_max{450};
  static constexpr Millis write_quiet{200};
  static constexpr Millis write_retry{1'000}; ///< After one that failed.

  /// The whole word of an object's own actor.
  void own(Instant now, const model::ObjectStatus& status);
  /// One gateway's word on a route or policy: other gateways' parents stay.
  void route(Instant now, const RouteStatus& status);
  /// A gateway's word on a ListenerSet.
  void listener_set(Instant now, const ListenerSetStatus& status);
  /// What all proxies of a gateway serve, or do not: a condition of each parent of the gateway's,
  /// or listener, that says nothing of it by itself.
  void serving(Instant now, const ServingStatus& status);
  /// What stands in the way of a Gateway's pods: it is not programmed then, whatever else is said.
  void deployment(Instant now, const DeploymentStatus& status);
  /// What the gateway said of ListenerSets and policies, and of routes too, counts no more.
  void forget(Instant now, const model::Name& gateway, bool routes_too);
  /// A resource's actor failed or runs again.
  void health(Instant now, const ActorHealth& health);

  /// Statuses that are due; each is under way until written() is told of it.
  std::vector<model::ObjectStatus> take(Instant now);
  /// When the next one is due; nothing: not before something is said or written.
  std::optional<Instant> due() const;
  void written(Instant now, const model::ObjectKey& object, bool ok);

private:
  struct Entry {
    std::optional<model::ObjectStatus> own;
    std::map<model::Name, std::vector<model::ParentStatus>> parents;       // By gateway.
    std::map<model::Name, model::ObjectStatus> of_set;                     // By gateway.
    std::map<std::pair<model::Name, std::string>, ServingStatus> services; // By gateway, listener.
    std::optional<ActorHealth> health;
    std::optional<gateway::resolve::Problem> obstacle; // To the Gateway's deployment.
    std::optional<Instant> dirty;                      // Since when.
    Instant touched{};                                 // The newest change.
    Instant due{};                                     // Where it stands in due_.
    Instant not_before{};                              // Because of the last write.
    Instant not_while_changing{};                      // Neither.
    std::optional<Instant> last;                       // Write.
    Millis interval{0};                                // After it.
    bool under_way = false;
    model::ObjectStatus merged(const model::ObjectKey& object) const;
    bool pending() const;
    bool says() const { return own || !parents.empty() || !of_set.empty() || health; }
    bool nothing() const { return !says() && services.empty() && !obstacle; }
  };
  using Entries = std::map<model::ObjectKey, Entry>;
  void touch(Instant now, const model::ObjectKey& object, Entry& entry);
  void queue(const model::ObjectKey& object, Entry& entry);
  void unqueue(const model::ObjectKey& object, Entry& entry);
  void says_no_more(const model::Name& gateway, const model::ObjectKey& object);

  Entries entries_;
  std::set<std::pair<Instant, model::ObjectKey>> due_; // Of what is dirty and not under way.
  std::map<model::Name, std::set<model::ObjectKey>> by_gateway_; // Of what it says something.
};

} // namespace strait::actors
