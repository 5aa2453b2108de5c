#include "kubernetes/catalog_sync.hpp"

#include "base/ascii.hpp"
#include "kubernetes/deployer.hpp"
#include "kubernetes/rules.hpp"

#include <algorithm>
#include <charconv>
#include <map>

namespace strait::kubernetes {

namespace {

constexpr std::string_view name_annotation = "consul.hashicorp.com/service-name",
                           sync_annotation = "consul.hashicorp.com/service-sync",
                           port_annotation = "consul.hashicorp.com/service-port",
                           tags_annotation = "consul.hashicorp.com/service-tags",
                           meta_annotation = "consul.hashicorp.com/service-meta-";
/// What these are called says where peers and peered gateways are let in.
constexpr std::string_view reserved_names[] = {"consul", "mesh-gateway"};
constexpr std::size_t service_name_bytes_max = 253;
constexpr const char *source_key = "external-source", *source = "kubernetes",
                     *namespace_key = "external-k8s-ns";

const std::string* annotation(const model::Service& service, std::string_view key) {
  auto found = service.meta.annotations.find(std::string{key});
  return found == service.meta.annotations.end() ? nullptr : &found->second;
}

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), ascii_lower(text)) != words.end();
}

bool names(const std::vector<std::string>& list, const std::string& ns) {
  return std::any_of(list.begin(), list.end(),
                     [&](const std::string& it) { return it == "*" || it == ns; });
}

/// Strait made it in front of a gateway's pods: no service that somebody offers.
bool is_of_gateway(const model::Service& service) {
  auto& labels = service.meta.labels;
  auto managed = labels.find(std::string{managed_by_label});
  return managed != labels.end() && managed->second == managed_by_strait &&
         labels.contains(std::string{gateway_name_label});
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    auto comma = std::min(text.find(','), text.size());
    auto part = text.substr(0, comma);
    while (part.starts_with(' '))
      part.remove_prefix(1);
    while (part.ends_with(' '))
      part.remove_suffix(1);
    if (!part.empty())
      parts.emplace_back(part);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return parts;
}

/// Which port of the endpoints is the instances': one by its name, or always the same number.
struct Wanted {
  std::string name;
  std::uint16_t number = 0;
};

/// As annotated, else the Service's first TCP port.
std::optional<Wanted> port_of(const model::Service& service, std::string& problem) {
  auto* asked = annotation(service, port_annotation);
  for (auto& port : service.ports)
    if (port.protocol == "TCP" && (!asked || port.name == *asked))
      return Wanted{port.name, 0};
  if (!asked)
    return {};
  Wanted wanted;
  auto [end, error] = std::from_chars(asked->data(), asked->data() + asked->size(), wanted.number);
  if (error == std::errc{} && end == asked->data() + asked->size() && wanted.number != 0)
    return wanted;
  problem = fmt::format("Service {}: metadata.annotations[{}]: \"{}\": expected the name of one of "
                        "its TCP ports, or a number of 1..65535",
                        to_string(service.meta.name), port_annotation, *asked);
  return {};
}

std::optional<std::uint16_t> number_of(const Wanted& wanted, const model::EndpointSlice& slice) {
  if (wanted.number != 0)
    return wanted.number;
  for (auto& port : slice.ports)
    if (port.name == wanted.name && port.protocol == "TCP")
      return port.port;
  return {};
}

std::string name_of(const model::Service& service, const CatalogSyncOptions& options) {
  auto& [ns, name] = service.meta.name;
  if (auto* named = annotation(service, name_annotation))
    return *named;
  return options.namespace_suffix ? name + "-" + ns : name;
}

/// Empty if the name may be taken.
std::string wrong_name(const model::Service& service, const std::string& name) {
  auto wrong = rules::service_name(name);
  if (wrong.empty() && name.size() > service_name_bytes_max)
    wrong = fmt::format("expected at most {} characters", service_name_bytes_max);
  if (std::find(std::begin(reserved_names), std::end(reserved_names), name) !=
      std::end(reserved_names))
    wrong = "expected another name: this one is the datacenter's own";
  return wrong.empty() ? wrong
                       : fmt::format("Service {}: name in the catalog: \"{}\": {} (annotation {})",
                                     to_string(service.meta.name), name, wrong, name_annotation);
}

model::ServiceInstance pattern_of(const model::Service& service,
                                  const CatalogSyncOptions& options) {
  model::ServiceInstance out;
  out.node = sync_node;
  out.service = name_of(service, options);
  out.tags = {"k8s"};
  if (auto* tags = annotation(service, tags_annotation))
    for (auto& tag : split(*tags))
      out.tags.push_back(tag);
  for (auto& [key, value] : service.meta.annotations)
    if (key.size() > meta_annotation.size() && key.starts_with(meta_annotation))
      out.meta[key.substr(meta_annotation.size())] = value;
  for (auto& port : service.ports)
    if (!port.name.empty())
      out.meta["port-" + port.name] = std::to_string(port.port);
  // Last: by these the instance is known again.
  out.meta[source_key] = source;
  out.meta[namespace_key] = service.meta.name.ns;
  return out;
}

} // namespace

bool is_synced(const model::Service& service, const CatalogSyncOptions& options) {
  auto& ns = service.meta.name.ns;
  if (options.mode == SyncMode::off || names(options.denied_namespaces, ns) ||
      !names(options.allowed_namespaces, ns))
    return false;
  if (auto* asked = annotation(service, sync_annotation))
    return is_one_of(*asked, {"true", "t", "1"}); // Other words are no consent, as in Consul.
  return options.mode == SyncMode::all && !is_of_gateway(service);
}

Synced catalog_instances(const model::Service& service,
                         const std::vector<const model::EndpointSlice*>& slices,
                         const CatalogSyncOptions& options) {
  Synced out;
  if (!is_synced(service, options))
    return out;
  auto wanted = port_of(service, out.problem);
  if (!wanted)
    return out;
  auto pattern = pattern_of(service, options);
  out.problem = wrong_name(service, pattern.service);
  if (!out.problem.empty())
    return out;
  std::map<std::string, model::ServiceInstance> by_id; // Slices may overlap while they change.
  for (auto* slice : slices) {
    auto port = number_of(*wanted, *slice);
    if (!port || slice->address_type == "FQDN")
      continue;
    for (auto& endpoint : slice->endpoints)
      if (endpoint.ready && !endpoint.terminating)
        for (auto& address : endpoint.addresses) {
          auto instance = pattern;
          instance.address = address;
          instance.port = *port;
          instance.id = fmt::format("{}{}:{}", sync_prefix(service.meta.name), address, *port);
          by_id.insert_or_assign(instance.id, std::move(instance));
        }
  }
  for (auto& [id, instance] : by_id)
    out.instances.push_back(std::move(instance));
  return out;
}

std::string sync_prefix(const model::Name& service) {
  return fmt::format("{}/{}/", service.ns, service.name);
}

std::optional<model::Name> synced_from(const model::ServiceInstance& instance) {
  auto says = [&](const char* key, std::string_view value) {
    auto found = instance.meta.find(key);
    return found != instance.meta.end() && found->second == value;
  };
  auto first = instance.id.find('/');
  auto second = first == std::string::npos ? first : instance.id.find('/', first + 1);
  if (second == std::string::npos || instance.node != sync_node || !says(source_key, source))
    return {};
  model::Name name{instance.id.substr(0, first), instance.id.substr(first + 1, second - first - 1)};
  if (!says(namespace_key, name.ns))
    return {};
  return name;
}

SyncDifference sync_difference(const std::vector<const model::ServiceInstance*>& registered,
                               std::vector<model::ServiceInstance> desired) {
  SyncDifference out;
  std::map<std::string_view, const model::ServiceInstance*> by_id;
  for (auto* it : registered)
    by_id.emplace(it->id, it);
  for (auto& it : desired) {
    auto found = by_id.find(it.id);
    bool put = found == by_id.end() || (synced_from(*found->second) && *found->second != it);
    if (found != by_id.end())
      by_id.erase(found);
    if (put)
      out.put.push_back(std::move(it));
  }
  for (auto& [id, instance] : by_id)
    if (synced_from(*instance))
      out.remove.emplace_back(id);
  return out;
}

} // namespace strait::kubernetes
