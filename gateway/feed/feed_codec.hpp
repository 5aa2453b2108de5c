#pragma once

#include "base/result.hpp"
#include "gateway/feed/frames.hpp"

#include <string>
#include <string_view>

/// Deltas and frames ↔ bytes (protobuf, proto/proxy_config.proto). Protobuf's types stay in the
/// source file; those who have them already (the gRPC wire) find frame_messages.hpp.
namespace strait::gateway::feed {

/// A gRPC channel must allow messages of max_frame_bytes.
inline constexpr std::size_t max_delta_bytes = std::size_t{128} << 20;
inline constexpr std::size_t max_frame_bytes = max_delta_bytes + 1024;
inline constexpr std::size_t max_delta_resources = 1'000'000; ///< Set and removed.
inline constexpr std::uint32_t max_weight = 1'000'000;

/// The same delta gives the same bytes. Each key occurs once in it, and a resource has its key as
/// its own name. What is larger than max_delta_bytes will be refused by decode().
std::string encode(const Delta& delta);

/// Errc::corrupt if the bytes are no delta, Errc::exhausted if they exceed a maximum, Errc::invalid
/// if a field or its value is unknown or out of range; the detail names the resource.
Result<Delta> decode(std::string_view bytes);

std::string encode(const ProxyFrame& frame);
std::string encode(const ConfigFrame& frame);
Result<ProxyFrame> decode_proxy_frame(std::string_view bytes);
Result<ConfigFrame> decode_config_frame(std::string_view bytes);

/// SHA-256 in hexadecimal of all resources, without the epoch: equal digests are equal configs,
/// whoever numbered them. Costs as much as the config is large.
std::string digest(const Config& config);

} // namespace strait::gateway::feed
