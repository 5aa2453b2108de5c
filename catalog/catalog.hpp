#pragma once

#include "catalog/command.hpp"

namespace strait::catalog {

/// What one command did: the commit to store, the view that shows it, and which records changed.
struct Outcome {
  storage::Commit commit;
  ViewPtr view;
  std::vector<model::ObjectKey> changed;
  /// Services whose answer changed: an instance, a check or a node of them.
  std::vector<ServiceKey> services;
  bool nothing() const { return commit.writes.empty(); }
};

/// The pure machine. It holds the newest view (committed or about to be) and turns commands into
/// outcomes; it writes and publishes nothing. Owned by the catalog actor.
///
/// One command costs the same whatever the catalog's size, up to the depth of its trees.
class Catalog {
public:
  explicit Catalog(CommandLimits limits = {}) : limits_{limits} {}

  /// Reads everything from the store. Errc::corrupt names the key that cannot be decoded.
  static Result<Catalog> load(const storage::Store& store, CommandLimits limits = {});

  /// An outcome with nothing() keeps the revision; an error changes nothing. `now` stamps creation
  /// and condition transitions.
  Result<Outcome> apply(const Command& command, WallTime now);

  const ViewPtr& view() const { return view_; }

private:
  CommandLimits limits_;
  ViewPtr view_ = std::make_shared<const View>();
};

} // namespace strait::catalog
