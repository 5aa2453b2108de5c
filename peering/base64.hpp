#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>

namespace strait::peering {

/// RFC 4648 §4: the standard alphabet, padded.
std::string to_base64(std::string_view bytes);
/// White space around the text is ignored; anything else that is not base64 is Errc::invalid.
Result<std::string> from_base64(std::string_view text);

} // namespace strait::peering
