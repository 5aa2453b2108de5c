#pragma once

#include "api/call.hpp"

#include <string>

namespace strait::api {

struct QueryLimits {
  Millis wait_default{300'000};
  Millis wait_max{600'000}; ///< Longer waits are cut to it.
};

/// What Consul's endpoints have in common in their query strings (reference/consul §2.1, §2.2).
struct QueryOptions {
  catalog::Revision index = 0;
  Millis wait{};
  std::string consistency = "leader"; ///< Or "stale", "consistent": all the same on one server.
  std::string peer;
  bool pretty = false;
};

/// The options, or the reply that refuses them: bad index or wait, options that contradict each
/// other, another datacenter, and what only Consul's Enterprise edition has. `headers` gives the
/// value of a request's header field, or empty.
tl::expected<QueryOptions, Reply>
read_options(const Parameters& parameters, const AgentIdentity& self,
             const std::function<std::string_view(std::string_view)>& headers,
             const QueryLimits& limits = {});

/// The refusal of whatever belongs to WAN federation, which Strait does not have.
Reply refuse_wan_federation(std::string_view what);
/// The refusal of another datacenter's name.
Reply no_path_to(std::string_view datacenter);

/// The path and every parameter that the answer depends on, sorted: equal keys, equal answers.
std::string query_key(const Call& call);

} // namespace strait::api
