#pragma once

#include "actors/messages.hpp"
#include "base/log.hpp"
#include "peering/link.hpp"
#include "peering/wire.hpp"

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(strait::peering::Message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::shared_ptr<strait::peering::Stream>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(strait::peering::PeerAcceptor::Admit)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(strait::peering::Code)

namespace strait::actors {

using accept_atom = caf::atom_constant<caf::atom("accept")>;
using stream_atom = caf::atom_constant<caf::atom("stream")>;
using gone_atom = caf::atom_constant<caf::atom("gone")>;

/// One per peered datacenter: owns the link, carries out its effects, decides nothing.
using PeerActor = caf::typed_actor<
    caf::reacts_to<change_atom, Change>, // The catalog: our record, exports, roots.
    caf::reacts_to<accept_atom, std::shared_ptr<peering::Stream>,
                   peering::PeerAcceptor::Admit>, // The desk: the peer dialed and is let in.
    caf::reacts_to<stream_atom, std::uint64_t, peering::Message>,         // The wire.
    caf::reacts_to<gone_atom, std::uint64_t, peering::Code, std::string>, // The wire.
    caf::reacts_to<tick_atom>>;

struct PeerOptions {
  std::string datacenter;
  std::string store_id;
  Log log;
};

struct PeerState {
  static inline const char* name = "peer";
  std::unique_ptr<peering::Link> link;
  std::map<peering::Link::StreamId, std::shared_ptr<peering::Stream>> streams;
  peering::Link::StreamId accepted = 0;
  Instant wakes_at = Instant::max(); ///< When a tick is on its way for.
  model::PeeringState told{};        ///< The state that was logged last.

  PeerState() = default;
  ~PeerState(); ///< Hangs up, however the actor ended.
};

PeerActor::behavior_type peer_actor(PeerActor::stateful_pointer<PeerState> self,
                                    std::string peering, CatalogActor catalog, PeerOptions options);

} // namespace strait::actors
