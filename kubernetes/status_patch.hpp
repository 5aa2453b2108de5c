#pragma once

#include "catalog/model/condition.hpp"
#include "kubernetes/document.hpp"

#include <optional>
#include <span>

/// What to write to an object so that its status says what Strait found, and no more. Pure.
///
/// Written as JSON merge patches of the status subresource with metadata.resourceVersion as the
/// precondition. Unlike a PUT it carries no spec, and fields of the status that are not named stay;
/// unlike server-side apply it can leave foreign entries of `parents` alone, which is an atomic
/// list. What others wrote between our reading and our writing makes a 409, never a loss.
namespace strait::kubernetes {

/// Entries that the CRDs allow in the lists of a status.
inline constexpr std::size_t conditions_max = 8;
inline constexpr std::size_t parents_max = 32, ancestors_max = 16;
inline constexpr std::size_t message_bytes_max = 32'768;

/// The body of the patch, or nothing if the object says it already. `seen` is the whole object as
/// the server had it last. Conditions are merged by type: foreign ones stay where they are, ours
/// (conditions.def) are replaced, removed or appended, but for strait.dev/Serving, which stays
/// where nothing is said of it; lastTransitionTime changes only with the status; what was found on
/// an older generation than what stands there does not replace it. In `parents` and `ancestors`
/// only the entries of `own` controllers are touched.
std::optional<Node> status_patch(const Node& seen, const model::ObjectStatus& status,
                                 std::span<const std::string_view> own, WallTime now);

/// Keeps a class from being deleted while Gateways use it (Gateway API).
inline constexpr std::string_view gateway_exists_finalizer =
    "gateway-exists-finalizer.gateway.networking.k8s.io";
/// The body of a merge patch of the object itself, or nothing. A class that is being deleted gets
/// no finalizer any more.
std::optional<Node> finalizer_patch(const Node& seen, bool in_use);

/// Whether two trees hold the same values; the order of maps does not count.
bool same_value(const Node& a, const Node& b);

} // namespace strait::kubernetes
