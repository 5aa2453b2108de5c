#pragma once

#include "gateway/resolve/resolve.hpp"

#include <tl/expected.hpp>

namespace strait::gateway::resolve {

/// What a requirement of JSON web tokens comes to: its JWTProviders looked up in the namespace of
/// who requires them; the problem names the first that does not exist. `depends` gets the
/// providers.
tl::expected<Jwt, Problem> jwt_of(const View& view, const std::string& ns,
                                  const model::JwtRequirement& from, Topics& depends);

} // namespace strait::gateway::resolve
