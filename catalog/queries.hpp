#pragma once

#include "catalog/view.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

/// What is asked of a view. Pure; any thread.
namespace strait::catalog {

/// The services of this datacenter with the tags of all their instances (catalog/services).
std::map<std::string, std::set<std::string>> services_with_tags(const View& view);

/// The nodes of this datacenter (peer empty) or imported ones, sorted by name.
std::vector<RecordPtr<model::Node>> nodes(const View& view, const std::string& peer = "");

/// What the operator of this datacenter lets the peer import, sorted: services that an
/// exported-services entry names for it, whether they have instances or not, and for "*" every
/// service that has an instance of the typical kind. Never "consul".
std::vector<std::string> exported_to(const View& view, const std::string& peer);
bool is_exported(const View& view, const std::string& service, const std::string& peer);
/// The peers that the service is exported to, sorted.
std::vector<std::string> exported_peers(const View& view, const std::string& service);

/// What intentions say of one call.
enum class Decision : std::uint8_t { allow, deny, undecided };
struct Call {
  std::string source;
  std::string source_peer; ///< The peering that it comes through; empty: this datacenter.
  std::string destination;
};
/// Consul's precedence: an exact destination before "*", then an exact source before "*".
/// Undecided: no intention speaks of it, so the datacenter's default holds.
Decision intention(const View& view, const Call& call);

} // namespace strait::catalog
