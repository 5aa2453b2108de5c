#include "api/filter_schema.hpp"

#include <span>

namespace strait::api {

namespace {

struct Entry {
  std::string_view name;
  Field field = Field::text;
  std::span<const Entry> inner{};    ///< Of a structure.
  std::span<const Entry> of_value{}; ///< Of a map whose values are structures.
};

constexpr Entry address[] = {{"Address"}, {"Port", Field::number}};
constexpr Entry weights[] = {{"Passing", Field::number}, {"Warning", Field::number}};
constexpr Entry mode[] = {{"Mode"}};
constexpr Entry proxy[] = {{"DestinationServiceName"},
                           {"DestinationServiceID"},
                           {"LocalServiceAddress"},
                           {"LocalServicePort", Field::number},
                           {"Mode"},
                           {"MeshGateway", Field::structure, mode}};
constexpr Entry connect[] = {{"Native", Field::flag}};

constexpr Entry node[] = {{"ID"},
                          {"Node"},
                          {"Address"},
                          {"Datacenter"},
                          {"TaggedAddresses", Field::map},
                          {"Meta", Field::map},
                          {"PeerName"}};

constexpr Entry service_node[] = {{"ID"},
                                  {"Node"},
                                  {"Address"},
                                  {"Datacenter"},
                                  {"TaggedAddresses", Field::map},
                                  {"NodeMeta", Field::map},
                                  {"ServiceKind"},
                                  {"ServiceID"},
                                  {"ServiceName"},
                                  {"ServiceTags", Field::texts},
                                  {"ServiceAddress"},
                                  {"ServiceTaggedAddresses", Field::map, {}, address},
                                  {"ServiceWeights", Field::structure, weights},
                                  {"ServiceMeta", Field::map},
                                  {"ServicePort", Field::number},
                                  {"ServiceSocketPath"},
                                  {"ServiceEnableTagOverride", Field::flag},
                                  {"ServiceProxy", Field::structure, proxy},
                                  {"ServiceConnect", Field::structure, connect},
                                  {"PeerName"}};

constexpr Entry service[] = {{"Kind"},
                             {"ID"},
                             {"Service"},
                             {"Tags", Field::texts},
                             {"Address"},
                             {"TaggedAddresses", Field::map, {}, address},
                             {"Meta", Field::map},
                             {"Port", Field::number},
                             {"SocketPath"},
                             {"Weights", Field::structure, weights},
                             {"EnableTagOverride", Field::flag},
                             {"Proxy", Field::structure, proxy},
                             {"Connect", Field::structure, connect},
                             {"PeerName"}};

constexpr Entry check[] = {{"Node"},
                           {"CheckID"},
                           {"Name"},
                           {"Status"},
                           {"Notes"},
                           {"Output"},
                           {"ServiceID"},
                           {"ServiceName"},
                           {"ServiceTags", Field::texts},
                           {"Type"},
                           {"Interval"},
                           {"Timeout"},
                           {"ExposedPort", Field::number},
                           {"PeerName"}};

constexpr Entry check_service_node[] = {{"Node", Field::structure, node},
                                        {"Service", Field::structure, service},
                                        {"Checks", Field::structure, check}};

constexpr Entry config_entry[] = {{"Kind"}, {"Name"}, {"Meta", Field::map}};

std::span<const Entry> fields_of(Element element) {
  switch (element) {
  case Element::node:
    return node;
  case Element::service_node:
    return service_node;
  case Element::node_service:
  case Element::agent_service:
    return service;
  case Element::check_service_node:
    return check_service_node;
  case Element::health_check:
    return check;
  case Element::config_entry:
    return config_entry;
  }
  return {};
}

} // namespace

std::optional<Field> field_type(Element element, const std::vector<std::string>& path) {
  auto fields = fields_of(element);
  for (std::size_t i = 0; i < path.size(); ++i) {
    const Entry* found = nullptr;
    for (auto& entry : fields)
      if (entry.name == path[i])
        found = &entry;
    if (!found)
      return {};
    if (i + 1 == path.size())
      return found->field;
    if (found->field == Field::map) {
      // The next part is a key; behind it a field of the value, where it has some.
      if (++i + 1 == path.size())
        return found->of_value.empty() ? Field::text : Field::structure;
      fields = found->of_value;
    } else {
      fields = found->inner;
    }
  }
  return {};
}

} // namespace strait::api
