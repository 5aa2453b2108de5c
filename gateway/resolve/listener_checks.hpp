#pragma once

#include "gateway/resolve/resolve.hpp"

namespace strait::gateway::resolve {

/// What is found of one listener, one problem per aspect; conditions are written from it.
struct ListenerFindings {
  std::optional<Problem> accepted;   ///< Why it is not: a field, its protocol, its port.
  std::optional<Problem> conflicted; ///< With another listener of the same port.
  std::optional<Problem> refs;       ///< The first certificate that cannot be used.
  std::optional<Problem> kinds;      ///< A kind of route that it cannot serve.
  std::optional<Problem> overlapping;
  std::vector<model::RouteGroupKind> supported_kinds;
  std::uint16_t port = 0; ///< To bind in the container.
  TlsSettings tls;
  std::vector<std::shared_ptr<const Certificate>> certificates; ///< Those that are in order.
};

/// Checks each listener by itself (protocol, TLS, certificates and their grants, kinds) and against
/// the others of its Gateway (ports, hostnames). `depends` gets what was looked at.
std::vector<ListenerFindings> check_listeners(const View& view, const model::Gateway& gateway,
                                              const ResolvedClass& gateway_class, Topics& depends);

/// Nothing for a protocol that no listener can have yet.
std::optional<Protocol> protocol_of(const std::string& text);

/// The port in the container: privileged ones are moved up by `offset` (specification B3). Nothing
/// if there is no such port.
std::optional<std::uint16_t> container_port(std::uint16_t port, std::int32_t offset);

std::string lower(std::string text);

} // namespace strait::gateway::resolve
