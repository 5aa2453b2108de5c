#pragma once

#include "actors/catalog_actor.hpp"
#include "actors/peer_actor.hpp"
#include "peering/frontend.hpp"
#include "peering/wire.hpp"

namespace strait::actors {

struct DeskState;
using DeskJob = std::function<void()>;
} // namespace strait::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(strait::actors::DeskJob)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(strait::actors::PeerActor)

namespace strait::actors {

using job_atom = caf::atom_constant<caf::atom("job")>;
using peer_atom = caf::atom_constant<caf::atom("peer")>;

/// Does the desk's work one job at a time.
using DeskActor =
    caf::typed_actor<caf::reacts_to<job_atom, DeskJob>,                   // The desk.
                     caf::reacts_to<peer_atom, std::string, caf::actor>>; // Root: a peering's actor
                                                                          // (again).

/// Where peerings are asked for (gRPC, HTTP) and where peers ring: plans by peering/frontend.hpp,
/// carries out through the catalog, hands admitted streams to the peer's actor. Any thread may call
/// any method; answers come on an actor's thread.
class PeeringDesk : public peering::PeerAcceptor, public peering::PeeringHandler {
public:
  PeeringDesk(caf::actor_system& system, CatalogActor catalog, std::shared_ptr<ViewBox> view,
              peering::FrontendContext context);
  ~PeeringDesk() override;

  const DeskActor& actor() const { return desk_; }

  void opened(peering::Message first, std::shared_ptr<peering::Stream> stream,
              Admit answer) override;
  void exchange(std::string peer_id, std::string secret,
                std::function<void(Result<std::string>)> answer) override;

  void generate_token(peering::GenerateTokenRequest request, Answer<std::string> answer) override;
  void establish(peering::EstablishRequest request, Answer<void> answer) override;
  void read(std::string name, Answer<PeeringRecord> answer) override;
  void list(Answer<std::vector<PeeringRecord>> answer) override;
  void remove(std::string name, Answer<void> answer) override;
  void read_trust_bundle(std::string name, Answer<BundleRecord> answer) override;
  void list_trust_bundles(std::string service, std::string kind,
                          Answer<std::vector<BundleRecord>> answer) override;

private:
  struct Work;
  std::shared_ptr<Work> work_;
  DeskActor desk_;
};

} // namespace strait::actors
