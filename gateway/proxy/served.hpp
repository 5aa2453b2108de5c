#pragma once

#include "gateway/snapshot/snapshot.hpp"

#include <memory>

namespace strait::gateway::proxy {

/// A snapshot as one worker holds it: counted by the worker alone, so that a request which keeps it
/// shares no cache line with other workers.
struct Served {
  SnapshotPtr snapshot;
};
using ServedPtr = std::shared_ptr<const Served>;

} // namespace strait::gateway::proxy
