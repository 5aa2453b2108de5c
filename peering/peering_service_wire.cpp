#include "peering/accept_wire.hpp"
#include "peering/names.hpp"
#include "peering/peering_codec.hpp"
#include "peering/stream_wire.hpp"
#include "proto/consul/peering.grpc.pb.h"

/// PeeringService: each call becomes one of the handler's, its answer one message.
namespace strait::peering {
namespace {

namespace pb = hashicorp::consul::internal::peering;

model::StringMap map_of(const google::protobuf::Map<std::string, std::string>& in) {
  return {in.begin(), in.end()};
}

/// An answer that ends the call: with the error, or after `reply` has filled the response in.
template <class T, class Reply>
auto answer(grpc::ServerUnaryReactor* reactor, Reply reply) {
  return [reactor, reply](Result<T> result) {
    if (!result)
      return reactor->Finish(wire::to_status(result.error()));
    if constexpr (std::is_void_v<T>)
      reply();
    else
      reply(*result);
    reactor->Finish(grpc::Status::OK);
  };
}

void fill_record(pb::Peering& out, const PeeringHandler::PeeringRecord& record) {
  wire::fill(out, {record->value, record->created, record->modified});
}
void fill_bundle(pb::PeeringTrustBundle& out, const PeeringHandler::BundleRecord& record) {
  wire::fill(out, record->value);
  out.set_createindex(record->created);
  out.set_modifyindex(record->modified);
}

class PeeringService final : public pb::PeeringService::CallbackService {
public:
  explicit PeeringService(PeeringHandler& handler) : handler_{handler} {}

  grpc::ServerUnaryReactor* GenerateToken(grpc::CallbackServerContext* context,
                                          const pb::GenerateTokenRequest* in,
                                          pb::GenerateTokenResponse* out) override {
    auto* reactor = context->DefaultReactor();
    handler_.generate_token(
        {in->peername(),
         in->partition(),
         map_of(in->meta()),
         {in->serverexternaladdresses().begin(), in->serverexternaladdresses().end()}},
        answer<std::string>(reactor,
                            [out](const std::string& token) { out->set_peeringtoken(token); }));
    return reactor;
  }

  grpc::ServerUnaryReactor* Establish(grpc::CallbackServerContext* context,
                                      const pb::EstablishRequest* in,
                                      pb::EstablishResponse*) override {
    auto* reactor = context->DefaultReactor();
    handler_.establish({in->peername(), in->peeringtoken(), in->partition(), map_of(in->meta())},
                       answer<void>(reactor, [] {}));
    return reactor;
  }

  grpc::ServerUnaryReactor* PeeringRead(grpc::CallbackServerContext* context,
                                        const pb::PeeringReadRequest* in,
                                        pb::PeeringReadResponse* out) override {
    auto* reactor = context->DefaultReactor();
    handler_.read(in->name(),
                  answer<PeeringHandler::PeeringRecord>(reactor, [out](const auto& record) {
                    fill_record(*out->mutable_peering(), record);
                  }));
    return reactor;
  }

  grpc::ServerUnaryReactor* PeeringList(grpc::CallbackServerContext* context,
                                        const pb::PeeringListRequest*,
                                        pb::PeeringListResponse* out) override {
    auto* reactor = context->DefaultReactor();
    handler_.list(
        answer<std::vector<PeeringHandler::PeeringRecord>>(reactor, [out](const auto& records) {
          for (const auto& record : records)
            fill_record(*out->add_peerings(), record);
        }));
    return reactor;
  }

  grpc::ServerUnaryReactor* PeeringDelete(grpc::CallbackServerContext* context,
                                          const pb::PeeringDeleteRequest* in,
                                          pb::PeeringDeleteResponse*) override {
    auto* reactor = context->DefaultReactor();
    handler_.remove(in->name(), answer<void>(reactor, [] {}));
    return reactor;
  }

  grpc::ServerUnaryReactor*
  TrustBundleListByService(grpc::CallbackServerContext* context,
                           const pb::TrustBundleListByServiceRequest* in,
                           pb::TrustBundleListByServiceResponse* out) override {
    auto* reactor = context->DefaultReactor();
    handler_.list_trust_bundles(
        in->servicename(), in->kind(),
        answer<std::vector<PeeringHandler::BundleRecord>>(reactor, [out](const auto& records) {
          for (const auto& record : records)
            fill_bundle(*out->add_bundles(), record);
        }));
    return reactor;
  }

  grpc::ServerUnaryReactor* TrustBundleRead(grpc::CallbackServerContext* context,
                                            const pb::TrustBundleReadRequest* in,
                                            pb::TrustBundleReadResponse* out) override {
    auto* reactor = context->DefaultReactor();
    handler_.read_trust_bundle(
        in->name(), answer<PeeringHandler::BundleRecord>(reactor, [out](const auto& record) {
          if (record)
            fill_bundle(*out->mutable_bundle(), record);
        }));
    return reactor;
  }

private:
  PeeringHandler& handler_;
};

} // namespace

std::shared_ptr<grpc::Service> make_peering_service(PeeringHandler& handler) {
  return std::make_shared<PeeringService>(handler);
}

} // namespace strait::peering
