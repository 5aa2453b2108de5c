#include "peering/peering_client.hpp"
#include "peering/peering_codec.hpp"
#include "peering/stream_wire.hpp"
#include "proto/consul/peering.grpc.pb.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

namespace strait::peering {
namespace {

namespace pb = hashicorp::consul::internal::peering;

std::unique_ptr<pb::PeeringService::Stub> make_stub(const PeeringClient::Options& options) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  std::shared_ptr<grpc::ChannelCredentials> credentials = grpc::InsecureChannelCredentials();
  if (!options.ca_pem.empty()) {
    credentials = grpc::SslCredentials({options.ca_pem, "", ""});
    if (!options.server_name.empty())
      arguments.SetSslTargetNameOverride(options.server_name);
  }
  return pb::PeeringService::NewStub(
      grpc::CreateCustomChannel(options.address, credentials, arguments));
}

} // namespace

struct PeeringClient::Stub {
  std::unique_ptr<pb::PeeringService::Stub> calls;
  Millis time_limit;
  std::string address;

  template <class Request, class Response>
  Result<Response> call(grpc::Status (pb::PeeringService::Stub::*method)(grpc::ClientContext*,
                                                                         const Request&, Response*),
                        const Request& request) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + time_limit);
    Response response;
    auto status = (calls.get()->*method)(&context, request, &response);
    if (status.ok())
      return response;
    auto error = wire::to_error(status);
    if (error.code == Errc::unavailable)
      error.detail = fmt::format("agent at {}: {}", address, error.detail);
    return fail(std::move(error));
  }
};

PeeringClient::PeeringClient(Options options)
    : options_{std::move(options)}, stub_{new Stub{make_stub(options_), options_.time_limit,
                                                   options_.address}} {}
PeeringClient::~PeeringClient() = default;

Result<std::string> PeeringClient::generate_token(const GenerateTokenRequest& in) {
  pb::GenerateTokenRequest request;
  request.set_peername(in.peer_name);
  request.set_partition(in.partition);
  request.mutable_meta()->insert(in.meta.begin(), in.meta.end());
  for (const auto& address : in.server_external_addresses)
    request.add_serverexternaladdresses(address);
  return stub_->call(&pb::PeeringService::Stub::GenerateToken, request)
      .map([](const auto& response) { return response.peeringtoken(); });
}

Status PeeringClient::establish(const EstablishRequest& in) {
  pb::EstablishRequest request;
  request.set_peername(in.peer_name);
  request.set_peeringtoken(in.peering_token);
  request.set_partition(in.partition);
  request.mutable_meta()->insert(in.meta.begin(), in.meta.end());
  return stub_->call(&pb::PeeringService::Stub::Establish, request).map([](const auto&) {});
}

Result<PeeringView> PeeringClient::read(const std::string& name) {
  pb::PeeringReadRequest request;
  request.set_name(name);
  auto response = stub_->call(&pb::PeeringService::Stub::PeeringRead, request);
  if (!response)
    return fail(response.error());
  if (!response->has_peering())
    return fail(Errc::not_found, "Peering not found for \"{}\"", name);
  return wire::from(response->peering());
}

Result<std::vector<PeeringView>> PeeringClient::list() {
  return stub_->call(&pb::PeeringService::Stub::PeeringList, pb::PeeringListRequest{})
      .map([](const auto& response) {
        std::vector<PeeringView> all;
        for (const auto& peering : response.peerings())
          all.push_back(wire::from(peering));
        return all;
      });
}

Status PeeringClient::remove(const std::string& name) {
  pb::PeeringDeleteRequest request;
  request.set_name(name);
  return stub_->call(&pb::PeeringService::Stub::PeeringDelete, request).map([](const auto&) {});
}

Result<model::TrustBundle> PeeringClient::read_trust_bundle(const std::string& name) {
  pb::TrustBundleReadRequest request;
  request.set_name(name);
  auto response = stub_->call(&pb::PeeringService::Stub::TrustBundleRead, request);
  if (!response)
    return fail(response.error());
  if (!response->has_bundle())
    return fail(Errc::not_found, "no trust bundle has been received from peering \"{}\"", name);
  return wire::from(response->bundle());
}

Result<std::vector<model::TrustBundle>>
PeeringClient::list_trust_bundles(const std::string& service, const std::string& kind) {
  pb::TrustBundleListByServiceRequest request;
  request.set_servicename(service);
  request.set_kind(kind);
  return stub_->call(&pb::PeeringService::Stub::TrustBundleListByService, request)
      .map([](const auto& response) {
        std::vector<model::TrustBundle> all;
        for (const auto& bundle : response.bundles())
          all.push_back(wire::from(bundle));
        return all;
      });
}

} // namespace strait::peering
