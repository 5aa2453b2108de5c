#pragma once

#include "gateway/resolve/listener_checks.hpp"

namespace strait::gateway::resolve {

/// What listeners of one Gateway are to each other (Gateway API: distinct listeners). HTTP, HTTPS
/// and TLS are told apart by port and hostname, TCP and UDP by port alone; HTTPS and TLS may share
/// a port, TCP and UDP a number.
///
/// Of two that conflict neither wins within the Gateway itself; where a ListenerSet has one of
/// them, the earlier wins. Ports may also meet in the container, where privileged ones are moved:
/// then the later yields.
void check_conflicts(const std::vector<ListenerEntry>& entries,
                     std::vector<ListenerFindings>& findings);

} // namespace strait::gateway::resolve
