#pragma once

#include "gateway/resolve/route_references.hpp"

namespace strait::gateway::resolve {

/// Turns the filters of one rule of an HTTPRoute or GRPCRoute into what the rule does. What cannot
/// be carried out refuses the route; a reference that does not resolve leaves its own filter out
/// (a mirror) or refuses what it guards (an authorizer).
void apply_filters(RouteReferences& references, const std::vector<model::Filter>& filters,
                   const std::string& path, HttpRule& rule);

/// Of one backend: only header modifiers are carried out there.
void apply_filters(RouteReferences& references, const std::vector<model::Filter>& filters,
                   const std::string& path, Backend& backend);

/// The rule's other parts.
Retry retry_of(const model::Retry& from);
SessionPersistence session_of(const model::SessionPersistence& from, const model::ObjectKey& route,
                              const std::string& rule_path);

} // namespace strait::gateway::resolve
