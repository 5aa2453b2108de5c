#pragma once

#include "base/result.hpp"
#include "catalog/model/peering.hpp"
#include "catalog/model/policy.hpp"

#include <string>
#include <string_view>
#include <variant>

/// Consul's config entries as JSON, as its HTTP API (`PUT /v1/config`) and `consul config write`
/// have them: keys in CamelCase or snake_case, in any case.
namespace strait::kubernetes {

using ConfigEntry =
    std::variant<model::ExportedServices, model::ServiceIntentions, model::ServiceResolver>;

/// The namespace of the objects that Consul's community edition has in its only one.
inline constexpr const char* only_namespace = "default";

/// Kinds other than exported-services, service-intentions and service-resolver are refused, with a
/// text that names those. What of a service-resolver is not carried out is refused, too. Errors
/// begin with "kind/name: " as far as these are known.
Result<ConfigEntry> decode_config_entry(std::string_view json);

/// What `GET /v1/config/KIND/NAME` answers, CamelCase. The indexes are those of the catalog record.
std::string encode_config_entry(const ConfigEntry& entry, std::uint64_t create_index,
                                std::uint64_t modify_index);

} // namespace strait::kubernetes
