#include "gateway/resolve/jwt.hpp"

#include "base/ascii.hpp"

namespace strait::gateway::resolve {

namespace {

using model::Kind;

Jwt::Location location_of(const model::JwtProvider::Location& from) {
  Jwt::Location location;
  location.type = static_cast<Jwt::Location::Type>(from.type);
  location.name = location.type == Jwt::Location::Type::header ? ascii_lower(from.name) : from.name;
  location.prefix = location.type == Jwt::Location::Type::header ? from.value_prefix : "";
  location.forward = from.forward;
  return location;
}

Jwt::Provider provider_of(const model::JwtProvider& from,
                          const model::JwtRequirement::Provider& required) {
  Jwt::Provider provider;
  provider.name = from.meta.name.name;
  provider.issuer = from.issuer;
  provider.audiences = from.audiences;
  provider.jwks = from.local_jwks;
  provider.clock_skew_seconds = from.clock_skew_seconds;
  for (auto& location : from.locations)
    provider.locations.push_back(location_of(location));
  if (provider.locations.empty())
    provider.locations.emplace_back(); // Where RFC 6750 has it: Authorization: Bearer.
  for (auto& claim : required.verify_claims)
    provider.claims.push_back({claim.path, claim.value});
  return provider;
}

} // namespace

tl::expected<Jwt, Problem> jwt_of(const View& view, const std::string& ns,
                                  const model::JwtRequirement& from, Topics& depends) {
  Jwt jwt;
  for (auto& required : from.providers) {
    model::Name name{ns, required.name};
    depends.insert({Kind::jwt_provider, name});
    auto* provider = view.find<model::JwtProvider>(name);
    if (!provider)
      return tl::unexpected<Problem>(
          Problem{model::Reason::jwt_provider_not_found,
                  fmt::format("JWTProvider {} does not exist", to_string(name))});
    if (!provider->unsupported.empty())
      return tl::unexpected<Problem>(
          Problem{model::Reason::unsupported_value,
                  fmt::format("JWTProvider {}: {}", to_string(name),
                              to_string(provider->unsupported.front()))});
    if (provider->local_jwks.empty())
      return tl::unexpected<Problem>(
          Problem{model::Reason::unsupported_value,
                  fmt::format("JWTProvider {}: spec.jsonWebKeySet.remote is not fetched yet, "
                              "expected local",
                              to_string(name))});
    jwt.providers.push_back(provider_of(*provider, required));
  }
  return jwt;
}

} // namespace strait::gateway::resolve
