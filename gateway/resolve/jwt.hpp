#pragma once

#include "gateway/resolve/resolve.hpp"

#include <tl/expected.hpp>

namespace strait::gateway::resolve {

/// What a requirement of JSON web tokens comes to: its JWTProviders looked up in the namespace of
/// who requires them; the problem names the first that does not exist. A provider whose key set was
/// never fetched has none: none of its tokens passes. `depends` gets the providers and what was
/// fetched for them.
tl::expected<Jwt, Problem> jwt_of(const View& view, const std::string& ns,
                                  const model::JwtRequirement& from, Topics& depends);

/// What keeps the key sets of a requirement from being those of their servers: never fetched, or
/// not lately. The requirement holds all the same. Providers that do not exist are passed over.
std::optional<Problem> key_set_problem(const View& view, const std::string& ns,
                                       const model::JwtRequirement& from, Topics& depends);

/// A JWTProvider's own conditions.
ResolvedPolicy resolve_provider(const View& view, const model::JwtProvider& provider);

} // namespace strait::gateway::resolve
