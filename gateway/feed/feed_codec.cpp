#include "gateway/feed/feed_codec.hpp"

#include "base/overload.hpp"
#include "gateway/feed/rule_messages.hpp"

#include <google/protobuf/arena.h>
#include <openssl/evp.h>

#include <array>

namespace strait::gateway::feed {
namespace {

namespace pb = proxy::v1;

/// By Protocol; the numbers of the wire stay when the enumeration grows.
constexpr std::array protocol_messages{pb::PROTOCOL_HTTP, pb::PROTOCOL_HTTPS, pb::PROTOCOL_TCP,
                                       pb::PROTOCOL_UDP,  pb::PROTOCOL_TLS,   pb::PROTOCOL_PEERING};

// ── to protobuf ──

void write(const std::string&, const Listener& listener, pb::Listener& out) {
  out.set_name(listener.name);
  out.set_address(listener.address);
  out.set_port(listener.port);
  out.set_protocol(protocol_messages[static_cast<std::size_t>(listener.protocol)]);
  out.set_hostname(listener.hostname);
  auto& tls = *out.mutable_tls();
  write_texts(tls.mutable_certificates(), listener.tls.certificates);
  tls.set_min(static_cast<pb::TlsVersion>(listener.tls.min));
  tls.set_max(static_cast<pb::TlsVersion>(listener.tls.max));
  write_texts(tls.mutable_cipher_suites(), listener.tls.cipher_suites);
  if (listener.clients) {
    auto& clients = *out.mutable_clients();
    write_texts(clients.mutable_ca_pems(), listener.clients->ca_pems);
    clients.set_insecure_fallback(listener.clients->insecure_fallback);
  }
  out.set_passthrough(listener.passthrough);
  out.set_public_port(listener.public_port);
}

void write(const std::string& key, const BoundRoute& bound, pb::BoundRoute& out) {
  out.set_listener(std::string{listener_of(key)});
  out.set_id(bound.id);
  out.set_created_ms(bound.created.time_since_epoch().count());
  std::visit(overload{[&](const HttpRoute& http) {
                        auto& to = *out.mutable_http();
                        write_texts(to.mutable_hostnames(), http.hostnames);
                        for (const auto& rule : http.rules)
                          write_rule(rule, *to.add_rules());
                        to.set_grpc(http.grpc);
                      },
                      [&](const TcpRoute& tcp) {
                        auto& to = *out.mutable_tcp();
                        write_backends(tcp.backends, *to.mutable_backends());
                      },
                      [&](const TlsRoute& tls) {
                        auto& to = *out.mutable_tls();
                        write_texts(to.mutable_hostnames(), tls.hostnames);
                        write_backends(tls.backends, *to.mutable_backends());
                      },
                      [&](const UdpRoute& udp) {
                        auto& to = *out.mutable_udp();
                        write_backends(udp.backends, *to.mutable_backends());
                      }},
             bound.route);
}

void write(const std::string&, const Cluster& cluster, pb::Cluster& out) {
  out.set_id(cluster.id);
  for (const auto& endpoint : cluster.endpoints) {
    auto& to = *out.add_endpoints();
    to.set_address(endpoint.address);
    to.set_port(endpoint.port);
    to.set_weight(endpoint.weight);
  }
  if (cluster.tls) {
    auto& tls = *out.mutable_tls();
    tls.set_sni(cluster.tls->sni);
    write_texts(tls.mutable_spiffe_ids(), cluster.tls->spiffe_ids);
    write_texts(tls.mutable_root_pems(), cluster.tls->root_pems);
    tls.set_identity(cluster.tls->identity);
  }
  if (cluster.backend_tls) {
    auto& tls = *out.mutable_backend_tls();
    tls.set_sni(cluster.backend_tls->sni);
    write_texts(tls.mutable_dns_names(), cluster.backend_tls->dns_names);
    write_texts(tls.mutable_uris(), cluster.backend_tls->uris);
    write_texts(tls.mutable_ca_pems(), cluster.backend_tls->ca_pems);
    tls.set_system_ca(cluster.backend_tls->system_ca);
  }
  out.set_http2(cluster.http2);
  out.set_refused(cluster.refused);
  write_texts(out.mutable_failover(), cluster.failover);
}

void write(const std::string&, const Certificate& certificate, pb::Certificate& out) {
  out.set_id(certificate.id);
  out.set_chain_pem(certificate.chain_pem);
  out.set_key_pem(certificate.key_pem);
}

void write(const std::string&, const PeeringExport& exported, pb::PeeringExport& out) {
  out.set_sni(exported.sni);
  out.set_cluster(exported.cluster);
  out.set_peer(exported.peer);
  for (const auto& caller : exported.callers) {
    auto& to = *out.add_callers();
    to.set_spiffe_id(caller.spiffe_id);
    to.set_allow(caller.allow);
  }
}

void write(const std::string&, const PeeringTrust& trust, pb::PeeringTrust& out) {
  out.set_peer(trust.peer);
  out.set_trust_domain(trust.trust_domain);
  write_texts(out.mutable_root_pems(), trust.root_pems);
}

template <class T, class Set, class Removed>
void write_all(const Changed<T>& changes, Set* set, Removed* removed) {
  for (const auto& [key, value] : changes)
    if (value)
      write(key, *value, *set->Add());
    else
      *removed->Add() = key;
}

void write(const Delta& delta, pb::Delta& out) {
  out.set_from(delta.from);
  out.set_epoch(delta.epoch);
  write_all(delta.listeners, out.mutable_listeners(), out.mutable_removed_listeners());
  write_all(delta.routes, out.mutable_routes(), out.mutable_removed_routes());
  write_all(delta.clusters, out.mutable_clusters(), out.mutable_removed_clusters());
  write_all(delta.certificates, out.mutable_certificates(), out.mutable_removed_certificates());
  write_all(delta.exports, out.mutable_exports(), out.mutable_removed_exports());
  write_all(delta.trust, out.mutable_trust(), out.mutable_removed_trust());
}

// ── from protobuf ──

Protocol read(pb::Protocol in, Problem& problem) {
  for (std::size_t i = 0; i < protocol_messages.size(); ++i)
    if (protocol_messages[i] == in)
      return static_cast<Protocol>(i);
  problem.set(fmt::format("protocol: {} is unknown", static_cast<int>(in)));
  return Protocol::http;
}

Listener read(const pb::Listener& in, Problem& problem) {
  know_all(problem, in);
  Listener listener{
      .name = in.name(),
      .address = in.address(),
      .port = within<std::uint16_t>(problem, "port", in.port(), 0U, 65535U),
      .protocol = read(in.protocol(), problem),
      .hostname = in.hostname(),
      .tls = {.certificates = read_texts(in.tls().certificates()),
              .min = within<TlsVersion>(problem, "tls.min", static_cast<int>(in.tls().min()), 0, 4),
              .max = within<TlsVersion>(problem, "tls.max", static_cast<int>(in.tls().max()), 0, 4),
              .cipher_suites = read_texts(in.tls().cipher_suites())},
      .passthrough = in.passthrough(),
      .public_port = within<std::uint16_t>(problem, "public_port", in.public_port(), 0U, 65535U)};
  know_all(problem, in.tls());
  know_all(problem, in.clients());
  if (in.has_clients())
    listener.clients =
        ClientValidation{read_texts(in.clients().ca_pems()), in.clients().insecure_fallback()};
  return listener;
}

BoundRoute read(const pb::BoundRoute& in, Problem& problem) {
  know_all(problem, in);
  know_all(problem, in.http());
  know_all(problem, in.tcp());
  know_all(problem, in.tls());
  know_all(problem, in.udp());
  BoundRoute bound{.id = in.id(), .created = WallTime{Millis{in.created_ms()}}};
  if (in.has_http()) {
    HttpRoute http{.hostnames = read_texts(in.http().hostnames()), .grpc = in.http().grpc()};
    http.rules.reserve(static_cast<std::size_t>(in.http().rules_size()));
    for (const auto& rule : in.http().rules())
      http.rules.push_back(read_rule(rule, problem));
    bound.route = std::move(http);
  } else if (in.has_tcp()) {
    bound.route = TcpRoute{read_backends(in.tcp().backends(), problem)};
  } else if (in.has_tls()) {
    bound.route =
        TlsRoute{read_texts(in.tls().hostnames()), read_backends(in.tls().backends(), problem)};
  } else if (in.has_udp()) {
    bound.route = UdpRoute{read_backends(in.udp().backends(), problem)};
  } else {
    problem.set("route: is of an unknown kind");
  }
  return bound;
}

Cluster read(const pb::Cluster& in, Problem& problem) {
  know_all(problem, in);
  Cluster cluster{.id = in.id()};
  cluster.endpoints.reserve(static_cast<std::size_t>(in.endpoints_size()));
  for (const auto& endpoint : in.endpoints()) {
    know_all(problem, endpoint);
    cluster.endpoints.push_back(
        {endpoint.address(),
         within<std::uint16_t>(problem, "endpoint port", endpoint.port(), 0U, 65535U),
         within<std::uint32_t>(problem, "endpoint weight", endpoint.weight(), 0U, max_weight)});
  }
  know_all(problem, in.tls());
  know_all(problem, in.backend_tls());
  if (in.has_tls())
    cluster.tls = PeerTls{in.tls().sni(), read_texts(in.tls().spiffe_ids()),
                          read_texts(in.tls().root_pems()), in.tls().identity()};
  if (in.has_backend_tls())
    cluster.backend_tls =
        BackendTls{in.backend_tls().sni(), read_texts(in.backend_tls().dns_names()),
                   read_texts(in.backend_tls().uris()), read_texts(in.backend_tls().ca_pems()),
                   in.backend_tls().system_ca()};
  cluster.http2 = in.http2();
  cluster.refused = in.refused();
  if (static_cast<std::size_t>(in.failover_size()) > failover_max)
    problem.set(
        fmt::format("failover: {} clusters are more than {}", in.failover_size(), failover_max));
  cluster.failover = read_texts(in.failover());
  return cluster;
}

Certificate read(const pb::Certificate& in, Problem& problem) {
  know_all(problem, in);
  return {in.id(), in.chain_pem(), in.key_pem()};
}

PeeringExport read(const pb::PeeringExport& in, Problem& problem) {
  know_all(problem, in);
  PeeringExport exported{in.sni(), in.cluster(), in.peer(), {}};
  for (const auto& caller : in.callers()) {
    know_all(problem, caller);
    exported.callers.push_back({caller.spiffe_id(), caller.allow()});
  }
  return exported;
}

PeeringTrust read(const pb::PeeringTrust& in, Problem& problem) {
  know_all(problem, in);
  return {in.peer(), in.trust_domain(), read_texts(in.root_pems())};
}

std::string key_of(const pb::Listener& in) { return in.name(); }
std::string key_of(const pb::BoundRoute& in) { return binding_key(in.listener(), in.id()); }
std::string key_of(const pb::Cluster& in) { return in.id(); }
std::string key_of(const pb::Certificate& in) { return in.id(); }
std::string key_of(const pb::PeeringExport& in) { return in.sni(); }
std::string key_of(const pb::PeeringTrust& in) { return in.peer(); }

template <class T, class Set, class Removed>
Status read_all(const char* kind, const Set& set, const Removed& removed, Changed<T>& changes) {
  changes.reserve(static_cast<std::size_t>(set.size()) + static_cast<std::size_t>(removed.size()));
  for (const auto& key : removed)
    changes.emplace_back(key, nullptr);
  for (const auto& message : set) {
    auto key = key_of(message);
    Problem problem;
    if (key.empty())
      problem.set("key: must not be empty");
    auto value = std::make_shared<const T>(read(message, problem));
    if (!problem.what.empty())
      return fail(Errc::invalid, "delta: {} '{}': {}", kind, key, problem.what);
    changes.emplace_back(std::move(key), std::move(value));
  }
  return {};
}

std::size_t resources_in(const pb::Delta& in) {
  std::size_t sum = 0;
  for (int size :
       {in.listeners_size(), in.routes_size(), in.clusters_size(), in.certificates_size(),
        in.exports_size(), in.trust_size(), in.removed_listeners_size(), in.removed_routes_size(),
        in.removed_clusters_size(), in.removed_certificates_size(), in.removed_exports_size(),
        in.removed_trust_size()})
    sum += static_cast<std::size_t>(size);
  return sum;
}

} // namespace

std::string encode(const Delta& delta) {
  google::protobuf::Arena arena;
  auto* message = google::protobuf::Arena::CreateMessage<pb::Delta>(&arena);
  write(delta, *message);
  return message->SerializeAsString();
}

Result<Delta> decode(std::string_view bytes) {
  if (bytes.size() > max_delta_bytes)
    return fail(Errc::exhausted, "delta: {} bytes are more than {}", bytes.size(), max_delta_bytes);
  google::protobuf::Arena arena;
  auto* in = google::protobuf::Arena::CreateMessage<pb::Delta>(&arena);
  if (!in->ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return fail(Errc::corrupt, "delta: {} bytes that are no delta", bytes.size());
  if (auto count = resources_in(*in); count > max_delta_resources)
    return fail(Errc::exhausted, "delta: {} resources are more than {}", count,
                max_delta_resources);
  Problem problem;
  know_all(problem, *in);
  if (!problem.what.empty())
    return fail(Errc::invalid, "delta: {}", problem.what);
  Delta delta{.from = in->from(), .epoch = in->epoch()};
  Status status = read_all("listener", in->listeners(), in->removed_listeners(), delta.listeners);
  if (status)
    status = read_all("route", in->routes(), in->removed_routes(), delta.routes);
  if (status)
    status = read_all("cluster", in->clusters(), in->removed_clusters(), delta.clusters);
  if (status)
    status =
        read_all("certificate", in->certificates(), in->removed_certificates(), delta.certificates);
  if (status)
    status = read_all("export", in->exports(), in->removed_exports(), delta.exports);
  if (status)
    status = read_all("trust", in->trust(), in->removed_trust(), delta.trust);
  if (!status)
    return fail(std::move(status.error()));
  return delta;
}

std::string digest(const Config& config) {
  auto delta = whole(config);
  delta.epoch = 0;
  const auto bytes = encode(delta);
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  unsigned size = 0;
  EVP_Digest(bytes.data(), bytes.size(), hash.data(), &size, EVP_sha256(), nullptr);
  std::string text;
  for (unsigned i = 0; i < size; ++i)
    text += fmt::format("{:02x}", hash[i]);
  return text;
}

} // namespace strait::gateway::feed
