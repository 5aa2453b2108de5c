#include "base/overload.hpp"
#include "peering/message.hpp"
#include "proto/consul/peerstream.pb.h"

namespace strait::peering {
namespace {

namespace pb = hashicorp::consul::internal::peerstream;

void fill(pb::StoreRevision& out, const StoreRevision& in) {
  out.set_store_id(in.store_id);
  out.set_revision(in.revision);
}

StoreRevision from(const pb::StoreRevision& in) { return {in.store_id(), in.revision()}; }

Open from(const pb::ReplicationMessage::Open& in) {
  return {in.peerid(), in.streamsecretid(), {in.remote().partition(), in.remote().datacenter()}};
}

Request from(const pb::ReplicationMessage::Request& in) {
  Request out{.peer_id = in.peerid(), .nonce = in.responsenonce(), .url = in.resourceurl()};
  if (in.has_error())
    out.failure = {static_cast<Code>(in.error().code()), in.error().message()};
  if (in.has_strait_imported())
    out.imported = from(in.strait_imported());
  out.list_digest = in.strait_list_digest();
  return out;
}

Response from(pb::ReplicationMessage::Response& in) {
  Response out{.nonce = in.nonce(),
               .url = in.resourceurl(),
               .id = in.resourceid(),
               .payload_url = in.resource().type_url(),
               .upsert = in.operation() == pb::OPERATION_UPSERT};
  if (in.has_resource())
    out.payload =
        std::make_shared<const std::string>(std::move(*in.mutable_resource()->mutable_value()));
  return out;
}

} // namespace

std::string encode(const Message& message) {
  pb::ReplicationMessage out;
  std::visit(overload{[&](const Open& in) {
                        auto& open = *out.mutable_open();
                        open.set_peerid(in.peer_id);
                        open.set_streamsecretid(in.stream_secret);
                        open.mutable_remote()->set_partition(in.remote.partition);
                        open.mutable_remote()->set_datacenter(in.remote.datacenter);
                      },
                      [&](const Request& in) {
                        auto& request = *out.mutable_request();
                        request.set_peerid(in.peer_id);
                        request.set_responsenonce(in.nonce);
                        request.set_resourceurl(in.url);
                        if (in.failure) {
                          request.mutable_error()->set_code(static_cast<int>(in.failure->code));
                          request.mutable_error()->set_message(in.failure->message);
                        }
                        if (in.imported)
                          fill(*request.mutable_strait_imported(), *in.imported);
                        request.set_strait_list_digest(in.list_digest);
                      },
                      [&](const Response& in) {
                        auto& response = *out.mutable_response();
                        response.set_nonce(in.nonce);
                        response.set_resourceurl(in.url);
                        response.set_resourceid(in.id);
                        if (in.payload) {
                          response.mutable_resource()->set_type_url(in.payload_url);
                          response.mutable_resource()->set_value(*in.payload);
                        }
                        response.set_operation(in.upsert ? pb::OPERATION_UPSERT
                                                         : pb::OPERATION_UNSPECIFIED);
                      },
                      [&](const Terminated&) { out.mutable_terminated(); },
                      [&](const Heartbeat& in) {
                        auto& heartbeat = *out.mutable_heartbeat();
                        if (in.exported)
                          fill(*heartbeat.mutable_strait_exported(), *in.exported);
                      }},
             message);
  return out.SerializeAsString();
}

Result<Message> decode(std::string_view bytes) {
  pb::ReplicationMessage in;
  if (!in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return fail(Errc::corrupt, "peer stream: {} bytes are not a replication message", bytes.size());
  switch (in.Payload_case()) {
  case pb::ReplicationMessage::kOpen:
    return from(in.open());
  case pb::ReplicationMessage::kRequest:
    return from(in.request());
  case pb::ReplicationMessage::kResponse:
    return from(*in.mutable_response());
  case pb::ReplicationMessage::kTerminated:
    return Terminated{};
  case pb::ReplicationMessage::kHeartbeat: {
    Heartbeat out;
    if (in.heartbeat().has_strait_exported())
      out.exported = from(in.heartbeat().strait_exported());
    return out;
  }
  case pb::ReplicationMessage::PAYLOAD_NOT_SET:
    break;
  }
  return fail(Errc::corrupt, "peer stream: a replication message without content");
}

} // namespace strait::peering
