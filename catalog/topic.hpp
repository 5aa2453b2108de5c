#pragma once

#include "catalog/view.hpp"

namespace strait::catalog {

/// What a change can be subscribed to: one record; every record of a kind in a namespace (empty
/// name); every record of a kind (empty both). A catalog service is Topic{Kind::service_instance,
/// {peer, service}}: its instances, their checks and nodes.
struct Topic {
  model::Kind kind{};
  model::Name name;
  friend auto operator<=>(const Topic&, const Topic&) = default;
  friend bool operator==(const Topic&, const Topic&) = default;
};

inline Topic topic_of(const model::ObjectKey& key) { return {key.kind, key.name}; }
inline Topic topic_of(const ServiceKey& key) {
  return {model::Kind::service_instance, {key.peer, key.service}};
}
/// All slices of one Kubernetes Service, whatever their names.
inline Topic slices_topic(const model::Name& service) {
  return {model::Kind::endpoint_slice, {"service/" + service.ns, service.name}};
}
/// The label that ties an EndpointSlice to its Service.
inline constexpr const char* service_name_label = "kubernetes.io/service-name";

} // namespace strait::catalog
