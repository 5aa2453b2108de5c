#pragma once

#include "catalog/command.hpp"
#include "peering/message.hpp"
#include "peering/token.hpp"

#include <map>
#include <string>
#include <vector>

/// Peering as people and programs ask for it (Consul's PeeringService), and the acceptor's half of
/// its two stream calls. Pure: from a view and a request to the commands to apply and the reply to
/// give once they are committed.
///
/// Every command names the revisions that it was made from. When one is refused with
/// Errc::conflict, plan again from a newer view, at most replans_max times; the reply of a plan
/// whose commands failed must not be given.
namespace strait::peering {

inline constexpr int replans_max = 8;

template <class Reply>
struct Plan {
  std::vector<catalog::Command> commands;
  Reply reply;
};

/// Of this agent.
struct FrontendContext {
  std::string datacenter;
  bool tls = true; ///< The gRPC port for peers speaks TLS.
  /// For tokens, when no instance of service "consul" says its address.
  std::vector<std::string> server_addresses;
  bool owns_streams = true;   ///< False: another server of this datacenter does.
  std::string leader_address; ///< Its host:port, or empty.
};

/// Fresh random UUIDs, made by whoever calls (base/random.hpp).
struct FreshIds {
  std::string peering_id;
  std::string secret;
};

struct FrontendLimits {
  std::size_t meta_pairs_max = 64;
  std::size_t meta_key_bytes_max = 128;
  std::size_t meta_value_bytes_max = 512;
  std::size_t external_addresses_max = 64;
  std::size_t peerings_max = 1000;
};

struct GenerateTokenRequest {
  std::string peer_name;
  std::string partition;
  model::StringMap meta;
  std::vector<std::string> server_external_addresses;
};
/// Replies with the token. A name that is in use by an acceptor gets a new secret, and its stream
/// goes on.
Result<Plan<std::string>> generate_token(const catalog::View& view, const FrontendContext& context,
                                         const GenerateTokenRequest& request, const FreshIds& fresh,
                                         const FrontendLimits& limits = {});

struct EstablishRequest {
  std::string peer_name;
  std::string peering_token;
  std::string partition;
  model::StringMap meta;
};
/// Step one of two: what is to be done before anything is written. The caller exchanges
/// token.establishment_secret at the token's addresses (wire.hpp), then finishes with the stream
/// secret it got. A failed exchange leaves nothing behind.
struct EstablishPlan {
  Token token;
  model::Peering peering;
  catalog::Cas cas; ///< Of the record that it replaces; 0: there is none.
};
Result<EstablishPlan> plan_establish(const catalog::View& view, const FrontendContext& context,
                                     const EstablishRequest& request, const FreshIds& fresh,
                                     const FrontendLimits& limits = {});
/// Step two. Not to be planned again after a conflict: somebody else changed the peering meanwhile.
catalog::Command finish_establish(EstablishPlan plan, std::string stream_secret);

/// Errc::not_found `Peering not found for "x"`. The name may be in any case.
Result<catalog::RecordPtr<model::Peering>> read_peering(const catalog::View& view,
                                                        std::string_view name);
std::vector<catalog::RecordPtr<model::Peering>> list_peerings(const catalog::View& view);
/// Marks it; the owner of its stream tells the peer and then removes it. An unknown name succeeds.
Result<std::vector<catalog::Command>> delete_peering(const catalog::View& view,
                                                     std::string_view name, WallTime now);
/// Null: nothing has been received yet.
catalog::RecordPtr<model::TrustBundle> read_trust_bundle(const catalog::View& view,
                                                         std::string_view name);
/// The bundles of all peerings that may call the service; for kind "mesh-gateway", of all.
std::vector<catalog::RecordPtr<model::TrustBundle>>
list_trust_bundles(const catalog::View& view, std::string_view service, std::string_view kind);

// The acceptor.

/// Replies with the stream secret. Errc::denied "invalid peering establishment secret".
Result<Plan<std::string>> accept_exchange(const catalog::View& view, const FrontendContext& context,
                                          std::string_view peer_id, std::string_view secret,
                                          const FreshIds& fresh);

/// Why a stream is not admitted: how its call ends.
struct Refusal {
  Code code = Code::unknown;
  std::string message;
  std::string leader_address; ///< Sent as a detail when not empty.
  bool terminated = false;    ///< A Terminated message goes first: the peering is deleted.
  friend bool operator==(const Refusal&, const Refusal&) = default;
};
struct Admission {
  std::string peering;
  std::vector<catalog::Command> commands; ///< To be committed before the stream is answered.
};
/// Judges the first message of a stream, in the order of Consul.
tl::expected<Admission, Refusal> admit(const catalog::View& view, const FrontendContext& context,
                                       const Message& first);

} // namespace strait::peering
