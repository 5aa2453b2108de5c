#include "cmd/cli/version.hpp"

namespace strait::cli {

Version this_version() {
  return {STRAIT_VERSION, STRAIT_REVISION, STRAIT_PRERELEASE, STRAIT_BUILD_DATE};
}

} // namespace strait::cli
