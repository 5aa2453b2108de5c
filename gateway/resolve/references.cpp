#include "gateway/resolve/references.hpp"

#include <algorithm>

namespace strait::gateway::resolve {

bool is_consul_group(std::string_view group) {
  return group == "consul.hashicorp.com" || group == "api-gateway.consul.hashicorp.com";
}

bool permitted(const catalog::View& view, const Referrer& from, const Referent& to) {
  if (from.ns == to.ns)
    return true;
  auto allows = [&](const model::ReferenceGrant& grant) {
    return std::any_of(grant.from.begin(), grant.from.end(),
                       [&](auto& it) {
                         return it.group == from.group && it.kind == from.kind && it.ns == from.ns;
                       }) &&
           std::any_of(grant.to.begin(), grant.to.end(), [&](auto& it) {
             return it.group == to.group && it.kind == to.kind &&
                    (it.name.empty() || it.name == to.name);
           });
  };
  auto& grants = view.table<model::ReferenceGrant>();
  for (auto it = grants.lower_bound(model::Name{std::string{to.ns}, ""});
       it != grants.end() && it->first.ns == to.ns; ++it)
    if (allows(it->second->value))
      return true;
  return false;
}

} // namespace strait::gateway::resolve
