#pragma once

#include "actors/messages.hpp"
#include "base/log.hpp"
#include "catalog/health.hpp"

namespace strait::actors {

/// What a probe found; null connection results are Status.
using HttpFound = Result<catalog::CheckRunner::HttpAnswer>;
/// Told whether a report was taken.
using ReportTaken = std::function<void(const Status&)>;

} // namespace strait::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(strait::model::Health)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(strait::actors::HttpFound)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(strait::Status)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(strait::actors::ReportTaken)

namespace strait::actors {

using http_atom = caf::atom_constant<caf::atom("http")>;
using tcp_atom = caf::atom_constant<caf::atom("tcp")>;

/// Runs the checks of this agent's own node: HTTP and TCP probes, TTLs.
using ChecksActor =
    caf::typed_actor<caf::reacts_to<change_atom, Change>, // The catalog: checks came, changed or
                                                          // went.
                     caf::reacts_to<report_atom, std::string, model::Health, std::string,
                                    ReportTaken>, // An API: a TTL check by id says this.
                     caf::reacts_to<http_atom, std::string, std::uint64_t, HttpFound>, // A probe.
                     caf::reacts_to<tcp_atom, std::string, std::uint64_t, Status>,     // A probe.
                     caf::reacts_to<tick_atom>>;

struct ChecksState {
  static inline const char* name = "checks";
  catalog::CheckRunner runner;
  std::set<std::string> known;
  Instant wakes_at = Instant::max();
};

ChecksActor::behavior_type checks_actor(ChecksActor::stateful_pointer<ChecksState> self,
                                        std::string node, CatalogActor catalog, Log log);

} // namespace strait::actors
