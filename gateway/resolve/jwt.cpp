#include "gateway/resolve/jwt.hpp"

#include "base/ascii.hpp"
#include "gateway/resolve/conditions.hpp"

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

/// What was fetched for the provider as it is now, or null.
const model::KeySet* fetched_for(const View& view, const model::JwtProvider& provider,
                                 Topics& depends) {
  if (provider.remote_uri.empty())
    return nullptr;
  auto& name = provider.meta.name;
  depends.insert({Kind::key_set, name});
  auto* set = view.find<model::KeySet>(name);
  return set && set->uri == provider.remote_uri ? set : nullptr;
}

std::optional<Problem> problem_of(const View& view, const model::JwtProvider& provider,
                                  Topics& depends) {
  if (provider.remote_uri.empty())
    return {};
  auto* set = fetched_for(view, provider, depends);
  auto what = fmt::format("JWTProvider {}: the key set at {}", to_string(provider.meta.name),
                          provider.remote_uri);
  auto problem = [&](std::string text) {
    return Problem{model::Reason::key_set_not_fetched, std::move(text)};
  };
  if (!set)
    return problem(what + " is not fetched yet: none of its tokens passes");
  if (set->problem.empty())
    return {};
  if (set->jwks.empty())
    return problem(
        fmt::format("{} cannot be fetched: {}: none of its tokens passes", what, set->problem));
  return problem(fmt::format("{} cannot be fetched: {}; the one that came first at {} goes on",
                             what, set->problem, to_rfc3339(set->fetched)));
}

Jwt::Provider provider_of(const View& view, const model::JwtProvider& from, Topics& depends,
                          const model::JwtRequirement::Provider& required) {
  Jwt::Provider provider;
  provider.name = from.meta.name.name;
  provider.issuer = from.issuer;
  provider.audiences = from.audiences;
  provider.jwks = from.local_jwks;
  if (auto* set = fetched_for(view, from, depends))
    provider.jwks = set->jwks;
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
      return tl::unexpected<Problem>(Problem{
          model::Reason::unsupported_value, fmt::format("JWTProvider {}: {}", to_string(name),
                                                        to_string(provider->unsupported.front()))});
    jwt.providers.push_back(provider_of(view, *provider, depends, required));
  }
  return jwt;
}

std::optional<Problem> key_set_problem(const View& view, const std::string& ns,
                                       const model::JwtRequirement& from, Topics& depends) {
  for (auto& required : from.providers) {
    model::Name name{ns, required.name};
    depends.insert({Kind::jwt_provider, name});
    if (auto* provider = view.find<model::JwtProvider>(name))
      if (auto problem = problem_of(view, *provider, depends))
        return problem;
  }
  return {};
}

ResolvedPolicy resolve_provider(const View& view, const model::JwtProvider& provider) {
  using model::ConditionType;
  using model::Reason;
  ResolvedPolicy resolved;
  std::optional<Problem> refused;
  if (!provider.unsupported.empty())
    refused = Problem{Reason::invalid, to_string(provider.unsupported.front())};
  auto generation = provider.meta.generation;
  resolved.status.conditions = {
      condition(ConditionType::accepted, Reason::accepted, refused, generation),
      condition(ConditionType::resolved_refs, Reason::resolved_refs,
                problem_of(view, provider, resolved.depends), generation)};
  return resolved;
}

} // namespace strait::gateway::resolve
