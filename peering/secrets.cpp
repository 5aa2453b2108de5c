#include "peering/secrets.hpp"

#include "base/random.hpp"

#include <utility>

namespace strait::peering {
namespace {

bool matches(const std::string& secret, std::string_view presented) {
  return !secret.empty() && equal_constant_time(secret, presented);
}

} // namespace

model::PeeringSecrets issue_token(model::PeeringSecrets secrets, std::string establishment) {
  secrets.establishment = std::move(establishment);
  return secrets;
}

Result<model::PeeringSecrets> exchange_secret(model::PeeringSecrets secrets,
                                              std::string_view presented,
                                              std::string pending_stream) {
  if (!matches(secrets.establishment, presented))
    return fail(Errc::denied, "invalid peering establishment secret");
  secrets.establishment.clear();
  secrets.pending_stream = std::move(pending_stream);
  return secrets;
}

Result<std::optional<model::PeeringSecrets>> open_stream(model::PeeringSecrets secrets,
                                                         std::string_view presented) {
  // Both are compared, whatever the first says.
  bool active = matches(secrets.active_stream, presented);
  bool pending = matches(secrets.pending_stream, presented);
  if (active)
    return std::optional<model::PeeringSecrets>{};
  if (!pending)
    return fail(Errc::denied, "invalid peering stream secret");
  secrets.active_stream = std::exchange(secrets.pending_stream, {});
  return std::optional{std::move(secrets)};
}

} // namespace strait::peering
