#pragma once

#include "base/result.hpp"
#include "catalog/model/peering.hpp"

#include <optional>
#include <string>

/// The life of the secrets at the accepting datacenter, as Consul has it: a token carries an
/// establishment secret, which is exchanged once for a stream secret, which becomes the active one
/// when the stream is first opened with it. Pure; every comparison takes constant time.
///
/// Single use under concurrency comes from who writes: the command that carries the result names
/// the revision of the secrets that it was made from, so of two exchanges one is refused.
namespace strait::peering {

/// A new token: replaces an unused one, keeps the stream going.
model::PeeringSecrets issue_token(model::PeeringSecrets secrets, std::string establishment);

/// Errc::denied "invalid peering establishment secret": never issued, used, or replaced.
Result<model::PeeringSecrets> exchange_secret(model::PeeringSecrets secrets,
                                              std::string_view presented,
                                              std::string pending_stream);

/// Who opens a stream. Nothing: the active secret. Secrets: the pending one became active, and this
/// is to be written first. Errc::denied "invalid peering stream secret".
Result<std::optional<model::PeeringSecrets>> open_stream(model::PeeringSecrets secrets,
                                                         std::string_view presented);

} // namespace strait::peering
