#pragma once

#include "actors/messages.hpp"
#include "kubernetes/server_kinds.hpp"
#include "kubernetes/watch.hpp"

namespace strait::actors {

/// A word from a mirror's loop to the actor that owns it.
struct Mirrored {
  std::optional<kubernetes::Item> put; ///< Or, without one …
  std::optional<model::Name> remove;   ///< … this is gone, or without that either …
  bool synced = false;                 ///< … a whole list has been told.
};

/// An object whose status Strait writes, as the server has it.
struct SeenObject {
  model::ObjectKey key;
  std::string path; ///< Of the object itself.
  std::string resource_version;
  std::shared_ptr<const kubernetes::Node> object; ///< Null: it is gone.
};

/// What a request to the API server brought, on its way to the actor that asked.
struct Answered {
  model::ObjectKey about;
  int step = 0; ///< What was asked; the asker's own numbers.
  std::string text{};
  Result<std::string> body{std::string{}};
  int status = 0;
  Millis retry_after{0};
};

} // namespace strait::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(strait::actors::Mirrored)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(strait::actors::SeenObject)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(strait::actors::Answered)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(strait::kubernetes::GatewayApi)

namespace strait::actors {

using mirror_atom = caf::atom_constant<caf::atom("mirror")>;
using serve_atom = caf::atom_constant<caf::atom("serve")>;
using vanish_atom = caf::atom_constant<caf::atom("vanish")>;
using seen_atom = caf::atom_constant<caf::atom("seen")>;
using answer_atom = caf::atom_constant<caf::atom("answer")>;
using lead_atom = caf::atom_constant<caf::atom("lead")>;
using release_atom = caf::atom_constant<caf::atom("release")>;
using retry_atom = caf::atom_constant<caf::atom("retry")>;

/// One per watched kind, or per Secret or ConfigMap that is referred to: mirrors it in the catalog.
using KindActor =
    caf::typed_actor<caf::reacts_to<serve_atom, std::string>, // Its parent: the server has the
                                                              // kind, in this version.
                     caf::reacts_to<vanish_atom>,             // Its parent: not (any more).
                     caf::reacts_to<mirror_atom, Mirrored>,   // The mirror's loop.
                     caf::reacts_to<tick_atom>>; // Itself: try again what the catalog refused.

/// Writes conditions to the API server, while this replica leads.
using KubeStatusActor =
    caf::typed_actor<caf::reacts_to<change_atom, Change>,               // The catalog.
                     caf::reacts_to<seen_atom, SeenObject>,             // A kind actor.
                     caf::reacts_to<seen_atom, kubernetes::GatewayApi>, // The Kubernetes actor: the
                                                                        // CRDs there are.
                     caf::reacts_to<lead_atom, bool>,                   // The lease actor.
                     caf::reacts_to<answer_atom, Answered>,             // The client's loop.
                     caf::reacts_to<retry_atom, model::ObjectKey>>; // Itself: the backoff is over.

/// Takes part in the election of the replica that writes.
using LeaseActor =
    caf::typed_actor<caf::reacts_to<answer_atom, Answered>,      // The client's loop.
                     caf::reacts_to<tick_atom>,                  // Itself.
                     caf::replies_to<release_atom>::with<bool>>; // Whoever ends the agent: give it
                                                                 // up.

/// The head of the Kubernetes edge: finds out which kinds there are, owns the actors of all.
using KubernetesActor = caf::typed_actor<
    caf::reacts_to<change_atom, Change>,       // The catalog: what refers to Secrets.
    caf::reacts_to<mirror_atom, Mirrored>,     // CRDs came, changed or went.
    caf::reacts_to<answer_atom, Answered>,     // The client's loop: discovery.
    caf::reacts_to<synced_atom, std::string>,  // A kind actor: its first list is in.
    caf::reacts_to<tick_atom>,                 // Itself: discover again.
    caf::replies_to<synced_atom>::with<bool>>; // The agent: told once all kinds are in.

} // namespace strait::actors
