#include "gateway/proxy/session_keys.hpp"

#include <algorithm>
#include <utility>

namespace strait::gateway::proxy {

namespace {

constexpr const char* session_key_id = "session-key";

/// Empty lines are none: under an empty key, tokens would be anybody's to make.
std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty() && lines.size() < session_keys_max) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (!line.empty())
      lines.emplace_back(line);
  }
  return lines;
}

} // namespace

SessionKeys::SessionKeys(std::string fallback) : fallback_{std::move(fallback)}, keys_{fallback_} {}

void SessionKeys::serve(const Config& config) {
  const auto* found = config.certificates.find(session_key_id);
  const auto certificate = found ? *found : nullptr;
  if (certificate == certificate_)
    return;
  certificate_ = certificate;
  keys_ = certificate ? lines_of(certificate->key_pem) : std::vector<std::string>{};
  if (keys_.empty())
    keys_.push_back(fallback_);
}

} // namespace strait::gateway::proxy
