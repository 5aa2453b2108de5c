#pragma once

#include "api/body_reader.hpp"
#include "api/consul_bodies.hpp"

/// Parts that several of Consul's bodies have in common.
namespace strait::api {

inline constexpr std::int64_t port_max = 65535;
inline constexpr std::int64_t weight_max = 65535;
inline constexpr std::int64_t threshold_max = 1'000'000;

void read_meta(BodyReader& in, std::string_view key, model::StringMap& out,
               const BodyLimits& limits);
void read_tags(BodyReader& in, std::string_view key, std::vector<std::string>& out,
               const BodyLimits& limits);
void read_service_addresses(BodyReader& in, std::map<std::string, model::ServiceAddress>& out);
void read_weights(BodyReader& in, model::ServiceInstance& out);
/// Of a proxy only which service it stands for is kept; the rest is refused.
void read_proxy(BodyReader& in, model::ServiceInstance& out);
void read_connect(BodyReader& in);
void read_service_kind(BodyReader& in, model::ServiceInstance& out);

/// "passing", "warning" or "critical"; empty leaves `out` as it is.
void check_status(BodyReader& in, const std::string& text, model::Health& out);

/// "http", "tcp", "ttl" or "".
std::string check_type(const model::CheckDefinition& definition);

} // namespace strait::api
