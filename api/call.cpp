#include "api/call.hpp"

namespace strait::api {

bool Parameters::has(std::string_view name) const {
  for (auto& [key, value] : pairs_)
    if (key == name)
      return true;
  return false;
}

const std::string& Parameters::get(std::string_view name) const {
  static const std::string none;
  for (auto& [key, value] : pairs_)
    if (key == name)
      return value;
  return none;
}

std::vector<std::string> Parameters::all(std::string_view name) const {
  std::vector<std::string> values;
  for (auto& [key, value] : pairs_)
    if (key == name)
      values.push_back(value);
  return values;
}

Reply text_reply(int status, std::string text) { return {status, std::move(text), text_type, {}}; }

Reply consul_error(const Error& error) {
  switch (error.code) {
  case Errc::denied:
    return text_reply(403, error.detail);
  case Errc::exhausted:
    return text_reply(429, error.detail);
  case Errc::unavailable:
    return text_reply(503, error.detail);
  default:
    return text_reply(500, error.detail);
  }
}

} // namespace strait::api
