#pragma once

#include "actors/status_ledger.hpp"
#include "base/log.hpp"

namespace strait::actors {

struct StatusState {
  static inline const char* name = "status";
  StatusLedger ledger;
  std::optional<Instant> waking; ///< When the next tick comes.
};

/// Writes merged conditions to the catalog, from where `strait get` and the Kubernetes edge read.
StatusActor::behavior_type status_actor(StatusActor::stateful_pointer<StatusState> self,
                                        CatalogActor catalog, Log log);

} // namespace strait::actors
