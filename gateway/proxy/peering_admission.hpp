#pragma once

#include "gateway/snapshot/config.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace strait::gateway::proxy {

enum class Admission : std::uint8_t {
  accepted,
  foreign_identity, ///< Not exactly one SPIFFE id, or of another trust domain.
  denied,           ///< By the first caller that matches, or none does.
};

/// Whether a client whose certificate chains to the peer's roots may reach an exported service
/// (consul.md §1.8). `uris` are the URI names of its certificate.
Admission admit(const std::vector<std::string>& uris, std::string_view trust_domain,
                const std::vector<PeeringExport::Caller>& callers);

/// Whether a SPIFFE id is what a caller's pattern names: equal, or equal up to a "*" that is the
/// pattern's last path element and stands for exactly one element.
bool names_caller(std::string_view pattern, std::string_view spiffe_id);

} // namespace strait::gateway::proxy
