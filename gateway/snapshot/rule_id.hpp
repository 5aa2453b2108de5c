#pragma once

#include "gateway/snapshot/config.hpp"

#include <cstdint>

namespace strait::gateway {

/// A hash of the route's id and of all that the rule says (MatchedRule::rule_id): another content,
/// another id. Only within one run of a program.
std::uint64_t rule_id(const BoundRoute& route, const HttpRoute& http, const HttpRule& rule);

} // namespace strait::gateway
