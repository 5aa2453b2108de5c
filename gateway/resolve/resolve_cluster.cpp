#include "gateway/resolve/backend_tls.hpp"
#include "gateway/resolve/failover.hpp"
#include "gateway/resolve/resolve.hpp"

#include <algorithm>
#include <charconv>

namespace strait::gateway::resolve {

namespace {

using model::Kind;
using model::Name;

/// The parts of an id between slashes; the last part takes the rest.
std::vector<std::string> parts_of(const std::string& id, std::size_t count) {
  std::vector<std::string> parts;
  std::size_t from = 0;
  while (parts.size() + 1 < count) {
    auto slash = id.find('/', from);
    if (slash == std::string::npos)
      break;
    parts.push_back(id.substr(from, slash - from));
    from = slash + 1;
  }
  parts.push_back(id.substr(from));
  return parts;
}

void sort_endpoints(std::vector<Endpoint>& endpoints) {
  std::sort(endpoints.begin(), endpoints.end());
  endpoints.erase(
      std::unique(endpoints.begin(), endpoints.end(),
                  [](auto& a, auto& b) { return a.address == b.address && a.port == b.port; }),
      endpoints.end());
}

/// How the port's endpoints are spoken to: its appProtocol, and its Service's BackendTLSPolicy.
void speak(const View& view, const Name& service, const model::ServicePort& port, Cluster& cluster,
           Topics& depends) {
  cluster.http2 = port.app_protocol == "kubernetes.io/h2c";
  if (port.protocol != "TCP")
    return;
  depends.insert({Kind::backend_tls_policy, {service.ns, ""}});
  auto* policy = backend_tls_policy_of(view, service, port.name);
  if (!policy)
    return;
  // Never in cleartext where TLS was asked for.
  cluster.backend_tls = check_backend_tls(view, *policy, depends).tls;
  cluster.refused = !cluster.backend_tls;
}

/// Endpoints of a Kubernetes Service's port: the ready ones of its slices.
void from_slices(const View& view, const Name& service, std::uint16_t port,
                 std::string_view protocol, Cluster& cluster, Topics& depends) {
  depends.insert({Kind::service, service});
  depends.insert(catalog::slices_topic(service));
  auto* found = view.find<model::Service>(service);
  if (!found)
    return;
  auto wanted = std::find_if(found->ports.begin(), found->ports.end(),
                             [&](auto& it) { return it.port == port && it.protocol == protocol; });
  if (wanted == found->ports.end())
    return;
  speak(view, service, *wanted, cluster, depends);
  for (auto it = view.slices.lower_bound(std::pair{service, std::string{}});
       it != view.slices.end() && it->first.first == service; ++it) {
    Name name{service.ns, it->first.second};
    depends.insert({Kind::endpoint_slice, name});
    auto* slice = view.find<model::EndpointSlice>(name);
    if (!slice)
      continue;
    for (auto& slice_port : slice->ports) {
      if (slice_port.name != wanted->name || slice_port.protocol != wanted->protocol)
        continue;
      for (auto& endpoint : slice->endpoints)
        if (endpoint.ready && !endpoint.terminating)
          for (auto& address : endpoint.addresses)
            cluster.endpoints.push_back({address, slice_port.port, 1});
    }
  }
}

bool usable(const catalog::InstanceHealth& it) {
  return it.overall == model::Health::passing || it.overall == model::Health::warning;
}

void from_catalog(const View& view, const std::string& name, Cluster& cluster, Topics& depends) {
  catalog::ServiceKey key{"", name};
  depends.insert(catalog::topic_of(key));
  for (auto& it : catalog::instances_of(view, key)) {
    if (!usable(it))
      continue;
    auto& instance = it.instance->value;
    auto& address = instance.address.empty() ? it.node->value.address : instance.address;
    auto weight =
        it.overall == model::Health::passing ? instance.weight_passing : instance.weight_warning;
    cluster.endpoints.push_back(
        {address, instance.port, static_cast<std::uint32_t>(std::max(weight, 1))});
  }
}

/// Consul's rule for reaching a gateway of another datacenter: the service's wan address, else the
/// service's, else the node's wan address, else the node's.
Endpoint wan_endpoint(const catalog::InstanceHealth& it) {
  auto& instance = it.instance->value;
  auto& node = it.node->value;
  if (auto wan = instance.tagged_addresses.find("wan"); wan != instance.tagged_addresses.end())
    return {wan->second.address, wan->second.port, 1};
  if (!instance.address.empty())
    return {instance.address, instance.port, 1};
  if (auto wan = node.tagged_addresses.find("wan"); wan != node.tagged_addresses.end())
    return {wan->second, instance.port, 1};
  return {node.address, instance.port, 1};
}

/// A peered datacenter's service is reached through that datacenter's gateways only.
void from_peer(const View& view, const std::string& peer, const std::string& name, Cluster& cluster,
               Topics& depends) {
  catalog::ServiceKey key{peer, name + "-sidecar-proxy"};
  depends.insert(catalog::topic_of(key));
  depends.insert({Kind::trust_bundle, {"", peer}});
  PeerTls tls;
  tls.identity = "identity";
  if (auto* bundle = view.find<model::TrustBundle>({"", peer}))
    tls.root_pems = bundle->root_pems;
  for (auto& it : catalog::instances_of(view, key)) {
    auto& meta = it.instance->value.peer_meta;
    if (!usable(it) || !meta || meta->sni.empty())
      continue;
    tls.sni = meta->sni.front();
    tls.spiffe_ids = meta->spiffe_ids;
    cluster.endpoints.push_back(wan_endpoint(it));
  }
  cluster.tls = std::move(tls);
}

} // namespace

ResolvedCluster resolve_cluster(const View& view, const std::string& id) {
  Cluster cluster{.id = id};
  ResolvedCluster resolved;
  auto kind = parts_of(id, 2);
  if (kind.front() == "service") {
    auto parts = parts_of(id, 4);
    std::uint16_t port = 0;
    if (parts.size() == 4)
      std::from_chars(parts[3].data(), parts[3].data() + parts[3].size(), port);
    bool udp = parts.size() == 4 && parts[3].ends_with("/udp");
    if (port != 0) {
      Name service{parts[1], parts[2]};
      from_slices(view, service, port, udp ? "UDP" : "TCP", cluster, resolved.depends);
      add_failover(view, service, {"service/" + service.ns + "/", "/" + parts[3], !udp}, cluster,
                   resolved.depends);
    }
  } else if (kind.front() == "catalog" && kind.size() == 2) {
    from_catalog(view, kind[1], cluster, resolved.depends);
    add_failover(view, {"default", kind[1]}, {"catalog/", "", true}, cluster, resolved.depends);
  } else if (kind.front() == "exported" && kind.size() == 2) {
    from_catalog(view, kind[1], cluster, resolved.depends);
  } else if (kind.front() == "peer") {
    if (auto parts = parts_of(id, 3); parts.size() == 3)
      from_peer(view, parts[1], parts[2], cluster, resolved.depends);
  }
  sort_endpoints(cluster.endpoints);
  resolved.cluster = std::make_shared<const Cluster>(std::move(cluster));
  return resolved;
}

} // namespace strait::gateway::resolve
