#include "gateway/resolve/listener_checks.hpp"

#include "gateway/resolve/backend_tls.hpp"
#include "gateway/resolve/listener_conflicts.hpp"
#include "gateway/resolve/references.hpp"
#include "gateway/resolve/tls_options.hpp"

#include <algorithm>

namespace strait::gateway::resolve {

namespace {

using model::Reason;
using model::RouteGroupKind;
using Findings = ListenerFindings;

constexpr std::string_view listeners_path = "spec.listeners[";

/// The kinds of routes that a listener of the protocol serves.
std::vector<std::string_view> kinds_of(Protocol protocol) {
  switch (protocol) {
  case Protocol::http:
  case Protocol::https:
    return {"HTTPRoute", "GRPCRoute"};
  case Protocol::tls:
    return {"TLSRoute"};
  case Protocol::tcp:
    return {"TCPRoute"};
  case Protocol::udp:
    return {"UDPRoute"};
  case Protocol::peering:
    break;
  }
  return {};
}

class Checks {
public:
  Checks(const View& view, const model::Gateway& gateway, const ResolvedClass& gateway_class,
         Topics& depends)
      : view_{view}, gateway_{gateway}, class_{gateway_class}, depends_{depends} {}

  void alone(const ListenerEntry& entry, Findings& found) {
    auto& listener = entry.spec;
    auto protocol = protocol_of(listener.protocol);
    if (!protocol) {
      found.accepted = Problem{
          Reason::unsupported_protocol,
          fmt::format("protocol {}: expected HTTP, HTTPS, TLS, TCP or UDP", listener.protocol)};
      return;
    }
    kinds(listener, *protocol, found);
    if (entry.broken)
      found.accepted = Problem{Reason::unsupported_value, to_string(*entry.broken)};
    if (auto port = container_port(listener.port, class_.map_privileged_container_ports))
      found.port = *port;
    else if (!found.accepted)
      found.accepted =
          Problem{Reason::port_unavailable,
                  fmt::format("port {} and mapPrivilegedContainerPorts {} make no port",
                              listener.port, class_.map_privileged_container_ports)};
    if (*protocol == Protocol::https || *protocol == Protocol::tls)
      tls(entry, *protocol, found);
    if (*protocol == Protocol::https)
      clients(listener, found);
  }

private:
  static void kinds(const model::Listener& listener, Protocol protocol, Findings& found) {
    auto natural = kinds_of(protocol);
    auto& supported = found.supported_kinds;
    if (listener.allowed.kinds.empty())
      for (auto kind : natural)
        supported.push_back({std::string{gateway_group}, std::string{kind}});
    for (auto& kind : listener.allowed.kinds) {
      bool served = kind.group == gateway_group &&
                    std::find(natural.begin(), natural.end(), kind.kind) != natural.end();
      if (!served && !found.kinds)
        found.kinds =
            Problem{Reason::invalid_route_kinds,
                    fmt::format("allowedRoutes.kinds: a {} listener serves no {} of group {}",
                                listener.protocol, kind.kind, kind.group)};
      if (served && std::find(supported.begin(), supported.end(), kind) == supported.end())
        supported.push_back(kind);
    }
  }

  void tls(const ListenerEntry& entry, Protocol protocol, Findings& found) {
    auto& listener = entry.spec;
    if (listener.tls && listener.tls->mode == model::ListenerTls::Mode::passthrough) {
      found.passthrough = protocol == Protocol::tls;
      if (!found.passthrough && !found.accepted)
        found.accepted = Problem{Reason::unsupported_value,
                                 "tls.mode Passthrough: an HTTPS listener terminates"};
      return;
    }
    if (!listener.tls || listener.tls->certificates.empty()) {
      found.refs = Problem{Reason::invalid_certificate_ref,
                           fmt::format("{} {} listener needs tls.certificateRefs",
                                       protocol == Protocol::https ? "an" : "a terminating",
                                       listener.protocol)};
      return;
    }
    if (auto settings = tls_settings(listener.tls->options))
      found.tls = std::move(*settings);
    else if (!found.accepted)
      found.accepted = Problem{Reason::unsupported_value, settings.error().detail};
    auto consul = class_.policy.certificate_ref_reason == model::CertificateRefReason::consul;
    // A grant for the Gateway is none for its ListenerSets, nor the other way round.
    CertificateReferrer from{entry.set ? "ListenerSet" : "Gateway", entry.ns,
                             Reason::invalid_certificate_ref,
                             consul ? Reason::invalid_certificate_ref : Reason::ref_not_permitted};
    for (auto& ref : listener.tls->certificates)
      if (auto certificate = certificate_of(view_, from, ref, depends_); !certificate) {
        if (!found.refs)
          found.refs = std::move(certificate.error());
      } else {
        found.tls.certificates.push_back((*certificate)->id);
        found.certificates.push_back(std::move(*certificate));
      }
  }

  /// Whose certificates clients must show on this port: its own rule, else the Gateway's.
  void clients(const model::Listener& listener, Findings& found) {
    auto& tls = gateway_.tls;
    auto of_port = tls.frontend_per_port.find(listener.port);
    auto& wanted = of_port != tls.frontend_per_port.end() ? of_port->second : tls.frontend;
    if (!wanted)
      return;
    auto authorities = ca_certificates(
        view_,
        {gateway_group, "Gateway", gateway_.meta.name.ns, Reason::invalid_ca_certificate_kind},
        wanted->ca_refs, depends_);
    if (authorities.problem && !found.refs)
      found.refs = std::move(authorities.problem);
    if (authorities.pems.empty() && !found.accepted)
      found.accepted = Problem{Reason::no_valid_ca_certificate,
                               "spec.tls.frontend: none of its caCertificateRefs can be used"};
    found.clients = ClientValidation{std::move(authorities.pems), wanted->insecure_fallback};
  }

  const View& view_;
  const model::Gateway& gateway_;
  const ResolvedClass& class_;
  Topics& depends_;
};

} // namespace

std::optional<model::Unsupported> broken_in(const std::vector<model::Unsupported>& fields,
                                            std::size_t index) {
  auto prefix = fmt::format("{}{}]", listeners_path, index);
  for (auto& field : fields)
    if (field.path.starts_with(prefix))
      return field;
  return {};
}

const model::Unsupported* broken_outside(const std::vector<model::Unsupported>& fields) {
  for (auto& field : fields)
    if (!field.path.starts_with(listeners_path))
      return &field;
  return nullptr;
}

std::string config_name(const ListenerEntry& entry) {
  return entry.set ? fmt::format("{}~{}~{}", entry.set->ns, entry.set->name, entry.spec.name)
                   : entry.spec.name;
}

std::optional<Protocol> protocol_of(const std::string& text) {
  if (text == "HTTP")
    return Protocol::http;
  if (text == "HTTPS")
    return Protocol::https;
  if (text == "TLS")
    return Protocol::tls;
  if (text == "TCP")
    return Protocol::tcp;
  if (text == "UDP")
    return Protocol::udp;
  return {};
}

std::optional<std::uint16_t> container_port(std::uint16_t port, std::int32_t offset) {
  constexpr std::uint16_t privileged_max = 1024;
  if (port > privileged_max)
    return port;
  auto moved = std::int64_t{port} + offset;
  if (moved < 1 || moved > 65535)
    return {};
  return static_cast<std::uint16_t>(moved);
}

std::vector<Findings> check_listeners(const View& view, const model::Gateway& gateway,
                                      const std::vector<ListenerEntry>& entries,
                                      const ResolvedClass& gateway_class, Topics& depends) {
  std::vector<Findings> findings(entries.size());
  Checks checks{view, gateway, gateway_class, depends};
  for (std::size_t i = 0; i < entries.size(); ++i)
    checks.alone(entries[i], findings[i]);
  check_conflicts(entries, findings);
  return findings;
}

} // namespace strait::gateway::resolve
