#include "gateway/resolve/listener_checks.hpp"

#include "gateway/resolve/references.hpp"
#include "gateway/resolve/tls_options.hpp"
#include "gateway/snapshot/snapshot.hpp"
#include "net/tls_certificate.hpp"

#include <algorithm>

namespace strait::gateway::resolve {

namespace {

using model::Kind;
using model::Name;
using model::Reason;
using model::RouteGroupKind;
using Findings = ListenerFindings;

class Checks {
public:
  Checks(const View& view, const model::Gateway& gateway, const ResolvedClass& gateway_class,
         Topics& depends)
      : view_{view}, gateway_{gateway}, class_{gateway_class}, depends_{depends} {}

  void alone(const model::Listener& listener, Findings& found) {
    auto protocol = protocol_of(listener.protocol);
    if (!protocol) {
      found.accepted =
          Problem{Reason::unsupported_protocol,
                  fmt::format("protocol {}: expected HTTP, HTTPS or TCP", listener.protocol)};
      return;
    }
    kinds(listener, *protocol, found);
    if (auto port = container_port(listener.port, class_.map_privileged_container_ports))
      found.port = *port;
    else
      found.accepted =
          Problem{Reason::port_unavailable,
                  fmt::format("port {} and mapPrivilegedContainerPorts {} make no port",
                              listener.port, class_.map_privileged_container_ports)};
    if (*protocol == Protocol::https)
      tls(listener, found);
  }

  /// Listeners that cannot stand beside each other on one port: none of them may win.
  static void conflict(const model::Listener& own, const model::Listener& other, Findings& found) {
    auto a = protocol_of(own.protocol), b = protocol_of(other.protocol);
    if (own.port != other.port || !a || !b)
      return;
    if (*a != *b)
      found.conflicted = Problem{Reason::protocol_conflict,
                                 fmt::format("listener {} has port {} too, with protocol {}",
                                             other.name, other.port, other.protocol)};
    else if (*a == Protocol::tcp)
      found.conflicted =
          Problem{Reason::protocol_conflict,
                  fmt::format("listener {} has port {} too, and TCP has no hostnames", other.name,
                              other.port)};
    else if (!found.conflicted && lower(own.hostname) == lower(other.hostname))
      found.conflicted =
          Problem{Reason::hostname_conflict,
                  fmt::format("listener {} has the same port and hostname", other.name)};
  }

  /// Which certificate a client gets then depends on its SNI, which connection it reuses does not.
  static void overlap(const model::Listener& own, const model::Listener& other, Findings& found) {
    auto a = lower(own.hostname), b = lower(other.hostname);
    if (own.port != other.port || own.protocol != "HTTPS" || other.protocol != "HTTPS" ||
        found.overlapping || (!hostname_covers(a, b) && !hostname_covers(b, a)))
      return;
    found.overlapping = Problem{Reason::overlapping_hostnames,
                                fmt::format("listener {} of the same port has hostname \"{}\"",
                                            other.name, other.hostname)};
  }

private:
  static void kinds(const model::Listener& listener, Protocol protocol, Findings& found) {
    RouteGroupKind natural{std::string{gateway_group},
                           protocol == Protocol::tcp ? "TCPRoute" : "HTTPRoute"};
    if (listener.allowed.kinds.empty())
      found.supported_kinds = {natural};
    for (auto& kind : listener.allowed.kinds)
      if (kind == natural)
        found.supported_kinds = {natural};
      else if (!found.kinds)
        found.kinds =
            Problem{Reason::invalid_route_kinds,
                    fmt::format("allowedRoutes.kinds: a {} listener serves no {} of group {}",
                                listener.protocol, kind.kind, kind.group)};
  }

  void tls(const model::Listener& listener, Findings& found) {
    if (listener.tls && listener.tls->mode == model::ListenerTls::Mode::passthrough) {
      found.accepted = Problem{Reason::unsupported_value, "tls.mode Passthrough is not supported"};
      return;
    }
    if (!listener.tls || listener.tls->certificates.empty()) {
      found.refs =
          Problem{Reason::invalid_certificate_ref, "an HTTPS listener needs tls.certificateRefs"};
      return;
    }
    if (auto settings = tls_settings(listener.tls->options))
      found.tls = std::move(*settings);
    else if (!found.accepted)
      found.accepted = Problem{Reason::unsupported_value, settings.error().detail};
    for (auto& ref : listener.tls->certificates)
      if (auto problem = certificate(ref, found); problem && !found.refs)
        found.refs = std::move(problem);
  }

  std::optional<Problem> certificate(const model::CertificateRef& ref, Findings& found) {
    auto invalid = [](std::string message) {
      return Problem{Reason::invalid_certificate_ref, std::move(message)};
    };
    if (!ref.group.empty() || ref.kind != "Secret")
      return invalid(fmt::format("certificateRef {}: kind {} of group \"{}\": expected Secret",
                                 ref.name, ref.kind, ref.group));
    auto& own_ns = gateway_.meta.name.ns;
    Name name{ref.ns.empty() ? own_ns : ref.ns, ref.name};
    if (name.ns != own_ns) {
      // Before existence: nobody may probe for names in another namespace.
      depends_.insert({Kind::reference_grant, {name.ns, ""}});
      if (!permitted(view_, {gateway_group, "Gateway", own_ns}, {"", "Secret", name.ns, name.name}))
        return Problem{class_.policy.certificate_ref_reason == model::CertificateRefReason::consul
                           ? Reason::invalid_certificate_ref
                           : Reason::ref_not_permitted,
                       fmt::format("no ReferenceGrant in namespace {} lets Gateways of namespace "
                                   "{} refer to Secret {}",
                                   name.ns, own_ns, name.name)};
    }
    depends_.insert({Kind::secret, name});
    auto* secret = view_.find<model::Secret>(name);
    if (!secret)
      return invalid(fmt::format("Secret {} does not exist", to_string(name)));
    if (secret->type != "kubernetes.io/tls")
      return invalid(fmt::format("Secret {}: type \"{}\": expected kubernetes.io/tls",
                                 to_string(name), secret->type));
    auto chain = secret->data.find("tls.crt"), key = secret->data.find("tls.key");
    if (chain == secret->data.end() || key == secret->data.end())
      return invalid(fmt::format("Secret {}: expected data tls.crt and tls.key", to_string(name)));
    if (auto pair = net::TlsCertificate::from_pem(chain->second, key->second); !pair)
      return invalid(fmt::format("Secret {}: {}", to_string(name), pair.error().detail));
    found.certificates.push_back(std::make_shared<const Certificate>(
        Certificate{"Secret " + to_string(name), chain->second, key->second}));
    found.tls.certificates.push_back(found.certificates.back()->id);
    return {};
  }

  const View& view_;
  const model::Gateway& gateway_;
  const ResolvedClass& class_;
  Topics& depends_;
};

bool stands(const Findings& found) { return !found.accepted && !found.conflicted; }

} // namespace

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::optional<Protocol> protocol_of(const std::string& text) {
  if (text == "HTTP")
    return Protocol::http;
  if (text == "HTTPS")
    return Protocol::https;
  if (text == "TCP")
    return Protocol::tcp;
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
                                      const ResolvedClass& gateway_class, Topics& depends) {
  auto& listeners = gateway.listeners;
  std::vector<Findings> findings(listeners.size());
  Checks checks{view, gateway, gateway_class, depends};
  for (std::size_t i = 0; i < listeners.size(); ++i)
    checks.alone(listeners[i], findings[i]);
  for (std::size_t i = 0; i < listeners.size(); ++i)
    for (std::size_t j = 0; j < listeners.size(); ++j)
      if (i != j) {
        Checks::conflict(listeners[i], listeners[j], findings[i]);
        Checks::overlap(listeners[i], listeners[j], findings[i]);
      }
  // Mapped into the container, a privileged port may meet another listener's: the later yields.
  for (std::size_t i = 0; i < listeners.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (listeners[i].port != listeners[j].port && findings[i].port == findings[j].port &&
          stands(findings[i]) && stands(findings[j]))
        findings[i].accepted = Problem{
            Reason::port_unavailable, fmt::format("port {} is that of listener {} in the container",
                                                  findings[i].port, listeners[j].name)};
  return findings;
}

} // namespace strait::gateway::resolve
