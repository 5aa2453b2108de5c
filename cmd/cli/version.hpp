#pragma once

#include <string_view>

namespace strait::cli {

/// What this program was built from.
struct Version {
  std::string_view version;    ///< "0.1.0"
  std::string_view revision;   ///< Of the sources, or "unknown".
  std::string_view prerelease; ///< "dev", or empty for a release.
  std::string_view build_date; ///< Of the sources' last change, so that builds can be repeated.
};
Version this_version();

} // namespace strait::cli
