#pragma once

#include "gateway/snapshot/config.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace strait::gateway::proxy {

/// Former keys are tried one after the other: no more than an authority has roots
/// (peering::AuthorityOptions::roots_max). The control plane sends none beyond it.
inline constexpr std::size_t session_keys_max = 8;

/// What the tokens of session persistence are signed with. The control plane hands it out as the
/// certificate "session-key", in whose key stands one secret a line: the first signs, all verify.
/// Without it, the one of ProxyOptions does both. Not synchronized: one worker's.
class SessionKeys {
public:
  explicit SessionKeys(std::string fallback);

  /// From now on those of the configuration. Read anew only if the certificate is another one.
  void serve(const Config& config);

  std::string_view signing() const { return keys_.front(); }
  const std::vector<std::string>& verifying() const { return keys_; }

private:
  const std::string fallback_;
  std::shared_ptr<const Certificate> certificate_; ///< Null: none.
  std::vector<std::string> keys_;                  ///< At least one.
};

} // namespace strait::gateway::proxy
