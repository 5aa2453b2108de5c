#pragma once

#include <fmt/core.h>
#include <tl/expected.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace strait {

/// What the caller can do about a failure.
enum class Errc : std::uint8_t {
  not_found = 1, ///< The thing named does not exist.
  conflict,      ///< It exists already, or it changed since it was read (compare-and-set).
  invalid,       ///< The input is wrong; the same call can never succeed.
  denied,        ///< The caller may not do this.
  unavailable,   ///< Not now: try again later.
  corrupt,       ///< Stored or received bytes are not what they must be.
  exhausted,     ///< A named maximum was reached.
  internal,      ///< A bug, or a failure of the machine.
};

/// "not_found", "conflict", …: the name of the code, for machines to read.
std::string_view to_string(Errc code);

/// A failure: the code tells the caller what can be done about it; the detail names the thing, the
/// field and what was expected ("Gateway default/edge: spec.listeners[1].port: must be 1..65535").
struct Error {
  Errc code = Errc::internal;
  std::string detail;

  friend bool operator==(const Error&, const Error&) = default;
};

template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

/// return fail(Errc::invalid, "port {}: must be 1..65535", port);
template <class... Args>
[[nodiscard]] tl::unexpected<Error> fail(Errc code, fmt::format_string<Args...> text,
                                         Args&&... args) {
  return tl::unexpected<Error>(Error{code, fmt::format(text, std::forward<Args>(args)...)});
}
[[nodiscard]] inline tl::unexpected<Error> fail(Error error) {
  return tl::unexpected<Error>(std::move(error));
}

} // namespace strait
