#include "peering/peering_codec.hpp"

namespace strait::peering::wire {
namespace {

namespace pb = hashicorp::consul::internal::peering;

/// Nothing for the epoch, which stands for never.
template <class Mutable>
void fill_time(WallTime in, Mutable field) {
  if (in == WallTime{})
    return;
  auto& out = *field();
  auto ms = in.time_since_epoch().count();
  out.set_seconds(ms / 1000);
  out.set_nanos(static_cast<std::int32_t>(ms % 1000 * 1'000'000));
}
WallTime time_from(const google::protobuf::Timestamp& in) {
  return WallTime{Millis{in.seconds() * 1000 + in.nanos() / 1'000'000}};
}

template <class Strings>
void fill(Strings& out, const std::vector<std::string>& in) {
  for (const auto& text : in)
    out.Add()->assign(text);
}
template <class Strings>
std::vector<std::string> strings(const Strings& in) {
  return {in.begin(), in.end()};
}

} // namespace

void fill(pb::Peering& out, const PeeringView& view) {
  const auto& in = view.peering;
  out.set_id(in.id);
  out.set_name(in.name);
  fill_time(in.deleted_at, [&] { return out.mutable_deletedat(); });
  out.mutable_meta()->insert(in.meta.begin(), in.meta.end());
  out.set_state(static_cast<pb::PeeringState>(in.state));
  out.set_peerid(in.peer_id);
  fill(*out.mutable_peercapems(), in.peer_ca_pems);
  out.set_peerservername(in.peer_server_name);
  fill(*out.mutable_peerserveraddresses(), in.peer_server_addresses);
  fill(*out.mutable_manualserveraddresses(), in.manual_server_addresses);
  out.set_createindex(view.created);
  out.set_modifyindex(view.modified);
  out.mutable_remote()->set_datacenter(in.remote_datacenter);
  out.mutable_remote()->set_partition(in.remote_partition);
  auto& status = *out.mutable_streamstatus();
  fill(*status.mutable_importedservices(), in.status.imported);
  fill(*status.mutable_exportedservices(), in.status.exported);
  fill_time(in.status.last_heartbeat, [&] { return status.mutable_lastheartbeat(); });
  fill_time(in.status.last_receive, [&] { return status.mutable_lastreceive(); });
  fill_time(in.status.last_send, [&] { return status.mutable_lastsend(); });
  status.set_strait_lag(in.status.lag);
  status.set_strait_last_error(in.status.last_error);
}

PeeringView from(const pb::Peering& in) {
  const auto& status = in.streamstatus();
  PeeringView out;
  out.created = in.createindex();
  out.modified = in.modifyindex();
  out.peering = {.name = in.name(),
                 .id = in.id(),
                 .state = static_cast<model::PeeringState>(in.state()),
                 .meta = {in.meta().begin(), in.meta().end()},
                 .peer_id = in.peerid(),
                 .peer_ca_pems = strings(in.peercapems()),
                 .peer_server_name = in.peerservername(),
                 .peer_server_addresses = strings(in.peerserveraddresses()),
                 .manual_server_addresses = strings(in.manualserveraddresses()),
                 .remote_datacenter = in.remote().datacenter(),
                 .remote_partition = in.remote().partition(),
                 .deleted_at = time_from(in.deletedat()),
                 .status = {.imported = strings(status.importedservices()),
                            .exported = strings(status.exportedservices()),
                            .last_heartbeat = time_from(status.lastheartbeat()),
                            .last_receive = time_from(status.lastreceive()),
                            .last_send = time_from(status.lastsend()),
                            .lag = status.strait_lag(),
                            .last_error = status.strait_last_error()}};
  if (!pb::PeeringState_IsValid(in.state()))
    out.peering.state = model::PeeringState::undefined;
  return out;
}

void fill(pb::PeeringTrustBundle& out, const model::TrustBundle& in) {
  out.set_trustdomain(in.trust_domain);
  out.set_peername(in.peer);
  fill(*out.mutable_rootpems(), in.root_pems);
  out.set_exportedpartition(in.exported_partition);
}

model::TrustBundle from(const pb::PeeringTrustBundle& in) {
  return {.peer = in.peername(),
          .trust_domain = in.trustdomain(),
          .root_pems = strings(in.rootpems()),
          .exported_partition = in.exportedpartition()};
}

} // namespace strait::peering::wire
