#pragma once

#include "actors/key_set_fetcher.hpp"
#include "actors/messages.hpp"
#include "base/log.hpp"

namespace strait::actors {

/// What a fetch came to.
using KeySetFound = Result<std::string>;

} // namespace strait::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(strait::actors::KeySetFound)

namespace strait::actors {

using found_atom = caf::atom_constant<caf::atom("found")>;

/// Fetches the key sets of JWTProviders that name a server for them, and keeps what came in the
/// catalog.
using KeySetActor =
    caf::typed_actor<caf::reacts_to<change_atom, Change>, // The catalog: providers.
                     caf::reacts_to<found_atom, model::Name, std::uint64_t,
                                    KeySetFound>, // The fetcher: what a fetch came to.
                     caf::reacts_to<tick_atom>>;  // Itself: a fetch may be due.

struct KeySetOptions {
  std::shared_ptr<KeySetFetcher> fetcher;
  std::uint64_t seed = 0; ///< Of the jitter.
  catalog::KeySetLimits limits;
  std::function<Instant()> clock = now_instant;
  std::function<WallTime()> wall_clock = now_wall;
  Log log;
};

struct KeySetState {
  static inline const char* name = "key-sets";
  std::unique_ptr<catalog::KeySetFetches> fetches;
  Instant wakes_at = Instant::max();
};

KeySetActor::behavior_type key_set_actor(KeySetActor::stateful_pointer<KeySetState> self,
                                         CatalogActor catalog, KeySetOptions options);

} // namespace strait::actors
