#include "gateway/resolve/plan.hpp"

#include "gateway/resolve/references.hpp"
#include "gateway/resolve/tls_options.hpp"
#include "net/tls_certificate.hpp"

#include <algorithm>
#include <charconv>

namespace strait::gateway::resolve {

namespace {

using model::Condition;
using model::ConditionType;
using model::Kind;
using model::Name;
using model::Reason;
using model::RouteGroupKind;

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

/// What is found of one listener, one problem per aspect; conditions are written from it at the
/// end.
struct Findings {
  std::optional<Problem> accepted, conflicted, refs, kinds;
  TlsSettings tls;
  std::vector<std::shared_ptr<const Certificate>> certificates;
};

class Planning {
public:
  Planning(const View& view, const model::Gateway& gateway, GatewayPlan& plan)
      : view_{view}, gateway_{gateway}, plan_{plan}, findings_(gateway.listeners.size()) {}

  void run(const ResolvedClass& gateway_class, std::int32_t privileged_offset) {
    privileged_offset_ = privileged_offset;
    for (std::size_t i = 0; i < gateway_.listeners.size(); ++i)
      check(gateway_.listeners[i], findings_[i]);
    conflicts();
    for (std::size_t i = 0; i < gateway_.listeners.size(); ++i)
      plan_.listeners.push_back(planned(gateway_.listeners[i], findings_[i]));
    finish(gateway_class);
  }

private:
  void check(const model::Listener& listener, Findings& found) {
    auto protocol = protocol_of(listener.protocol);
    if (!protocol) {
      found.accepted =
          Problem{Reason::unsupported_protocol,
                  fmt::format("protocol {}: expected HTTP, HTTPS or TCP", listener.protocol)};
      return;
    }
    if (listener.tls && listener.tls->mode == model::ListenerTls::Mode::passthrough) {
      found.accepted = Problem{Reason::unsupported_value, "tls.mode Passthrough is not supported"};
      return;
    }
    if (*protocol != Protocol::https)
      return;
    if (!listener.tls || listener.tls->certificates.empty()) {
      found.refs =
          Problem{Reason::invalid_certificate_ref, "an HTTPS listener needs tls.certificateRefs"};
      return;
    }
    auto settings = tls_settings(listener.tls->options);
    if (!settings) {
      found.accepted = Problem{Reason::unsupported_value, settings.error().detail};
      return;
    }
    found.tls = std::move(*settings);
    for (auto& ref : listener.tls->certificates)
      certificate(ref, found);
  }

  void certificate(const model::CertificateRef& ref, Findings& found) {
    auto wrong = [&](Reason reason, std::string message) {
      if (!found.refs)
        found.refs = Problem{reason, std::move(message)};
    };
    if (!ref.group.empty() || ref.kind != "Secret")
      return wrong(Reason::invalid_certificate_ref,
                   fmt::format("certificateRef {}: kind {} of group \"{}\": expected Secret",
                               ref.name, ref.kind, ref.group));
    Name name{ref.ns.empty() ? gateway_.meta.name.ns : ref.ns, ref.name};
    if (name.ns != gateway_.meta.name.ns) {
      plan_.depends.insert({Kind::reference_grant, {name.ns, ""}});
      if (!permitted(view_, {gateway_group, "Gateway", gateway_.meta.name.ns},
                     {"", "Secret", name.ns, name.name}))
        return wrong(plan_.policy.certificate_ref_reason == model::CertificateRefReason::consul
                         ? Reason::invalid_certificate_ref
                         : Reason::ref_not_permitted,
                     fmt::format("no ReferenceGrant in namespace {} lets Gateways of namespace {} "
                                 "refer to Secret {}",
                                 name.ns, gateway_.meta.name.ns, name.name));
    }
    plan_.depends.insert({Kind::secret, name});
    auto* secret = view_.find<model::Secret>(name);
    if (!secret)
      return wrong(Reason::invalid_certificate_ref,
                   fmt::format("Secret {} does not exist", to_string(name)));
    auto chain = secret->data.find("tls.crt"), key = secret->data.find("tls.key");
    if (chain == secret->data.end() || key == secret->data.end())
      return wrong(Reason::invalid_certificate_ref,
                   fmt::format("Secret {}: expected data tls.crt and tls.key", to_string(name)));
    if (auto pair = net::TlsCertificate::from_pem(chain->second, key->second); !pair)
      return wrong(Reason::invalid_certificate_ref,
                   fmt::format("Secret {}: {}", to_string(name), pair.error().detail));
    found.certificates.push_back(std::make_shared<const Certificate>(
        Certificate{"Secret " + to_string(name), chain->second, key->second}));
    found.tls.certificates.push_back(found.certificates.back()->id);
  }

  /// Listeners that cannot stand beside each other on one port: none of them may win.
  void conflicts() {
    auto& listeners = gateway_.listeners;
    for (std::size_t i = 0; i < listeners.size(); ++i)
      for (std::size_t j = 0; j < listeners.size(); ++j) {
        if (i == j || listeners[i].port != listeners[j].port)
          continue;
        auto a = protocol_of(listeners[i].protocol), b = protocol_of(listeners[j].protocol);
        if (!a || !b)
          continue;
        if (*a != *b)
          findings_[i].conflicted =
              Problem{Reason::protocol_conflict,
                      fmt::format("listener {} has port {} too, with protocol {}",
                                  listeners[j].name, listeners[j].port, listeners[j].protocol)};
        else if (!findings_[i].conflicted &&
                 lower(listeners[i].hostname) == lower(listeners[j].hostname))
          findings_[i].conflicted =
              Problem{Reason::hostname_conflict,
                      fmt::format("listener {} has the same port and hostname", listeners[j].name)};
      }
    // Mapped into the container, a privileged port may meet another listener's: the later one
    // yields.
    for (std::size_t i = 0; i < listeners.size(); ++i)
      for (std::size_t j = 0; j < i; ++j)
        if (listeners[i].port != listeners[j].port &&
            container_port(listeners[i].port) == container_port(listeners[j].port) &&
            !findings_[i].accepted)
          findings_[i].accepted =
              Problem{Reason::port_unavailable,
                      fmt::format("port {} is that of listener {} in the container",
                                  container_port(listeners[i].port), listeners[j].name)};
  }

  std::uint16_t container_port(std::uint16_t port) const {
    constexpr std::uint16_t privileged_max = 1024;
    return port <= privileged_max ? static_cast<std::uint16_t>(port + privileged_offset_) : port;
  }

  ListenerPlan planned(const model::Listener& spec, Findings& found) {
    ListenerPlan plan;
    plan.spec = spec;
    plan.kinds = supported_kinds(spec, found);
    auto& refs = found.refs ? found.refs : found.kinds;
    bool valid = !found.accepted && !found.conflicted;
    plan.programmed = valid && !found.refs;
    auto generation = gateway_.meta.generation;
    auto add = [&](ConditionType type, bool status, Reason reason, std::string message) {
      plan.conditions.push_back({.type = type,
                                 .status = status,
                                 .reason = reason,
                                 .message = std::move(message),
                                 .observed_generation = generation});
    };
    auto& rejected = found.accepted ? found.accepted : found.conflicted;
    add(ConditionType::accepted, !rejected, rejected ? rejected->reason : Reason::accepted,
        rejected ? rejected->message : "the listener is valid");
    add(ConditionType::conflicted, found.conflicted.has_value(),
        found.conflicted ? found.conflicted->reason : Reason::no_conflicts,
        found.conflicted ? found.conflicted->message : "");
    add(ConditionType::resolved_refs, !refs, refs ? refs->reason : Reason::resolved_refs,
        refs ? refs->message : "");
    add(ConditionType::programmed, plan.programmed,
        plan.programmed ? Reason::programmed : Reason::invalid,
        plan.programmed ? "" : "see the other conditions");
    if (plan.programmed) {
      Listener config;
      config.name = spec.name;
      config.port = container_port(spec.port);
      config.protocol = *protocol_of(spec.protocol);
      config.hostname = lower(spec.hostname);
      if (config.protocol == Protocol::https)
        config.tls = found.tls;
      plan.config = std::make_shared<const Listener>(std::move(config));
      plan.certificates = std::move(found.certificates);
    }
    return plan;
  }

  static std::vector<RouteGroupKind> supported_kinds(const model::Listener& spec, Findings& found) {
    auto protocol = protocol_of(spec.protocol);
    if (!protocol)
      return {};
    RouteGroupKind natural{std::string{gateway_group},
                           *protocol == Protocol::tcp ? "TCPRoute" : "HTTPRoute"};
    if (spec.allowed.kinds.empty())
      return {natural};
    std::vector<RouteGroupKind> kinds;
    for (auto& kind : spec.allowed.kinds)
      if (kind == natural)
        kinds = {natural};
      else
        found.kinds = Problem{Reason::invalid_route_kinds,
                              fmt::format("allowedRoutes.kinds: a {} listener serves no {}",
                                          spec.protocol, kind.kind)};
    return kinds;
  }

  void finish(const ResolvedClass& gateway_class) {
    auto& status = plan_.status;
    std::size_t good = 0, clean = 0;
    for (auto& listener : plan_.listeners) {
      good += listener.programmed ? 1U : 0U;
      clean +=
          std::all_of(listener.conditions.begin(), listener.conditions.end(),
                      [](auto& it) { return it.status == (it.type != ConditionType::conflicted); })
              ? 1U
              : 0U;
      plan_.selects_namespaces |= listener.spec.allowed.from == model::FromNamespaces::selector;
      status.listeners.push_back({listener.spec.name, 0, listener.kinds, listener.conditions});
    }
    bool all = clean == plan_.listeners.size();
    bool whole_or_nothing =
        plan_.policy.listener_readiness == model::ListenerReadiness::all_or_nothing;
    std::optional<Problem> refused;
    if (!gateway_class.accepted)
      refused = Problem{Reason::invalid_parameters,
                        fmt::format("GatewayClass {} is not accepted", gateway_class.name)};
    else if (!gateway_.unsupported.empty())
      refused = Problem{Reason::invalid,
                        fmt::format("{} is not supported", gateway_.unsupported.front().path)};
    else if (!gateway_.addresses.empty())
      refused = Problem{Reason::unsupported_address, "spec.addresses is not supported"};
    auto generation = gateway_.meta.generation;
    bool accepted = !refused && (good > 0 || plan_.listeners.empty());
    Reason reason = refused ? refused->reason
                    : all   ? Reason::accepted
                            : Reason::listeners_not_valid;
    status.conditions.push_back({.type = ConditionType::accepted,
                                 .status = accepted,
                                 .reason = reason,
                                 .message = refused ? refused->message
                                            : all   ? "the gateway is valid"
                                                    : "see the conditions of its listeners",
                                 .observed_generation = generation});
    plan_.serves = accepted && good > 0 && (all || !whole_or_nothing);
    status.conditions.push_back({.type = ConditionType::programmed,
                                 .status = plan_.serves,
                                 .reason = plan_.serves ? Reason::programmed : Reason::invalid,
                                 .message = plan_.serves ? "" : "nothing is served",
                                 .observed_generation = generation});
    if (gateway_class.controller == model::consul_controller)
      status.conditions.push_back(
          {.type = ConditionType::ready,
           .status = plan_.serves && all,
           .reason = plan_.serves && all ? Reason::ready : Reason::listeners_not_valid,
           .message = "",
           .observed_generation = generation});
  }

  const View& view_;
  const model::Gateway& gateway_;
  GatewayPlan& plan_;
  std::vector<Findings> findings_;
  std::int32_t privileged_offset_ = 0;
};

} // namespace

std::shared_ptr<const Listener> peering_listener_of(const model::Gateway& gateway) {
  auto annotation = gateway.meta.annotations.find(peering_port_annotation);
  if (annotation == gateway.meta.annotations.end())
    return nullptr;
  auto& text = annotation->second;
  std::uint16_t port = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0)
    return nullptr;
  Listener listener{.name = peering_listener, .port = port, .protocol = Protocol::peering};
  listener.tls.certificates = {"mesh-gateway"};
  return std::make_shared<const Listener>(std::move(listener));
}

bool ListenerPlan::attaches_like(const ListenerPlan& other) const {
  return spec.name == other.spec.name && spec.port == other.spec.port &&
         spec.hostname == other.spec.hostname && spec.allowed == other.spec.allowed &&
         kinds == other.kinds && programmed == other.programmed;
}

GatewayPlan plan_gateway(const View& view, const model::Name& name, const Settings&) {
  GatewayPlan plan;
  plan.depends.insert({Kind::gateway, name});
  auto* gateway = view.find<model::Gateway>(name);
  if (!gateway)
    return plan;
  plan.depends.insert({Kind::gateway_class, {"", gateway->class_name}});
  auto gateway_class = resolve_class(view, gateway->class_name);
  if (!gateway_class || !gateway_class->ours)
    return plan;
  plan.ours = true;
  plan.policy = gateway_class->policy;
  plan.controller = gateway_class->controller;
  plan.depends.insert(gateway_class->depends.begin(), gateway_class->depends.end());
  plan.status.object = {Kind::gateway, name};
  std::int32_t privileged_offset = 0;
  auto* record = view.find<model::GatewayClass>({"", gateway->class_name});
  if (record->parameters)
    if (auto* config = view.find<model::GatewayClassConfig>({"", record->parameters->name}))
      privileged_offset = config->map_privileged_container_ports;
  Planning{view, *gateway, plan}.run(*gateway_class, privileged_offset);
  plan.peering = peering_listener_of(*gateway);
  if (plan.selects_namespaces)
    plan.depends.insert({Kind::namespace_, {}});
  return plan;
}

} // namespace strait::gateway::resolve
