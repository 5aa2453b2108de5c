#pragma once

#include "base/result.hpp"
#include "gateway/snapshot/config.hpp"

#include <filesystem>
#include <string>
#include <string_view>

/// The last config of a proxy process on disk, so that it serves it when it restarts while the
/// agent is away. The bytes are docs/formats/proxy_config.md. The file holds private keys: mode
/// 0600.
namespace strait::gateway::feed {

inline constexpr std::uint32_t saved_config_version = 1;

std::string encode_saved(const Config& config);
/// Errc::corrupt if the bytes are cut off, changed or no saved config; Errc::invalid if their
/// version is not ours.
Result<Config> decode_saved(std::string_view bytes);

/// All or nothing, and on the disk when it returns: a new file beside the old one takes its place.
/// One writer per path. Errc::exhausted for a config that load() would refuse for its size,
/// Errc::unavailable if the disk does not take it (full, read-only, no directory); the old file
/// stays.
Status save(const std::filesystem::path& path, const Config& config);

/// Errc::not_found if there is no file; else as decode_saved(), or Errc::unavailable if it cannot
/// be read. The detail names the file.
Result<Config> load(const std::filesystem::path& path);

} // namespace strait::gateway::feed
