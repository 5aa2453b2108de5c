#include "peering/exports.hpp"

#include "base/overload.hpp"
#include "peering/authority.hpp"
#include "peering/names.hpp"
#include "peering/token.hpp"
#include "peering/x509.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <charconv>
#include <set>

namespace strait::peering {
namespace {

constexpr std::string_view own_service = "consul"; // The servers themselves.

bool is_typical(const catalog::View& view, const catalog::ServiceEntry& entry) {
  for (const auto& item : entry.instances)
    if (const auto* instance = view.find<model::ServiceInstance>(item.first))
      return instance->service_kind.empty();
  return false;
}

bool lists(const model::ExportedServices::Entry& entry, const std::string& peering) {
  return std::find(entry.peers.begin(), entry.peers.end(), peering) != entry.peers.end();
}

/// Consul's flattened health: one check for all.
std::vector<model::HealthCheck> overall_check(const catalog::InstanceHealth& health,
                                              const model::ServiceInstance& instance) {
  if (health.checks.empty())
    return {};
  return {model::HealthCheck{.node = instance.node,
                             .id = instance.id + ":overall-check",
                             .name = "overall-check",
                             .status = health.overall,
                             .service_id = instance.id,
                             .service_name = instance.service}};
}

model::Node exported_node(const model::Node& node, const ExportOptions& options) {
  auto out = node;
  out.peer.clear();
  if (out.datacenter.empty())
    out.datacenter = options.datacenter;
  return out;
}

catalog::Import::Instance typical(const catalog::InstanceHealth& health,
                                  const ExportOptions& options) {
  catalog::Import::Instance out{
      exported_node(health.node->value, options), health.instance->value, {}};
  auto& instance = out.instance;
  instance.peer.clear();
  instance.node = out.node.name;
  instance.proxy_destination.clear();
  instance.peer_meta.reset();
  instance.tagged_addresses.erase("consul-virtual");
  if (instance.id.empty()) // Consul's importer does not survive an empty one.
    instance.id = instance.service;
  out.checks = overall_check(health, instance);
  return out;
}

catalog::Import::Instance sidecar(const catalog::InstanceHealth& gateway, const std::string& name,
                                  std::size_t number, const model::PeerMeta& meta,
                                  const ExportOptions& options) {
  const auto& from = gateway.instance->value;
  catalog::Import::Instance out{exported_node(gateway.node->value, options), {}, {}};
  out.instance = {.node = out.node.name,
                  .id = fmt::format("{}{}-instance-{}", name, sidecar_suffix, number),
                  .service = fmt::format("{}{}", name, sidecar_suffix),
                  .service_kind = "connect-proxy",
                  .address = from.address,
                  .port = from.port,
                  .tagged_addresses = from.tagged_addresses,
                  .weight_passing = from.weight_passing,
                  .weight_warning = from.weight_warning,
                  .proxy_destination = name,
                  .peer_meta = meta};
  out.checks = overall_check(gateway, out.instance);
  return out;
}

model::PeerMeta peer_meta(const catalog::View& view, const std::string& peering,
                          const std::string& name, const ExportOptions& options) {
  auto authority = authority_of(view);
  auto trust_domain = authority ? authority->value.trust_domain : std::string{};
  return {{peered_service_sni({name, peering, trust_domain})},
          {to_string(SpiffeId{SpiffeId::Role::service, trust_domain, options.datacenter, name}),
           to_string(SpiffeId{SpiffeId::Role::mesh_gateway, trust_domain, options.datacenter})},
          "tcp"};
}

bool is_port(const std::string& text) {
  int port = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size() && port > 0 && port < 65536;
}

} // namespace

std::vector<std::string> exported_services(const catalog::View& view, const std::string& peering) {
  std::set<std::string> names;
  bool all = false;
  for (const auto& item : view.table<model::ExportedServices>())
    for (const auto& entry : item.second->value.services)
      if (lists(entry, peering)) {
        all = all || entry.service == "*";
        if (entry.service != "*" && entry.service != own_service)
          names.insert(entry.service);
      }
  if (all)
    for (auto it = view.services.lower_bound(catalog::ServiceKey{"", ""});
         it != view.services.end() && it->first.peer.empty(); ++it)
      if (it->first.service != own_service && is_typical(view, it->second))
        names.insert(it->first.service);
  return {names.begin(), names.end()};
}

std::vector<Export> exports_of(const catalog::View& view, const std::vector<std::string>& services,
                               const ExportOptions& options) {
  std::vector<Export> exports;
  auto authority = authority_of(view);
  if (authority)
    exports.push_back({Resource::trust_bundle, std::string{single_id(Resource::trust_bundle)},
                       authority->modified});
  if (const auto* own = view.services.find(catalog::ServiceKey{"", std::string{own_service}});
      own && !server_addresses(view).empty()) // An empty list is never sent.
    exports.push_back({Resource::server_addresses,
                       std::string{single_id(Resource::server_addresses)}, own->modified});
  // A service without instances has only the extinction index: when the last instance of any went.
  catalog::ServiceKey gateways{"", options.mesh_gateway_service};
  auto gateways_modified = catalog::service_index(view, gateways);
  bool sidecars = authority && (view.services.find(gateways) || gateways_modified > 0);
  for (const auto& name : services) {
    exports.push_back({Resource::exported_service, name, catalog::service_index(view, {"", name})});
    if (sidecars) // What it says depends on the gateways and the trust domain only.
      exports.push_back({Resource::exported_service, fmt::format("{}{}", name, sidecar_suffix),
                         gateways_modified});
  }
  return exports;
}

ExportedService export_service(const catalog::View& view, const std::string& peering,
                               const std::string& id, const ExportOptions& options) {
  ExportedService out{.name = id, .instances = {}};
  // A typical service may be called like a sidecar: what is registered under the name comes first.
  for (const auto& health : catalog::instances_of(view, {"", id}))
    if (health.instance->value.service_kind.empty() && health.node)
      out.instances.push_back(typical(health, options));
  if (!out.instances.empty() || !id.ends_with(sidecar_suffix))
    return out;
  auto name = id.substr(0, id.size() - sidecar_suffix.size());
  auto meta = peer_meta(view, peering, name, options);
  for (const auto& health : catalog::instances_of(view, {"", options.mesh_gateway_service}))
    if (health.instance->value.service_kind == "mesh-gateway" && health.node)
      out.instances.push_back(sidecar(health, name, out.instances.size(), meta, options));
  return out;
}

catalog::RecordPtr<model::CertificateAuthority> authority_of(const catalog::View& view) {
  const auto& table = view.table<model::CertificateAuthority>();
  return table.empty() ? nullptr : table.begin()->second;
}

model::TrustBundle export_trust(const catalog::View& view, WallTime now) {
  auto authority = authority_of(view);
  if (!authority)
    return {};
  return {.trust_domain = authority->value.trust_domain,
          .root_pems = trusted_roots(authority->value, now)};
}

std::vector<std::string> server_addresses(const catalog::View& view) {
  std::vector<std::string> addresses;
  for (const auto& health : catalog::instances_of(view, {"", std::string{own_service}})) {
    if (!health.node)
      continue;
    const auto& node = health.node->value;
    auto wide = node.tagged_addresses.find("wan");
    const auto& host =
        wide != node.tagged_addresses.end() && !wide->second.empty() ? wide->second : node.address;
    const auto& meta = health.instance->value.meta;
    for (const auto* key : {"grpc_tls_port", "grpc_port"}) {
      auto port = meta.find(key);
      if (port == meta.end() || !is_port(port->second))
        continue;
      bool bare_v6 = host.find(':') != std::string::npos;
      addresses.push_back(bare_v6 ? fmt::format("[{}]:{}", host, port->second)
                                  : fmt::format("{}:{}", host, port->second));
      break;
    }
  }
  return addresses;
}

Result<catalog::Command> import_command(const std::string& peering, Payload payload) {
  using R = Result<catalog::Command>;
  return std::visit(
      overload{[&](ExportedService& in) -> R {
                 return catalog::Import{peering, std::move(in.name), std::move(in.instances)};
               },
               [&](ExportedServiceList& in) -> R {
                 auto services = in.services;
                 for (const auto& name : in.services)
                   services.push_back(fmt::format("{}{}", name, sidecar_suffix));
                 return catalog::ImportList{peering, std::move(services)};
               },
               [&](model::TrustBundle& in) -> R {
                 if (in.trust_domain.empty() || in.root_pems.empty())
                   return fail(Errc::invalid, "trust bundle from {}: has no {}", peering,
                               in.trust_domain.empty() ? "trust domain" : "root certificate");
                 for (const auto& pem : in.root_pems)
                   if (auto root = x509::read_certificate(pem); !root)
                     return fail(Errc::invalid, "trust bundle from {}: root {}", peering,
                                 root.error().detail);
                 in.peer = peering;
                 return catalog::ImportTrust{std::move(in)};
               },
               [&](ServerAddresses& in) -> R {
                 if (in.addresses.empty())
                   return fail(Errc::invalid, "server addresses from {}: the list is empty",
                               peering);
                 for (const auto& address : in.addresses)
                   if (!is_server_address(address))
                     return fail(Errc::invalid,
                                 "server addresses from {}: {} is not a valid peering server "
                                 "address",
                                 peering, address);
                 catalog::ReportPeering report{.name = peering};
                 report.server_addresses = std::move(in.addresses);
                 return report;
               }},
      payload);
}

std::string sha256(std::string_view bytes) {
  std::string digest(32, '\0');
  EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(digest.data()), nullptr,
             EVP_sha256(), nullptr);
  return digest;
}

std::string digest_of_names(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  std::string all;
  for (const auto& name : names)
    all += name + '\n';
  return sha256(all);
}

} // namespace strait::peering
