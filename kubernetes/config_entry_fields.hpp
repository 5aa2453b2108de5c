#pragma once

#include "catalog/model/peering.hpp"
#include "catalog/model/policy.hpp"
#include "kubernetes/fields.hpp"

/// The parts of Consul's config entries that have one form in objects (lower camel case) and in
/// Consul's own JSON (any spelling): keys are given as objects have them.
namespace strait::kubernetes {

/// Entries of one exported-services, and peers of one of them.
inline constexpr Range exported_count{0, 10'000}, consumer_count{1, 1'000};
/// Sources of one service-intentions.
inline constexpr Range source_count{0, 10'000};

/// Namespaces and partitions of Consul's enterprise edition: "default" says nothing, another name
/// is an error.
void refuse_tenancy(Fields& fields, std::initializer_list<std::string_view> keys);

void decode_exports(Fields& owner, std::string_view key, model::ExportedServices& out);
void decode_sources(Fields& owner, std::string_view key, model::ServiceIntentions& out);
/// All of a service-resolver. What Strait does not carry out is listed in the report.
void decode_resolver(Fields& owner, model::ServiceResolver& out);

enum class Spelling : std::uint8_t { object, config_entry };
/// A service-resolver's "failover".
Node encode_failover(const model::ServiceResolver& resolver, Spelling spelling);

} // namespace strait::kubernetes
