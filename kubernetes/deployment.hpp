#pragma once

#include "base/time.hpp"
#include "kubernetes/object_path.hpp"
#include "kubernetes/watch.hpp"

#include <map>
#include <optional>
#include <set>
#include <variant>

namespace strait::kubernetes {

struct DeploymentOptions {
  Millis retry_min{500}; ///< Doubled with each failure of an object, up to …
  Millis retry_max{30'000};
  std::size_t in_flight_max = 32; ///< Requests, of all gateways.
};

/// Keeps the objects of all gateways as they are desired, and removes what is not desired any more:
/// a pure machine. Its owner brings what is desired, what the watches of managed objects say and
/// how requests ended, and carries out the effects. Nothing is written for an object that is as it
/// was left; one that somebody else made is not touched.
class Deployment {
public:
  struct Look { ///< Is there an object of that name? Answer with looked().
    ObjectId id;
  };
  struct Apply { ///< Server-side apply; answer with applied().
    ObjectId id;
    std::string body;
  };
  struct Delete { ///< If it still has that uid; answer with deleted().
    ObjectId id;
    std::string uid;
  };
  /// What stands in the way of a gateway's objects; nothing: they are as desired. Once per change.
  struct Told {
    model::Name gateway;
    std::optional<Error> error;
  };
  using Effect = std::variant<Look, Apply, Delete, Told>;
  using Effects = std::vector<Effect>;

  explicit Deployment(DeploymentOptions options = {}) : options_{options} {}

  /// What a Gateway's objects are to be, in the order of making; an error is told as it is, and the
  /// objects stay as they are.
  Effects want(Instant now, const model::Name& gateway, const std::string& uid,
               Result<std::vector<Node>> objects);
  /// The Gateway is not ours (any more), but there: its objects are removed.
  Effects withdraw(Instant now, const model::Name& gateway);
  /// The Gateway is gone: Kubernetes removes what it owned.
  void forget(const model::Name& gateway);

  /// The watches of managed objects. Nothing is requested before all have listed theirs.
  Effects seen(Instant now, const ObjectId& id, const Item& live);
  Effects gone(Instant now, const ObjectId& id);
  Effects synced(Instant now);

  /// The object as it is, or nothing.
  Effects looked(Instant now, const ObjectId& id, Result<std::optional<Node>> live);
  /// The object as it is now.
  Effects applied(Instant now, const ObjectId& id, Result<Node> live);
  Effects deleted(Instant now, const ObjectId& id, const Status& outcome);
  /// A few times a second: what failed is tried again when it is due.
  Effects tick(Instant now);

  std::size_t in_flight() const { return in_flight_; }

private:
  enum class Phase : std::uint8_t { idle, looking, applying, deleting };
  struct Object {
    model::Name gateway;
    std::size_t order = 0;       // Among the gateway's.
    std::optional<Node> desired; // Nothing: it is to go.
    std::string body;            // Of `desired`.
    std::optional<Node> live;    // As the server has it, if it is ours.
    std::string live_uid;
    std::string applied_body;       // Taken by the server …
    std::optional<Node> as_applied; // … and what it made of our fields.
    bool vacant = false;            // Looked for, and not there.
    Phase phase = Phase::idle;
    Instant due{};
    Millis delay{0};
    std::optional<Error> error;
  };
  struct Gateway {
    std::string uid;
    bool wanted = false;
    std::optional<Error> refused; // There is no telling what it needs.
    bool told = false;
    std::optional<Error> last_told;
  };

  void step(Instant now, const ObjectId& id, Object& object, Effects& effects);
  void failed(Instant now, Object& object, Error error);
  void tell(const model::Name& gateway, Effects& effects);
  Effects settle(Instant now, const ObjectId& id);
  Effects advance(Instant now, const model::Name& gateway);

  DeploymentOptions options_;
  std::map<ObjectId, Object> objects_;
  std::map<model::Name, Gateway> gateways_;
  std::map<model::Name, std::set<ObjectId>> by_gateway_;
  std::size_t in_flight_ = 0;
  bool synced_ = false;
};

/// Of `live` only the fields that `desired` has, for comparing what we wrote with what is there:
/// the server adds fields, and writes some values in another way ("0.1" as "100m").
Node restricted(const Node& live, const Node& desired);
/// The same values; positions and the order of maps do not count.
bool same(const Node& a, const Node& b);

/// The uid of the controller that owns the object, or empty.
std::string owner_uid(const Node& object);

} // namespace strait::kubernetes
