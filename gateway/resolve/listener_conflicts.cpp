#include "gateway/resolve/listener_conflicts.hpp"

#include "base/ascii.hpp"
#include "gateway/snapshot/snapshot.hpp"

namespace strait::gateway::resolve {

namespace {

using model::Listener;
using model::Reason;

bool by_sni(Protocol protocol) { return protocol == Protocol::https || protocol == Protocol::tls; }
bool same_transport(Protocol a, Protocol b) { return (a == Protocol::udp) == (b == Protocol::udp); }

std::optional<Problem> conflict(const Listener& own, const Listener& other) {
  auto a = protocol_of(own.protocol), b = protocol_of(other.protocol);
  if (own.port != other.port || !a || !b || !same_transport(*a, *b))
    return {};
  if (*a != *b && !(by_sni(*a) && by_sni(*b)))
    return Problem{Reason::protocol_conflict,
                   fmt::format("listener {} has port {} too, with protocol {}", other.name,
                               other.port, other.protocol)};
  if (*a == Protocol::tcp || *a == Protocol::udp)
    return Problem{Reason::protocol_conflict,
                   fmt::format("listener {} has port {} too, and {} has no hostnames", other.name,
                               other.port, other.protocol)};
  if (ascii_lower(own.hostname) == ascii_lower(other.hostname))
    return Problem{Reason::hostname_conflict,
                   fmt::format("listener {} has the same port and hostname", other.name)};
  return {};
}

/// A protocol that does not fit says more than a hostname that is taken.
bool outweighs(const Problem& found, const std::optional<Problem>& before) {
  return !before ||
         (before->reason == Reason::hostname_conflict && found.reason == Reason::protocol_conflict);
}

/// Which certificate a client gets then depends on its SNI, which connection it reuses does not.
std::optional<Problem> overlap(const ListenerEntry& own, const ListenerEntry& other) {
  auto terminates = [](const Listener& it) {
    return it.protocol == "HTTPS" ||
           (it.protocol == "TLS" &&
            !(it.tls && it.tls->mode == model::ListenerTls::Mode::passthrough));
  };
  auto a = ascii_lower(own.spec.hostname), b = ascii_lower(other.spec.hostname);
  if (own.spec.port != other.spec.port || !terminates(own.spec) || !terminates(other.spec) ||
      (!hostname_covers(a, b) && !hostname_covers(b, a)))
    return {};
  return Problem{Reason::overlapping_hostnames,
                 fmt::format("listener {} of the same port has hostname \"{}\"", other.spec.name,
                             other.spec.hostname)};
}

bool stands(const ListenerFindings& found) { return !found.accepted && !found.conflicted; }

} // namespace

void check_conflicts(const std::vector<ListenerEntry>& entries,
                     std::vector<ListenerFindings>& findings) {
  for (std::size_t i = 0; i < entries.size(); ++i)
    for (std::size_t j = 0; j < entries.size(); ++j) {
      bool between_own = !entries[i].set && !entries[j].set;
      bool earlier_stands = j < i && (!entries[j].set || !findings[j].conflicted);
      if (i == j || !(between_own || earlier_stands))
        continue;
      auto found = conflict(entries[i].spec, entries[j].spec);
      if (found && outweighs(*found, findings[i].conflicted))
        findings[i].conflicted = std::move(found);
    }
  for (std::size_t i = 0; i < entries.size(); ++i)
    for (std::size_t j = 0; j < entries.size(); ++j)
      if (i != j && !findings[i].overlapping)
        findings[i].overlapping = overlap(entries[i], entries[j]);
  for (std::size_t i = 0; i < entries.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) {
      auto &own = entries[i].spec, &other = entries[j].spec;
      if (own.port == other.port || findings[i].port != findings[j].port || !stands(findings[i]) ||
          !stands(findings[j]) ||
          !same_transport(*protocol_of(own.protocol), *protocol_of(other.protocol)))
        continue;
      findings[i].accepted = Problem{Reason::port_unavailable,
                                     fmt::format("port {} is that of listener {} in the container",
                                                 findings[i].port, other.name)};
    }
}

} // namespace strait::gateway::resolve
