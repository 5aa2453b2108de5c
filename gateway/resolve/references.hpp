#pragma once

#include "catalog/view.hpp"

namespace strait::gateway::resolve {

inline constexpr std::string_view gateway_group = "gateway.networking.k8s.io";

/// Both API groups that Consul has used for its own kinds.
bool is_consul_group(std::string_view group);

/// One end of a reference between namespaces.
struct Referrer {
  std::string_view group, kind, ns;
};
struct Referent {
  std::string_view group, kind, ns, name;
};

/// Whether the reference may be made: in one namespace always, across only if a ReferenceGrant in
/// the referent's namespace allows it (Gateway API ReferenceGrant). Says nothing of existence.
bool permitted(const catalog::View& view, const Referrer& from, const Referent& to);

} // namespace strait::gateway::resolve
