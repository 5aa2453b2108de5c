#include "gateway/proxy/upstream_tls.hpp"

#include "gateway/proxy/tls_front.hpp"

#include <algorithm>

namespace strait::gateway::proxy {

namespace {

std::string bundle(const std::vector<std::string>& pems) {
  std::string text;
  for (const auto& pem : pems)
    text.append(pem).append(1, '\n');
  return text;
}

/// Any of the cluster's SPIFFE ids must be among the URIs that the server presents.
net::VerifyPeer expect_any_of(std::vector<std::string> spiffe_ids) {
  return [ids = std::move(spiffe_ids)](const net::PeerIdentity& peer) -> Status {
    for (const auto& uri : peer.uris)
      if (std::find(ids.begin(), ids.end(), uri) != ids.end())
        return {};
    return fail(Errc::denied, "the server's certificate carries none of the expected SPIFFE ids");
  };
}

bool has_alternative_names(const BackendTls& policy) {
  return !policy.dns_names.empty() || !policy.uris.empty();
}

} // namespace

std::shared_ptr<const Certificate>
upstream_certificate(const Cluster& cluster, const Resources<Certificate>& certificates) {
  const std::shared_ptr<const Certificate>* found = nullptr;
  if (cluster.tls)
    found = certificates.find(cluster.tls->identity);
  else if (cluster.backend_tls)
    found = certificates.find(backend_client_certificate);
  return found ? *found : nullptr;
}

Status expect_names(const BackendTls& policy, const net::PeerIdentity& server) {
  for (const auto& wanted : policy.dns_names)
    for (const auto& name : server.dns_names)
      if (coverage(name, wanted) > 0 || coverage(wanted, name) > 0)
        return {};
  for (const auto& wanted : policy.uris)
    if (std::find(server.uris.begin(), server.uris.end(), wanted) != server.uris.end())
      return {};
  return fail(Errc::denied, "the server's certificate carries none of the expected names");
}

bool UpstreamTls::update(const Cluster& cluster,
                         const std::shared_ptr<const Certificate>& certificate) {
  if (peer_ == cluster.tls && backend_ == cluster.backend_tls && certificate_ == certificate)
    return false;
  cluster_ = cluster.id;
  peer_ = cluster.tls;
  backend_ = cluster.backend_tls;
  certificate_ = certificate;
  contexts_ = {};
  ++generation_;
  return true;
}

Result<UpstreamTls::Context> UpstreamTls::make_context(UpstreamProtocol protocol) const {
  net::TlsClientOptions options;
  if (peer_) {
    options.ca_pem = bundle(peer_->root_pems);
    options.verify = expect_any_of(peer_->spiffe_ids);
    if (!peer_->identity.empty() && !certificate_)
      return fail(Errc::not_found, "cluster {}: certificate {} is not known", cluster_,
                  peer_->identity);
  } else {
    options.ca_pem = bundle(backend_->ca_pems);
    options.system_roots = backend_->system_ca;
    if (options.ca_pem.empty() && !options.system_roots)
      return fail(Errc::invalid, "cluster {}: no authority is trusted for its servers", cluster_);
    if (has_alternative_names(*backend_))
      options.verify = [policy = *backend_](const net::PeerIdentity& server) {
        return expect_names(policy, server);
      };
    else if (backend_->sni.empty())
      return fail(Errc::invalid, "cluster {}: no name is expected of its servers", cluster_);
    if (protocol == UpstreamProtocol::http1)
      options.alpn = {"http/1.1"};
    else if (protocol == UpstreamProtocol::http2)
      options.alpn = {"h2"};
  }
  if (certificate_) {
    auto ours = net::TlsCertificate::from_pem(certificate_->chain_pem, certificate_->key_pem);
    if (!ours)
      return fail(Errc::invalid, "cluster {}: certificate {}: {}", cluster_, certificate_->id,
                  ours.error().detail);
    options.certificate = *ours;
  }
  auto context = net::TlsClientContext::create(std::move(options));
  if (!context)
    return fail(context.error().code, "cluster {}: {}", cluster_, context.error().detail);
  return context;
}

Result<std::unique_ptr<net::Stream>> UpstreamTls::wrap(net::Fd fd, UpstreamProtocol protocol) {
  if (plain())
    return std::make_unique<net::TcpStream>(std::move(fd));
  auto& kept = contexts_[static_cast<std::size_t>(protocol)];
  if (!kept) {
    auto made = make_context(protocol);
    if (!made)
      return fail(made.error());
    kept = std::move(*made);
  }
  net::TlsServerName name;
  name.sni = peer_ ? peer_->sni : backend_->sni;
  if (!peer_ && !has_alternative_names(*backend_))
    name.host = backend_->sni;
  auto stream = net::TlsStream::client(std::move(fd), kept, name);
  if (!stream)
    return fail(stream.error());
  return std::move(*stream);
}

} // namespace strait::gateway::proxy
