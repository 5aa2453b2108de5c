#include "actors/feed_identity.hpp"

#include "peering/authority.hpp"

#include <fstream>
#include <iterator>

namespace strait::actors {

namespace {

Result<std::string> read_file(const std::filesystem::path& path) {
  std::error_code error;
  auto size = std::filesystem::file_size(path, error);
  if (error)
    return fail(Errc::unavailable, "{}: {}", path.string(), error.message());
  if (size > credential_file_bytes_max)
    return fail(Errc::exhausted, "{}: {} bytes, expected at most {}", path.string(), size,
                credential_file_bytes_max);
  std::ifstream file{path, std::ios::binary};
  std::string text{std::istreambuf_iterator<char>{file}, {}};
  if (!file)
    return fail(Errc::unavailable, "{}: cannot be read", path.string());
  return text;
}

std::optional<peering::SpiffeId> gateway_in(const std::vector<std::string>& uris) {
  for (auto& uri : uris)
    if (auto id = peering::parse_spiffe_id(uri);
        id && id->role == peering::SpiffeId::Role::api_gateway)
      return id;
  return {};
}

} // namespace

Status admit_by_certificate(const gateway::feed::ProxyPeer& peer, const gateway::feed::Hello& hello,
                            const std::string& datacenter) {
  if (!peer.tls)
    return fail(Errc::denied, "proxy at {}: a client certificate is needed", peer.address);
  auto id = gateway_in(peer.uris);
  if (!id)
    return fail(Errc::denied, "proxy at {}: its certificate is not that of a gateway process",
                peer.address);
  if (id->datacenter != datacenter || id->ns != hello.gateway_namespace ||
      id->service != hello.gateway_name)
    return fail(Errc::denied,
                "proxy at {}: its certificate is for Gateway {}/{} of datacenter {}, and it asked "
                "for the configuration of Gateway {}/{} of datacenter {}",
                peer.address, id->ns, id->service, id->datacenter, hello.gateway_namespace,
                hello.gateway_name, datacenter);
  return {};
}

Result<gateway::feed::AgentCredentials> read_agent_credentials(const CredentialFiles& files) {
  gateway::feed::AgentCredentials out;
  for (auto [path, text] : {std::pair{&files.roots, &out.roots_pem},
                            {&files.chain, &out.chain_pem},
                            {&files.key, &out.key_pem}}) {
    auto read = read_file(*path);
    if (!read)
      return fail(read.error());
    *text = std::move(*read);
  }
  auto facts = peering::read_certificate(out.chain_pem);
  if (!facts)
    return fail(Errc::invalid, "{}: {}", files.chain.string(), facts.error().detail);
  auto id = gateway_in(facts->uris);
  if (!id)
    return fail(Errc::invalid,
                "{}: expected a certificate of a gateway process "
                "(URI spiffe://…/ns/NS/dc/DC/gateway/NAME)",
                files.chain.string());
  out.server_name = peering::peering_server_name(id->datacenter, id->trust_domain);
  return out;
}

} // namespace strait::actors
