#include "base/result.hpp"

namespace strait {

std::string_view to_string(Errc code) {
  switch (code) {
  case Errc::not_found:
    return "not_found";
  case Errc::conflict:
    return "conflict";
  case Errc::invalid:
    return "invalid";
  case Errc::denied:
    return "denied";
  case Errc::unavailable:
    return "unavailable";
  case Errc::corrupt:
    return "corrupt";
  case Errc::exhausted:
    return "exhausted";
  case Errc::internal:
    return "internal";
  }
  return "unknown";
}

} // namespace strait
