#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>

namespace strait::net {

/// RFC 4648 §4: the standard alphabet, padded, on one line.
std::string to_base64(std::string_view bytes);
/// Errc::invalid when the text is not that. White space around it and ends of lines in it are
/// passed over: Secrets and tokens are copied by hand.
Result<std::string> from_base64(std::string_view text);

} // namespace strait::net
