#include "actors/deployer_actor.hpp"

#include "base/overload.hpp"
#include "gateway/resolve/plan.hpp"

namespace strait::actors {

namespace {

using kubernetes::Deployment;
using kubernetes::ObjectId;
using model::Kind;

constexpr std::chrono::seconds tick_every{1};
constexpr std::string_view field_manager = "strait-deployer";

const std::set<catalog::Topic> watched{
    {Kind::gateway, {}},      {Kind::gateway_class, {}}, {Kind::gateway_class_config, {}},
    {Kind::listener_set, {}}, {Kind::namespace_, {}},    {Kind::certificate_authority, {}}};

/// Which of the Gateway's ports clients may use: those of listeners that are accepted.
std::vector<kubernetes::ServedPort> ports_of(const gateway::resolve::GatewayPlan& plan,
                                             const model::Gateway& gateway) {
  std::vector<kubernetes::ServedPort> ports;
  for (auto& listener : plan.listeners) {
    bool accepted = std::any_of(listener.conditions.begin(), listener.conditions.end(),
                                [](const model::Condition& it) {
                                  return it.type == model::ConditionType::accepted && it.status;
                                });
    if (accepted)
      ports.push_back({listener.entry.spec.port, listener.entry.spec.protocol == "UDP"});
  }
  if (auto peering = gateway::resolve::peering_listener_of(gateway))
    ports.push_back({peering->port, false});
  return ports;
}

/// The Gateway's own parameters before those of its class. not_found: they are not there.
Result<const model::GatewayClassConfig*> config_of(const catalog::View& view,
                                                   const model::Gateway& gateway) {
  auto* gateway_class = view.find<model::GatewayClass>({"", gateway.class_name});
  auto ref = gateway.infrastructure.parameters;
  if (!ref && gateway_class)
    ref = gateway_class->parameters;
  if (!ref)
    return nullptr;
  auto* config = view.find<model::GatewayClassConfig>({"", ref->name});
  if (!config)
    return fail(Errc::not_found, "{} {} does not exist", ref->kind, ref->name);
  return config;
}

struct Steps {
  DeployerActor::stateful_pointer<DeployerState> self;
  CatalogActor catalog;
  DeployerOptions options;

  // --- what is desired ---

  void look(const catalog::ViewPtr& view, const std::vector<catalog::Topic>& topics) const {
    self->state.view = view;
    if (!self->state.deployment)
      return;
    std::set<model::Name> names;
    bool all = topics.empty();
    for (auto& topic : topics)
      if (topic.kind == Kind::gateway)
        names.insert(topic.name);
      else
        all = true;
    if (all || names.contains(model::Name{})) {
      names = self->state.known;
      for (auto& [name, record] : view->table<model::Gateway>())
        names.insert(name);
    }
    for (auto& name : names)
      look(*view, name);
  }

  void look(const catalog::View& view, const model::Name& name) const {
    auto& state = self->state;
    auto& deployment = *state.deployment;
    auto* gateway = view.find<model::Gateway>(name);
    if (!gateway) {
      deployment.forget(name);
      unobstructed(name);
      state.certificates.erase(name);
      state.known.erase(name);
      return;
    }
    auto plan = gateway::resolve::plan_gateway(view, name, options.resolution);
    if (!plan.ours) {
      unobstructed(name);
      return carry_out(deployment.withdraw(options.now(), name));
    }
    state.known.insert(name);
    auto* certificate = certify(view, name);
    if (!certificate)
      return; // Comes with the authority.
    auto config = config_of(view, *gateway);
    if (config && *config && !(*config)->openshift_scc_name.empty() &&
        !std::exchange(state.constraints_followed, true))
      follow_all(true);
    carry_out(deployment.want(
        options.now(), name, gateway->meta.uid,
        config.and_then([&](const model::GatewayClassConfig* found) {
          return kubernetes::desired_objects(
              {*gateway,
               found,
               ports_of(plan, *gateway),
               {certificate->roots, certificate->leaf.chain_pem, certificate->leaf.key_pem},
               options.settings});
        })));
  }

  /// The certificate that the Gateway's pods show; renewed in time, and when the authority's root
  /// changed. Null: it cannot be had yet.
  const DeployerState::Certified* certify(const catalog::View& view,
                                          const model::Name& name) const {
    auto* authority = view.find<model::CertificateAuthority>({"", "connect"});
    if (!authority)
      return nullptr;
    std::string active;
    for (auto& root : authority->roots)
      if (root.active)
        active = root.id;
    auto& certificates = self->state.certificates;
    auto now = options.clock();
    if (auto it = certificates.find(name); it != certificates.end() &&
                                           it->second.root_id == active &&
                                           !peering::renewal_due(it->second.leaf, now))
      return &it->second;
    auto leaf = peering::issue(
        *authority,
        peering::api_gateway_leaf(authority->trust_domain, options.datacenter, name.ns, name.name),
        now, options.certificates);
    if (!leaf) {
      options.log.error("Gateway {}: {}", to_string(name), leaf.error().detail);
      return nullptr;
    }
    std::string roots;
    for (auto& root : peering::trusted_roots(*authority, now))
      roots += root;
    return &(certificates[name] = {std::move(*leaf), std::move(roots), std::move(active)});
  }

  // --- requests ---

  void carry_out(const Deployment::Effects& effects) const {
    for (auto& effect : effects) {
      auto step = static_cast<int>(effect.index());
      std::visit(
          overload{[&](const Deployment::Look& it) { request(it.id, step, {}); },
                   [&](const Deployment::Apply& it) {
                     options.log.debug("applying {}", to_string(it.id));
                     auto path = kubernetes::path_of(it.id);
                     request(it.id, step,
                             kubernetes::apply_request(path.value_or(""), it.body, field_manager));
                   },
                   [&](const Deployment::Delete& it) {
                     options.log.info("removing {}", to_string(it.id));
                     kubernetes::Request request;
                     request.method = "DELETE";
                     request.body = R"({"apiVersion":"v1","kind":"DeleteOptions",)"
                                    R"("propagationPolicy":"Background","preconditions":{"uid":")" +
                                    it.uid + R"("}})";
                     this->request(it.id, step, std::move(request));
                   },
                   [&](const Deployment::Told& it) {
                     if (it.error)
                       options.log.warn("Gateway {}: {}", to_string(it.gateway), it.error->detail);
                     else
                       options.log.info("Gateway {} is deployed", to_string(it.gateway));
                     if (it.error)
                       self->state.obstructed.insert(it.gateway);
                     else
                       self->state.obstructed.erase(it.gateway);
                     if (options.report)
                       options.report(it.gateway, it.error);
                   }},
          effect);
    }
  }

  /// It is not deployed from here (any more): nothing stands in its way.
  void unobstructed(const model::Name& gateway) const {
    if (self->state.obstructed.erase(gateway) > 0 && options.report)
      options.report(gateway, std::nullopt);
  }

  void request(const ObjectId& id, int step, kubernetes::Request request) const {
    auto weak = caf::actor_cast<caf::actor_addr>(self);
    auto tell = [weak, id, step](Result<kubernetes::Response> response) {
      if (auto strong = caf::actor_cast<caf::strong_actor_ptr>(weak))
        caf::anon_send(caf::actor_cast<DeployerActor>(std::move(strong)), answer_atom::value,
                       ObjectAnswer{id, step, std::move(response)});
    };
    auto path = kubernetes::path_of(id);
    if (!path)
      return tell(fail(path.error()));
    request.path = std::move(*path);
    options.client->request(std::move(request), std::move(tell));
  }

  void answered(const ObjectAnswer& it) const {
    auto& state = self->state;
    if (!state.deployment)
      return;
    auto outcome = it.response ? kubernetes::outcome_of(*it.response) : fail(it.response.error());
    auto now = options.now();
    auto object = [&]() -> Result<kubernetes::Node> {
      if (!outcome)
        return fail(outcome.error());
      return kubernetes::parse_json(it.response->body, to_string(it.id));
    };
    if (it.step == 0) {
      auto live = object().map([](auto node) { return std::optional{std::move(node)}; });
      if (!live && live.error().code == Errc::not_found)
        live = std::optional<kubernetes::Node>{};
      carry_out(state.deployment->looked(now, it.id, std::move(live)));
    } else if (it.step == 1) {
      carry_out(state.deployment->applied(now, it.id, object()));
    } else {
      carry_out(state.deployment->deleted(now, it.id, outcome));
    }
  }

  // --- leading ---

  void lead(bool leads) const {
    auto& state = self->state;
    if (leads == (state.deployment != nullptr))
      return;
    state.mirrors.clear();
    state.unlisted.clear();
    state.constraints_followed = false;
    state.deployment.reset();
    if (!leads) { // Whoever leads now says it.
      for (auto& name : std::set{state.obstructed})
        unobstructed(name);
      return;
    }
    state.deployment = std::make_unique<Deployment>();
    for (auto& kind : kubernetes::deployed_kinds)
      if (!kind.constraint)
        state.unlisted.insert(kind.kind);
    follow_all(false);
    if (state.view)
      look(state.view, {});
  }

  /// The kinds that only constraints need, or the others.
  void follow_all(bool constraints) const {
    for (auto& kind : kubernetes::deployed_kinds)
      if (kind.constraint == constraints)
        self->state.mirrors.push_back(follow(kind));
  }

  std::shared_ptr<kubernetes::Mirror> follow(const kubernetes::DeployedKind& kind) const {
    auto weak = caf::actor_cast<caf::actor_addr>(self);
    auto tell = [weak](auto&&... message) {
      if (auto strong = caf::actor_cast<caf::strong_actor_ptr>(weak))
        caf::anon_send(caf::actor_cast<DeployerActor>(std::move(strong)),
                       std::forward<decltype(message)>(message)...);
    };
    kubernetes::Collection collection{
        kubernetes::collection_of({kind.api_version, kind.kind, {}}).value(),
        kind.api_version,
        kind.kind,
        {},
        fmt::format("{}={}", kubernetes::managed_by_label, kubernetes::managed_by_strait)};
    kubernetes::MirrorCallbacks callbacks;
    callbacks.put = [tell, kind](const kubernetes::Item& item) {
      tell(seen_atom::value, ManagedObject{{kind.api_version, kind.kind, item.name}, item});
    };
    callbacks.remove = [tell, kind](const model::Name& name) {
      tell(seen_atom::value, ManagedObject{{kind.api_version, kind.kind, name}, {}});
    };
    callbacks.synced = [tell, kind] { tell(synced_atom::value, std::string{kind.kind}); };
    callbacks.problem = [log = options.log, kind](const std::string& what) {
      if (!what.empty())
        log.warn("{}s of gateways: {}", kind.kind, what);
    };
    return kubernetes::Mirror::start(options.client, std::move(collection), std::move(callbacks));
  }
};

} // namespace

std::optional<DeploymentStatus> deployment_status(const model::Name& gateway,
                                                  const std::optional<Error>& reported) {
  if (!reported)
    return DeploymentStatus{gateway, {}};
  auto as = [&](model::Reason reason) {
    return DeploymentStatus{gateway, strait::gateway::resolve::Problem{reason, reported->detail}};
  };
  switch (reported->code) {
  case Errc::invalid:
    return as(model::Reason::invalid);
  case Errc::conflict:
  case Errc::denied:
  case Errc::not_found:
    return as(model::Reason::no_resources);
  default:
    return {};
  }
}

DeployerActor::behavior_type deployer_actor(DeployerActor::stateful_pointer<DeployerState> self,
                                            CatalogActor catalog, DeployerOptions options) {
  Steps steps{self, std::move(catalog), std::move(options)};
  self->request(steps.catalog, caf::infinite, watch_atom::value, Watcher{self}, watched)
      .then([steps](const catalog::ViewPtr& view) { steps.look(view, {}); });
  self->delayed_send(self, tick_every, tick_atom::value);
  return {
      [steps](change_atom, const Change& change) {
        steps.look(change.view, change.topics);
        steps.self->send(steps.catalog, done_atom::value);
      },
      [steps](lead_atom, bool leads) { steps.lead(leads); },
      [steps](answer_atom, const ObjectAnswer& answer) { steps.answered(answer); },
      [steps](seen_atom, const ManagedObject& object) {
        if (auto& deployment = steps.self->state.deployment)
          steps.carry_out(object.live
                              ? deployment->seen(steps.options.now(), object.id, *object.live)
                              : deployment->gone(steps.options.now(), object.id));
      },
      [steps](synced_atom, const std::string& kind) {
        auto& state = steps.self->state;
        if (state.unlisted.erase(kind) > 0 && state.unlisted.empty() && state.deployment)
          steps.carry_out(state.deployment->synced(steps.options.now()));
      },
      [steps](tick_atom) {
        auto& state = steps.self->state;
        steps.self->delayed_send(steps.self, tick_every, tick_atom::value);
        if (!state.deployment)
          return;
        steps.carry_out(state.deployment->tick(steps.options.now()));
        for (auto& [name, certified] : state.certificates)
          if (peering::renewal_due(certified.leaf, steps.options.clock())) {
            steps.look(*state.view, name);
            break; // The map may have changed; the next one a second later.
          }
      },
  };
}

} // namespace strait::actors
