#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace strait {

/// Cryptographically strong random bytes (OpenSSL). Any thread may call.
std::string random_bytes(std::size_t count);

/// A random version 4 UUID in lower case, "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx".
std::string random_uuid();

/// Whether both are equal, in time that does not depend on where they differ: for secrets.
bool equal_constant_time(std::string_view a, std::string_view b);

} // namespace strait
