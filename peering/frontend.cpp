#include "peering/frontend.hpp"

#include "base/ascii.hpp"
#include "peering/authority.hpp"
#include "peering/exports.hpp"
#include "peering/names.hpp"
#include "peering/secrets.hpp"

#include <set>

namespace strait::peering {
namespace {

using model::PeeringState;

Status check_partition(std::string_view partition) {
  if (partition.empty() || partition == "default")
    return {};
  return fail(Errc::invalid, "partition \"{}\": only the default partition exists", partition);
}

Status check_meta(const std::string& name, const model::StringMap& meta,
                  const FrontendLimits& limits) {
  if (meta.size() > limits.meta_pairs_max)
    return fail(Errc::invalid, "peering {}: meta has {} pairs, the maximum is {}", name,
                meta.size(), limits.meta_pairs_max);
  for (const auto& [key, value] : meta) {
    if (key.empty() || key.size() > limits.meta_key_bytes_max)
      return fail(Errc::invalid, "peering {}: meta key \"{}\": must have 1..{} bytes", name,
                  key.substr(0, limits.meta_key_bytes_max), limits.meta_key_bytes_max);
    if (value.size() > limits.meta_value_bytes_max)
      return fail(Errc::invalid, "peering {}: meta {}: has {} bytes, the maximum is {}", name, key,
                  value.size(), limits.meta_value_bytes_max);
  }
  return {};
}

Status check_head(const std::string& name, const std::string& partition,
                  const model::StringMap& meta, const FrontendLimits& limits) {
  if (auto ok = check_peer_name(name); !ok)
    return ok;
  if (auto ok = check_partition(partition); !ok)
    return ok;
  return check_meta(name, meta, limits);
}

/// What stands under the name now, if a write may replace it.
Result<catalog::RecordPtr<model::Peering>>
writable(const catalog::View& view, const std::string& name, const FrontendLimits& limits) {
  auto stored = view.record<model::Peering>({"", name});
  if (stored && stored->value.state == PeeringState::deleting)
    return fail(Errc::conflict, "peering {}: cannot write to peering that is marked for deletion",
                name);
  if (!stored && view.table<model::Peering>().size() >= limits.peerings_max)
    return fail(Errc::exhausted, "peering {}: there are {} peerings already, the maximum", name,
                limits.peerings_max);
  return stored;
}

catalog::RecordPtr<model::Peering> peering_with_id(const catalog::View& view, std::string_view id) {
  for (const auto& item : view.table<model::Peering>())
    if (!id.empty() && item.second->value.id == id)
      return item.second;
  return nullptr;
}

struct Secrets {
  model::PeeringSecrets value;
  catalog::Revision modified = 0;
};
Secrets secrets_of(const catalog::View& view, const std::string& name) {
  auto record = view.record<model::PeeringSecrets>({"", name});
  return record ? Secrets{record->value, record->modified}
                : Secrets{model::PeeringSecrets{.peering = name}, 0};
}

std::string follower_text() { return "cannot establish a peering stream on a follower node"; }

bool leaving(PeeringState state) {
  return state == PeeringState::deleting || state == PeeringState::terminated;
}

} // namespace

Result<Plan<std::string>> generate_token(const catalog::View& view, const FrontendContext& context,
                                         const GenerateTokenRequest& request, const FreshIds& fresh,
                                         const FrontendLimits& limits) {
  const auto& name = request.peer_name;
  if (auto ok = check_head(name, request.partition, request.meta, limits); !ok)
    return fail(ok.error());
  if (request.server_external_addresses.size() > limits.external_addresses_max)
    return fail(Errc::exhausted, "peering {}: has {} server external addresses, the maximum is {}",
                name, request.server_external_addresses.size(), limits.external_addresses_max);
  for (const auto& address : request.server_external_addresses)
    if (!is_server_address(address))
      return fail(Errc::invalid, "peering {}: {} is not a valid peering server address", name,
                  address);
  if (!context.tls)
    return fail(Errc::invalid, "TLS for gRPC must be enabled when generating peering tokens");
  auto authority = authority_of(view);
  if (!authority)
    return fail(Errc::unavailable, "CA has not finished initializing");
  auto stored = writable(view, name, limits);
  if (!stored)
    return fail(stored.error());
  if (*stored && (*stored)->value.dials())
    return fail(Errc::conflict,
                "cannot create peering with name: \"{}\": the name is taken by a peering that "
                "dials another datacenter; choose another name or delete that one",
                name);
  model::Peering peering = *stored ? (*stored)->value : model::Peering{};
  peering.name = name;
  if (peering.id.empty())
    peering.id = fresh.peering_id;
  if (!request.meta.empty() || !*stored)
    peering.meta = request.meta;
  if (peering.state == PeeringState::undefined || peering.state == PeeringState::terminated)
    peering.state = PeeringState::pending;
  const auto& trust_domain = authority->value.trust_domain;
  Token token{.manual_server_addresses = request.server_external_addresses,
              .server_addresses = server_addresses(view),
              .server_name = peering_server_name(context.datacenter, trust_domain),
              .peer_id = peering.id,
              .establishment_secret = fresh.secret,
              .remote_datacenter = context.datacenter};
  for (const auto& root : authority->value.roots)
    token.ca_pems.push_back(root.certificate_pem);
  if (token.server_addresses.empty())
    token.server_addresses = context.server_addresses;
  if (auto ok = check_token(token); !ok)
    return fail(Errc::unavailable, "peering {}: no token can be made: {}", name, ok.error().detail);
  auto secrets = secrets_of(view, name);
  return Plan<std::string>{
      {catalog::WritePeering{.peering = std::move(peering),
                             .secrets = issue_token(std::move(secrets.value), fresh.secret),
                             .cas = *stored ? (*stored)->modified : 0,
                             .secrets_cas = secrets.modified}},
      encode_token(token)};
}

Result<EstablishPlan> plan_establish(const catalog::View& view, const FrontendContext& context,
                                     const EstablishRequest& request, const FreshIds& fresh,
                                     const FrontendLimits& limits) {
  const auto& name = request.peer_name;
  if (auto ok = check_head(name, request.partition, request.meta, limits); !ok)
    return fail(ok.error());
  auto token = decode_token(request.peering_token);
  if (!token)
    return fail(token.error());
  if (auto authority = authority_of(view);
      authority &&
      token->server_name == peering_server_name(context.datacenter, authority->value.trust_domain))
    return fail(Errc::invalid,
                "cannot create a peering within the same cluster: the token is of this datacenter "
                "({})",
                context.datacenter);
  auto stored = writable(view, name, limits);
  if (!stored)
    return fail(stored.error());
  EstablishPlan plan{.token = std::move(*token), .peering = {}, .cas = 0};
  auto& peering = plan.peering;
  bool connected = false;
  if (*stored) {
    peering = (*stored)->value;
    plan.cas = (*stored)->modified;
    if (!peering.dials())
      return fail(Errc::conflict,
                  "cannot create peering with name: \"{}\": the name is taken by a peering that "
                  "another datacenter dials; choose another name or delete that one",
                  name);
    connected = peering.state == PeeringState::active;
    if (connected && peering.peer_id != plan.token.peer_id)
      return fail(Errc::conflict,
                  "cannot create peering with name: \"{}\": the name is taken by an active peering "
                  "with datacenter {}; choose another name or delete that one",
                  name, peering.remote_datacenter);
  }
  peering.name = name;
  if (peering.id.empty())
    peering.id = fresh.peering_id;
  if (!request.meta.empty() || !*stored)
    peering.meta = request.meta;
  peering.state = PeeringState::establishing;
  peering.peer_id = plan.token.peer_id;
  peering.peer_ca_pems = plan.token.ca_pems;
  peering.peer_server_name = plan.token.server_name;
  if (!connected) { // A live stream knows better where its peer is.
    peering.peer_server_addresses = plan.token.server_addresses;
    peering.manual_server_addresses = plan.token.manual_server_addresses;
  }
  peering.remote_datacenter = plan.token.remote_datacenter;
  peering.remote_partition = plan.token.remote_partition;
  peering.deleted_at = {};
  return plan;
}

catalog::Command finish_establish(EstablishPlan plan, std::string stream_secret) {
  model::PeeringSecrets secrets{.peering = plan.peering.name,
                                .active_stream = std::move(stream_secret)};
  return catalog::WritePeering{
      .peering = std::move(plan.peering), .secrets = std::move(secrets), .cas = plan.cas};
}

Result<catalog::RecordPtr<model::Peering>> read_peering(const catalog::View& view,
                                                        std::string_view name) {
  if (auto record = view.record<model::Peering>({"", ascii_lower(name)}))
    return record;
  return fail(Errc::not_found, "Peering not found for \"{}\"", name);
}

std::vector<catalog::RecordPtr<model::Peering>> list_peerings(const catalog::View& view) {
  std::vector<catalog::RecordPtr<model::Peering>> all;
  for (const auto& item : view.table<model::Peering>())
    all.push_back(item.second);
  return all;
}

Result<std::vector<catalog::Command>> delete_peering(const catalog::View& view,
                                                     std::string_view name, WallTime now) {
  if (name.empty())
    return fail(Errc::invalid, "peering: name: must not be empty");
  std::vector<catalog::Command> commands;
  auto stored = view.record<model::Peering>({"", ascii_lower(name)});
  if (!stored || stored->value.state == PeeringState::deleting)
    return commands;
  auto peering = stored->value;
  peering.state = PeeringState::deleting;
  peering.deleted_at = now;
  commands.push_back(
      catalog::WritePeering{.peering = std::move(peering), .secrets = {}, .cas = stored->modified});
  return commands;
}

catalog::RecordPtr<model::TrustBundle> read_trust_bundle(const catalog::View& view,
                                                         std::string_view name) {
  return view.record<model::TrustBundle>({"", ascii_lower(name)});
}

std::vector<catalog::RecordPtr<model::TrustBundle>>
list_trust_bundles(const catalog::View& view, std::string_view service, std::string_view kind) {
  std::set<std::string> exact, any;
  bool named = false;
  for (const auto& item : view.table<model::ExportedServices>())
    for (const auto& entry : item.second->value.services) {
      named = named || entry.service == service;
      if (entry.service == service)
        exact.insert(entry.peers.begin(), entry.peers.end());
      else if (entry.service == "*")
        any.insert(entry.peers.begin(), entry.peers.end());
    }
  const auto& peers = named ? exact : any; // The exact name beats the wildcard.
  std::vector<catalog::RecordPtr<model::TrustBundle>> bundles;
  for (const auto& item : view.table<model::TrustBundle>()) {
    const auto* peering = view.find<model::Peering>(item.first);
    bool wanted = kind == "mesh-gateway" || peers.count(item.second->value.peer) > 0;
    if (wanted && peering && !leaving(peering->state))
      bundles.push_back(item.second);
  }
  return bundles;
}

Result<Plan<std::string>> accept_exchange(const catalog::View& view, const FrontendContext& context,
                                          std::string_view peer_id, std::string_view secret,
                                          const FreshIds& fresh) {
  if (!context.owns_streams)
    return fail(Errc::unavailable, "{}", follower_text());
  auto record = peering_with_id(view, peer_id);
  auto secrets = secrets_of(view, record ? record->value.name : std::string{});
  // Whether the peering exists is nobody's business: both faults have one text.
  auto exchanged = exchange_secret(std::move(secrets.value), secret, fresh.secret);
  if (!exchanged)
    return fail(exchanged.error());
  if (!record || leaving(record->value.state))
    return fail(Errc::denied, "invalid peering establishment secret");
  return Plan<std::string>{{catalog::WritePeering{.peering = record->value,
                                                  .secrets = std::move(*exchanged),
                                                  .cas = record->modified,
                                                  .secrets_cas = secrets.modified}},
                           fresh.secret};
}

tl::expected<Admission, Refusal> admit(const catalog::View& view, const FrontendContext& context,
                                       const Message& first) {
  auto refuse = [](Code code, std::string message) {
    return tl::unexpected<Refusal>(Refusal{code, std::move(message), {}, false});
  };
  if (!context.owns_streams)
    return tl::unexpected<Refusal>(
        Refusal{Code::failed_precondition, follower_text(), context.leader_address, false});
  const auto* open = std::get_if<Open>(&first);
  if (!open)
    return refuse(Code::invalid_argument, "first message when initiating a peering must be: Open");
  if (open->peer_id.empty())
    return refuse(Code::invalid_argument, "missing PeerID in the Open message");
  auto record = peering_with_id(view, open->peer_id);
  if (!record)
    return refuse(Code::invalid_argument,
                  fmt::format("initial subscription for unknown PeerID: {}", open->peer_id));
  const auto& peering = record->value;
  if (leaving(peering.state))
    return tl::unexpected<Refusal>(
        Refusal{Code::aborted,
                fmt::format("peering is marked as deleted: {}", open->peer_id),
                {},
                peering.state != PeeringState::terminated});
  auto secrets = secrets_of(view, peering.name);
  if (secrets.modified == 0)
    return refuse(Code::internal, "unable to authorize connection, peering must be re-established");
  auto opened = open_stream(std::move(secrets.value), open->stream_secret);
  if (!opened)
    return refuse(Code::permission_denied, opened.error().detail);
  if (!peering.peer_id.empty())
    return refuse(Code::unknown, "expected PeerID to be empty; the wrong end of peering is being "
                                 "dialed");
  if (!authority_of(view))
    return refuse(Code::unavailable, "the certificate authority is not ready");
  Admission admission{peering.name, {}};
  bool told = peering.remote_datacenter == open->remote.datacenter &&
              peering.remote_partition == open->remote.partition;
  if (*opened || !told) {
    catalog::WritePeering write{
        .peering = peering, .cas = record->modified, .secrets_cas = secrets.modified};
    write.peering.remote_datacenter = open->remote.datacenter;
    write.peering.remote_partition = open->remote.partition;
    write.secrets = *opened;
    admission.commands.push_back(std::move(write));
  }
  return admission;
}

} // namespace strait::peering
