#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace strait::kubernetes {

/// RFC 4648 §4 with padding, on one line: as Kubernetes writes Secret.data.
std::string to_base64(std::string_view bytes);
/// Nothing when the text is not base64. Ends of lines are passed over, as Kubernetes does.
std::optional<std::string> from_base64(std::string_view text);

} // namespace strait::kubernetes
