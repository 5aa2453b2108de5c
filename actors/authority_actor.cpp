#include "actors/authority_actor.hpp"

#include "base/random.hpp"
#include "gateway/resolve/gateway_addresses.hpp"
#include "gateway/resolve/plan.hpp"

namespace strait::actors {

namespace {

using model::Kind;

constexpr std::chrono::seconds renewal_check_every{30};

constexpr const char* mesh_gateway = "mesh-gateway";
constexpr const char* gateway_key = "strait-gateway"; ///< In the meta of those registered here.

const std::set<catalog::Topic> watched{{Kind::certificate_authority, {}}, {Kind::gateway, {}}};

struct Steps {
  AuthorityActor::stateful_pointer<AuthorityState> self;
  CatalogActor catalog;
  RootActor root;
  AuthorityOptions options;

  void look(const catalog::ViewPtr& view) const {
    self->state.view = view;
    auto* authority = view->find<model::CertificateAuthority>({"", "connect"});
    if (!authority)
      return make();
    std::string active;
    for (auto& it : authority->roots)
      if (it.active)
        active = it.id;
    bool rotated = active != self->state.active_root;
    self->state.active_root = active;
    serve(*authority, rotated);
    auto topics = watched;
    for (auto& [name, record] : view->table<model::Gateway>()) {
      identify(*authority, name, rotated);
      register_peering(*view, name, record->value, topics);
    }
    forget_gone(*view);
    watch(std::move(topics));
  }

  void watch(std::set<catalog::Topic> topics) const {
    if (topics == self->state.topics)
      return;
    self->state.topics = topics;
    self->request(catalog, caf::infinite, watch_atom::value, Watcher{self}, std::move(topics))
        .then([*this](const catalog::ViewPtr& view) {
          // What changed before it was watched is seen now.
          if (!self->state.view || view->revision > self->state.view->revision)
            look(view);
        });
  }

  /// The first agent of a datacenter makes its authority; the trust domain never changes.
  void make() const {
    if (std::exchange(self->state.making, true))
      return;
    auto authority = peering::make_authority(peering::trust_domain_of(random_uuid()),
                                             options.clock(), options.certificates);
    if (!authority) {
      options.log.error("no certificate authority: {}", authority.error().detail);
      return;
    }
    options.log.info("a certificate authority is made, trust domain {}", authority->trust_domain);
    apply(catalog::WriteAuthority{std::move(*authority)});
  }

  void apply(catalog::Command command) const {
    self->request(catalog, caf::infinite, apply_atom::value, std::move(command))
        .then([*this](const Applied& applied) {
          if (!applied.revision)
            options.log.error("{}", applied.revision.error().detail);
        });
  }

  std::optional<peering::Leaf> issue(const model::CertificateAuthority& authority,
                                     const peering::LeafRequest& request) const {
    auto leaf = peering::issue(authority, request, options.clock(), options.certificates);
    if (leaf)
      return std::move(*leaf);
    options.log.error("{}: {}", to_string(request.id), leaf.error().detail);
    return {};
  }

  void serve(const model::CertificateAuthority& authority, bool rotated) const {
    auto& server = self->state.server;
    if (!rotated && server && !peering::renewal_due(*server, options.clock()))
      return;
    if (auto leaf =
            issue(authority, peering::server_leaf(authority.trust_domain, options.datacenter))) {
      server = std::move(leaf);
      if (options.server_leaf)
        options.server_leaf(*server, peering::trusted_roots(authority, options.clock()));
    }
  }

  void identify(const model::CertificateAuthority& authority, const model::Name& name,
                bool rotated) const {
    auto& identities = self->state.identities;
    auto it = identities.find(name);
    if (it != identities.end() && !rotated &&
        !peering::renewal_due(it->second.service, options.clock()))
      return;
    auto service = issue(
        authority, peering::service_leaf(authority.trust_domain, options.datacenter, name.name));
    auto mesh =
        issue(authority, peering::mesh_gateway_leaf(authority.trust_domain, options.datacenter));
    if (!service || !mesh)
      return;
    auto& identity = identities[name];
    identity.service = *service;
    identity.mesh_gateway = *mesh;
    // The identity comes last: a gateway that has it need not wait for the others.
    share_session_keys(authority, name, identity.session_keys);
    give(name, {mesh_gateway, mesh->chain_pem, mesh->key_pem});
    give(name, {"identity", service->chain_pem, service->key_pem});
  }

  void give(const model::Name& gateway, gateway::Certificate certificate) const {
    self->send(
        root, identity_atom::value, gateway,
        CertificatePtr{std::make_shared<const gateway::Certificate>(std::move(certificate))});
  }

  /// The certificate is no PEM: it travels like one because it is as secret, and as seldom new.
  void share_session_keys(const model::CertificateAuthority& authority, const model::Name& gateway,
                          std::string& shared) const {
    auto keys = peering::session_keys(authority, to_string(gateway), options.clock());
    if (!keys)
      return options.log.error("{}", keys.error().detail);
    if (*keys == shared)
      return;
    shared = std::move(*keys);
    give(gateway, {"session-key", {}, shared});
  }

  /// Where peers reach the Gateway; nothing: nowhere yet.
  std::optional<std::string> address_of(const catalog::View& view, const model::Gateway& gateway,
                                        std::set<catalog::Topic>& topics) const {
    auto& annotations = gateway.meta.annotations;
    auto said = annotations.find(gateway::resolve::peering_address_annotation);
    if (said != annotations.end())
      return said->second;
    if (!options.resolution.kubernetes)
      return options.address;
    auto addresses = gateway::resolve::addresses_of(view, gateway, options.resolution, topics);
    if (addresses.assigned.empty())
      return {};
    return addresses.assigned.front();
  }

  /// Importers reach the services of this datacenter through the gateways that say so.
  void register_peering(const catalog::View& view, const model::Name& name,
                        const model::Gateway& gateway, std::set<catalog::Topic>& topics) const {
    auto listener = gateway::resolve::peering_listener_of(gateway);
    auto where = listener ? address_of(view, gateway, topics) : std::nullopt;
    if (!where)
      return unregister(name);
    auto& address = *where;
    auto text = fmt::format("{}:{}", address, listener->port);
    auto& registered = self->state.registered[name];
    if (registered == text)
      return;
    registered = text;
    catalog::Register command;
    command.node = {.name = node_of(name), .address = address};
    model::ServiceInstance instance;
    instance.id = instance.service = instance.service_kind = mesh_gateway;
    instance.address = address;
    instance.port = listener->port;
    instance.tagged_addresses["wan"] = {address, listener->port};
    instance.meta[gateway_key] = to_string(name);
    command.instance = std::move(instance);
    apply(std::move(command));
  }
  static std::string node_of(const model::Name& gateway) {
    return "gateway-" + gateway.ns + "-" + gateway.name;
  }
  void unregister(const model::Name& name) const {
    if (self->state.registered.erase(name) > 0)
      apply(catalog::Deregister{.node = node_of(name)});
  }

  void forget_gone(const catalog::View& view) const {
    auto& state = self->state;
    std::erase_if(state.identities, [&](auto& it) { return !view.find<model::Gateway>(it.first); });
    auto registered = state.registered;
    for (auto& [name, address] : registered)
      if (!view.find<model::Gateway>(name))
        unregister(name);
    // What was registered in an earlier life, of gateways that let nobody in any more.
    std::set<std::string> nodes;
    for (auto& [name, address] : state.registered)
      nodes.insert(node_of(name));
    for (auto& it : catalog::instances_of(view, {"", mesh_gateway}))
      if (auto& instance = it.instance->value;
          instance.meta.contains(gateway_key) && !nodes.contains(instance.node))
        apply(catalog::Deregister{.node = instance.node});
  }
};

} // namespace

AuthorityActor::behavior_type authority_actor(AuthorityActor::stateful_pointer<AuthorityState> self,
                                              CatalogActor catalog, RootActor root,
                                              AuthorityOptions options) {
  Steps steps{self, std::move(catalog), std::move(root), std::move(options)};
  steps.watch(watched);
  self->delayed_send(self, renewal_check_every, tick_atom::value);
  return {
      [steps](change_atom, const Change& change) {
        steps.look(change.view);
        steps.self->send(steps.catalog, done_atom::value);
      },
      [steps](tick_atom) {
        steps.self->delayed_send(steps.self, renewal_check_every, tick_atom::value);
        if (steps.self->state.view)
          steps.look(steps.self->state.view);
      },
  };
}

} // namespace strait::actors
