#include "cmd/agent.hpp"

#include "actors/authority_actor.hpp"
#include "actors/catalog_sync_actor.hpp"
#include "actors/checks_actor.hpp"
#include "actors/deployer_actor.hpp"
#include "actors/feed_actor.hpp"
#include "actors/feed_identity.hpp"
#include "actors/gateway_actor.hpp"
#include "actors/key_set_actor.hpp"
#include "actors/peering_desk.hpp"
#include "actors/proxy_dataplane.hpp"
#include "actors/query_actor.hpp"
#include "actors/root_actor.hpp"
#include "actors/status_actor.hpp"
#include "actors/storage_actor.hpp"
#include "api/http_api.hpp"
#include "api/manifest_directory.hpp"
#include "base/random.hpp"
#include "cmd/agent_authority.hpp"
#include "cmd/agent_key_sets.hpp"
#include "cmd/agent_kubernetes.hpp"
#include "cmd/agent_servers.hpp"
#include "cmd/signals.hpp"
#include "gateway/proxy/status_port.hpp"
#include "net/http_server.hpp"
#include "peering/accept_wire.hpp"

#include <caf/all.hpp>

#include <fstream>
#include <iostream>
#include <mutex>

namespace strait::cmd {

namespace {

/// The UUID of this node: made once, kept beside the store.
std::string node_id(const AgentOptions& options) {
  if (!options.data_dir)
    return random_uuid();
  auto path = *options.data_dir / "node-id";
  std::string id;
  if (std::ifstream{path} >> id && id.size() == 36)
    return id;
  id = random_uuid();
  std::ofstream{path} << id << "\n";
  return id;
}

Result<std::unique_ptr<storage::Store>> open_store(const AgentOptions& options, const Log& log) {
  if (!options.data_dir)
    return storage::make_memory_store();
  std::error_code error;
  std::filesystem::create_directories(*options.data_dir, error);
  if (error)
    return fail(Errc::denied, "--data-dir {}: {}", options.data_dir->string(), error.message());
  storage::RocksOptions rocks;
  rocks.path = (*options.data_dir / "catalog").string();
  rocks.log = log.named("storage");
  return storage::open_rocksdb(rocks);
}

gateway::proxy::ProxyOptions proxy_options(const AgentOptions& options, const Log& log) {
  gateway::proxy::ProxyOptions proxy;
  proxy.workers = options.workers;
  proxy.log = log;
  if (options.access_log != AccessLog::off) {
    proxy.access_log.format = options.access_log == AccessLog::json
                                  ? gateway::proxy::AccessLogFormat::json
                                  : gateway::proxy::AccessLogFormat::text;
    proxy.access_log.sink = [](std::string_view lines) { std::cout << lines << std::flush; };
  }
  return proxy;
}

/// The host may be a name.
std::string host_port(const std::string& host, std::uint16_t port) {
  auto ip = net::Address::from_ip(host, port);
  return ip ? ip->to_string() : fmt::format("{}:{}", host, port);
}

/// Everything of one agent, in the order in which it starts; it ends in the other one.
class Agent {
public:
  Agent(const AgentOptions& options, Log log)
      : options_{options}, log_{std::move(log)}, system_{config_} {
    identity_.datacenter = options.datacenter;
    identity_.node_name = options.node_name;
    identity_.advertise_address = options.advertise.empty() ? options.bind : options.advertise;
    identity_.http_port = options.http_port;
    identity_.grpc_port = options.grpc_port;
    identity_.grpc_tls_port = options.grpc_tls_port;
    identity_.version = "0.1.0";
  }
  ~Agent() { stop(); }

  Status start() {
    auto store = open_store(options_, log_);
    if (!store)
      return fail(store.error());
    store_id_ = (*store)->id();
    identity_.node_id = node_id(options_);
    spawn_core(std::move(*store));
    if (auto loaded = wait_for_catalog(); !loaded)
      return loaded;
    if (auto served = serve_grpc(); !served)
      return served;
    if (auto mirrored = mirror_kubernetes(); !mirrored)
      return mirrored;
    if (auto fetching = fetch_key_sets(); !fetching)
      return fetching;
    spawn_edges();
    if (auto served = serve_http(); !served)
      return served;
    register_self();
    return watch_manifests();
  }

  void stop() {
    manifests_.clear();
    metrics_.reset();
    http_.reset();
    if (grpc_)
      grpc_->shutdown(Millis{0});
    if (peer_port_)
      peer_port_->stop();
    if (feed_port_)
      feed_port_->stop();
    if (kubernetes_)
      kubernetes_->stop();
    for (auto& actor : edges_)
      caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
    if (desk_) // Others hold the desk too: its actor has to be told.
      caf::anon_send_exit(desk_->actor(), caf::exit_reason::user_shutdown);
    for (auto& actor : core_)
      caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
    system_.await_all_actors_done();
    key_sets_.reset(); // When nobody is left who would keep that its fetches failed.
    kubernetes_.reset();
    grpc_.reset();
    edges_.clear();
    core_.clear();
  }

private:
  struct Config : caf::actor_system_config {
    Config() {
      set("scheduler.policy", caf::atom("sharing"));
      set("scheduler.max-threads", std::size_t{2});
      set("scheduler.max-throughput", std::size_t{64});
    }
  };

  template <class Handle>
  Handle keep(std::vector<caf::actor>& among, Handle handle) {
    among.push_back(caf::actor_cast<caf::actor>(handle));
    return handle;
  }

  void spawn_core(std::unique_ptr<storage::Store> store) {
    // The first opening is done: an error in it ended the process with a clear word.
    auto opened = std::make_shared<std::unique_ptr<storage::Store>>(std::move(store));
    auto open = [opened, options = options_,
                 log = log_]() -> Result<std::unique_ptr<storage::Store>> {
      if (*opened)
        return std::move(*opened);
      return open_store(options, log);
    };
    auto storage =
        keep(core_, system_.spawn<caf::detached>(actors::storage_actor, actors::OpenStore{open}));
    actors::CatalogActorOptions catalog;
    catalog.view = view_;
    catalog.log = log_.named("catalog");
    catalog_ = keep(core_, system_.spawn(actors::catalog_actor, storage, catalog));
  }

  Status wait_for_catalog() {
    caf::scoped_actor self{system_};
    Status status;
    self->request(catalog_, caf::infinite, actors::view_atom::value)
        .receive([](const catalog::ViewPtr&) {},
                 [&](caf::error& error) {
                   status = fail(Errc::corrupt, "the catalog cannot be loaded: {}",
                                 system_.render(error));
                 });
    return status;
  }

  /// Before anything is resolved: half of the objects would give wrong answers.
  Status mirror_kubernetes() {
    if (!options_.kubernetes)
      return {};
    auto edge = KubernetesEdge::start(
        system_, catalog_, *options_.kubernetes, options_.node_name,
        options_.feed_port == 0 ? "" : host_port(options_.tls_bind, options_.feed_port),
        log_.named("kubernetes"));
    if (!edge)
      return fail(edge.error());
    kubernetes_ = std::move(*edge);
    if (!kubernetes_->wait_until_synced(first_sync_wait))
      log_.warn("Kubernetes' objects are not all here after {} s: starting with those that are",
                first_sync_wait.count() / 1'000);
    return options_.authority_secret.empty() ? Status{} : take_shared_authority();
  }
  /// Before the actor that would make one of its own.
  Status take_shared_authority() {
    caf::scoped_actor self{system_};
    std::optional<model::CertificateAuthority> own;
    self->request(catalog_, caf::infinite, actors::view_atom::value)
        .receive(
            [&](const catalog::ViewPtr& view) {
              if (auto* found = view->find<model::CertificateAuthority>({"", "connect"}))
                own = *found;
            },
            [](caf::error&) {});
    model::Name secret{kubernetes_->own_namespace(), options_.authority_secret};
    auto shared = share_authority(kubernetes_->client(), secret, own, log_);
    if (!shared)
      return fail(shared.error());
    model::Name lease{kubernetes_->own_namespace(), actors::LeaseActorOptions{}.name};
    kubernetes_->on_lead([client = kubernetes_->client(), lease, secret, uid = shared->secret_uid,
                          log = log_](bool leads) {
      if (leads && !uid.empty())
        own_lease(client, lease, secret, uid, log);
    });
    if (own == shared->authority)
      return {};
    if (own)
      log_.warn("the certificate authority of Secret {} takes the place of the one stored here",
                options_.authority_secret);
    Status status;
    self->request(catalog_, caf::infinite, actors::apply_atom::value,
                  catalog::Command{catalog::WriteAuthority{std::move(shared->authority)}})
        .receive(
            [&](const actors::Applied& applied) {
              if (!applied.revision)
                status = fail(applied.revision.error());
            },
            [&](caf::error& error) { status = fail(Errc::internal, "{}", system_.render(error)); });
    return status;
  }
  static constexpr Millis first_sync_wait{30'000};

  /// Of JWTProviders that name a server for them.
  Status fetch_key_sets() {
    auto thread = KeySetThread::start();
    if (!thread)
      return fail(thread.error());
    key_sets_ = std::move(*thread);
    actors::KeySetOptions options;
    options.fetcher = key_sets_->fetcher();
    options.seed = std::hash<std::string>{}(store_id_ + identity_.node_id);
    options.log = log_.named("key sets");
    keep(edges_, system_.spawn(actors::key_set_actor, catalog_, options));
    return {};
  }

  void spawn_edges() {
    auto status = keep(edges_, system_.spawn(actors::status_actor, catalog_, log_.named("status")));
    actors::RootOptions root;
    root.settings.datacenter = options_.datacenter;
    root.settings.identities = true;
    root.settings.kubernetes = kubernetes_ && !options_.gateway_image.empty();
    root.log = log_.named("root");
    if (options_.proxy == ProxyPlace::in_process)
      root.dataplane = actors::make_proxies(
          proxy_options(options_, log_), std::make_shared<actors::Proxies>(actors::Proxies::Options{
                                             options_.ready_address, options_.ready_port}));
    actors::PeerOptions peer{options_.datacenter, store_id_, log_};
    root.spawn_peer = [catalog = catalog_, peer, desk = desk_->actor()](caf::actor_system& system,
                                                                        const std::string& name) {
      auto actor =
          caf::actor_cast<caf::actor>(system.spawn(actors::peer_actor, name, catalog, peer));
      caf::anon_send(desk, actors::peer_atom::value, name, actor);
      return actor;
    };
    root_ = keep(edges_, system_.spawn(actors::root_actor, catalog_, status, root));
    deploy_gateways(root.settings, status);
    accept_proxies_to(root_);
    actors::AuthorityOptions authority;
    authority.datacenter = options_.datacenter;
    authority.address = identity_.advertise_address;
    authority.resolution = root.settings;
    authority.log = log_.named("authority");
    authority.server_leaf = [ports = std::vector{peer_port_, feed_port_}](
                                const peering::Leaf& leaf, const std::vector<std::string>& roots) {
      for (auto& port : ports)
        if (port)
          port->certify(leaf, roots);
    };
    keep(edges_, system_.spawn(actors::authority_actor, catalog_, root_, authority));
    checks_ = keep(edges_, system_.spawn(actors::checks_actor, options_.node_name, catalog_,
                                         log_.named("checks")));
    queries_ =
        keep(edges_, system_.spawn(actors::query_actor, catalog_, actors::QueryActorOptions{}));
    commands_ = keep(edges_, system_.spawn(actors::command_actor, catalog_));
    if (kubernetes_) {
      actors::CatalogSyncActorOptions sync;
      sync.sync = options_.kubernetes->sync;
      sync.log = log_.named("sync");
      keep(edges_, system_.spawn(actors::catalog_sync_actor, catalog_, sync));
    }
  }

  /// On Kubernetes, where this agent was told what to run for a Gateway.
  void deploy_gateways(const gateway::resolve::Settings& resolution,
                       const actors::StatusActor& status) {
    if (!kubernetes_ || options_.gateway_image.empty())
      return;
    actors::DeployerOptions deployer;
    deployer.client = kubernetes_->client();
    deployer.settings = {.image = options_.gateway_image,
                         .image_pull_policy = options_.gateway_image_pull_policy,
                         .image_pull_secrets = options_.gateway_image_pull_secrets,
                         .feed_address = options_.feed_address,
                         .log_level = options_.log_level <= LogLevel::debug ? "debug" : "info"};
    deployer.resolution = resolution;
    deployer.datacenter = options_.datacenter;
    deployer.log = log_.named("deployer");
    deployer.report = [status](const model::Name& gateway, const std::optional<Error>& error) {
      if (auto said = actors::deployment_status(gateway, error))
        caf::anon_send(status, actors::status_atom::value, std::move(*said));
    };
    auto actor = keep(edges_, system_.spawn(actors::deployer_actor, catalog_, deployer));
    kubernetes_->on_lead([weak = caf::actor_cast<caf::actor_addr>(actor)](bool leads) {
      if (auto strong = caf::actor_cast<caf::strong_actor_ptr>(weak))
        caf::anon_send(caf::actor_cast<actors::DeployerActor>(std::move(strong)),
                       actors::lead_atom::value, leads);
    });
  }

  Status serve_grpc() {
    peering::FrontendContext context;
    context.datacenter = options_.datacenter;
    context.tls = options_.grpc_tls_port != 0;
    context.server_addresses = {host_port(identity_.advertise_address, options_.grpc_tls_port)};
    desk_ = std::make_shared<actors::PeeringDesk>(system_, catalog_, view_, context);
    peer_streams_ = peering::make_peer_stream_service(*desk_);
    peering_service_ = peering::make_peering_service(*desk_);
    gate_->options.log = log_.named("feed");
    auto accept = [gate = gate_,
                   &system = system_](std::shared_ptr<gateway::feed::ProxyStream> stream) {
      return gate->accept(system, std::move(stream));
    };
    proxies_ = gateway::feed::make_proxy_config_service(accept);
    if (options_.grpc_port != 0) {
      auto address = host_port(options_.bind, options_.grpc_port);
      std::vector<grpc::Service*> services{peer_streams_.get(), peering_service_.get()};
      // What is fed holds private keys: in the clear only within this machine.
      if (options_.insecure_feed || gateway::feed::is_loopback(address))
        services.push_back(proxies_.get());
      auto server = peering::GrpcServer::start({{address, nullptr}}, services);
      if (!server)
        return fail(server.error());
      grpc_ = std::move(*server);
    }
    if (options_.grpc_tls_port != 0) {
      peer_port_ = std::make_shared<TlsPort>(TlsPort::Clients::anyone, tls_directory("tls"),
                                             host_port(options_.tls_bind, options_.grpc_tls_port),
                                             *peer_streams_, log_.named("peering"));
    }
    if (options_.feed_port != 0) {
      certified_proxies_ = gateway::feed::make_proxy_config_service(
          accept, [datacenter = options_.datacenter](const gateway::feed::ProxyPeer& peer,
                                                     const gateway::feed::Hello& hello) {
            return actors::admit_by_certificate(peer, hello, datacenter);
          });
      feed_port_ = std::make_shared<TlsPort>(TlsPort::Clients::certified, tls_directory("feed-tls"),
                                             host_port(options_.tls_bind, options_.feed_port),
                                             *certified_proxies_, log_.named("feed"));
    }
    return {};
  }

  std::string tls_directory(const std::string& name) const {
    if (options_.data_dir)
      return (*options_.data_dir / name).string();
    std::string made = (std::filesystem::temp_directory_path() / "strait-XXXXXX").string();
    return std::string{::mkdtemp(made.data())} + "/" + name;
  }

  /// Proxies that connect before root runs are turned away; they dial again.
  struct Gate {
    std::mutex mutex;
    actors::FeedActorOptions options;

    gateway::feed::ProxyStreamEvents accept(caf::actor_system& system,
                                            std::shared_ptr<gateway::feed::ProxyStream> stream) {
      std::lock_guard lock{mutex};
      if (!options.root) {
        stream->close("the agent is starting");
        return {[](gateway::feed::ProxyFrame) {}, [](const std::string&) {}};
      }
      auto feed = system.spawn(actors::feed_actor, std::move(stream), options);
      return {
          [feed](gateway::feed::ProxyFrame frame) {
            caf::anon_send(feed, actors::frame_atom::value, std::move(frame));
          },
          [feed](const std::string& why) { caf::anon_send(feed, actors::lost_atom::value, why); }};
    }
  };
  void accept_proxies_to(const actors::RootActor& root) {
    std::lock_guard lock{gate_->mutex};
    gate_->options.root = root;
    // It outlives the actors that ask.
    if (auto* edge = kubernetes_.get())
      gate_->options.elsewhere = [edge] { return edge->feed_elsewhere(); };
  }

  Status serve_http() {
    api::HttpApiContext context;
    context.self = identity_;
    context.view = view_;
    context.queries = queries_;
    context.commands = commands_;
    context.root = root_;
    context.report_ttl = [checks = checks_](const std::string& check, model::Health status,
                                            const std::string& output,
                                            std::function<void(const Status&)> taken) {
      caf::anon_send(checks, actors::report_atom::value, check, status, output,
                     actors::ReportTaken{std::move(taken)});
    };
    context.peering = desk_;
    if (auto* edge = kubernetes_.get())
      context.feed_elsewhere = [edge] { return edge->feed_elsewhere(); };
    context.log = log_.named("http");
    http_api_ = std::make_shared<api::HttpApi>(std::move(context));
    auto address = net::Address::from_ip(options_.bind, options_.http_port);
    if (!address)
      return fail(address.error());
    auto http = net::HttpThread::start(*address, [it = http_api_](net::HttpRequest request,
                                                                  const net::HttpPeer& peer,
                                                                  net::HttpResponder responder) {
      it->handle(std::move(request), peer, std::move(responder));
    });
    if (!http)
      return fail(http.error());
    http_ = std::move(*http);
    if (auto served = serve_metrics(); !served)
      return served;
    log_.info("datacenter {}: HTTP on {}:{}, gRPC on {}:{}", options_.datacenter, options_.bind,
              options_.http_port, options_.bind, options_.grpc_port);
    return {};
  }

  /// For Prometheus, on a port of its own: what else the HTTP API answers stays where it is.
  Status serve_metrics() {
    if (options_.metrics_port == 0)
      return {};
    auto served = gateway::proxy::open_status_port(
        {"metrics port", options_.tls_bind, options_.metrics_port, "/metrics"},
        [it = http_api_](net::HttpRequest request, const net::HttpPeer& peer,
                         net::HttpResponder responder) {
          it->handle(std::move(request), peer, std::move(responder));
        });
    if (!served)
      return fail(served.error());
    metrics_ = std::move(*served);
    return {};
  }

  /// This node and its service "consul", which tokens take the peering address from.
  void register_self() {
    catalog::Register own;
    auto& address = identity_.advertise_address;
    own.node = {.name = identity_.node_name,
                .id = identity_.node_id,
                .address = address,
                .datacenter = options_.datacenter,
                .tagged_addresses = {{"lan", address},
                                     {"lan_ipv4", address},
                                     {"wan", address},
                                     {"wan_ipv4", address}},
                .meta = {{"consul-network-segment", ""}, {"consul-version", identity_.version}}};
    model::ServiceInstance consul;
    consul.id = consul.service = "consul";
    consul.port = identity_.server_port;
    consul.meta = {{"version", identity_.version},
                   {"grpc_port", std::to_string(options_.grpc_port)},
                   {"grpc_tls_port", std::to_string(options_.grpc_tls_port)}};
    own.instance = std::move(consul);
    own.checks.push_back({.node = identity_.node_name,
                          .id = "serfHealth",
                          .name = "Serf Health Status",
                          .status = model::Health::passing,
                          .output = "Agent alive and reachable"});
    auto log = log_;
    caf::anon_send(commands_, actors::apply_atom::value, catalog::Command{own},
                   std::function<void(const actors::Applied&)>{[log](const actors::Applied& it) {
                     if (!it.revision)
                       log.error("this node is not registered: {}", it.revision.error().detail);
                   }});
  }

  Status watch_manifests() {
    for (auto& directory : options_.manifests) {
      api::ManifestDirectoryOptions options;
      options.directory = directory;
      options.log = log_.named("manifests");
      if (options_.data_dir)
        options.memory = *options_.data_dir / "manifests" / absolute(directory).relative_path();
      options.apply = [commands = commands_](catalog::Command command,
                                             std::function<void(const Status&)> told) {
        caf::anon_send(
            commands, actors::apply_atom::value, std::move(command),
            std::function<void(const actors::Applied&)>{[told](const actors::Applied& applied) {
              told(applied.revision ? Status{} : Status{fail(applied.revision.error())});
            }});
      };
      auto watching = api::ManifestDirectory::watch(std::move(options));
      if (!watching)
        return fail(watching.error());
      manifests_.push_back(std::move(*watching));
    }
    return {};
  }

  AgentOptions options_;
  Log log_;
  api::AgentIdentity identity_;
  std::string store_id_;
  Config config_;
  caf::actor_system system_;
  std::shared_ptr<actors::ViewBox> view_ = std::make_shared<actors::ViewBox>();
  std::vector<caf::actor> core_, edges_;
  actors::CatalogActor catalog_;
  actors::RootActor root_;
  actors::ChecksActor checks_;
  actors::QueryActor queries_;
  actors::CommandActor commands_;
  std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();
  std::shared_ptr<actors::PeeringDesk> desk_;
  std::shared_ptr<grpc::Service> peer_streams_, peering_service_, proxies_, certified_proxies_;
  std::unique_ptr<peering::GrpcServer> grpc_;
  std::shared_ptr<TlsPort> peer_port_, feed_port_;
  std::shared_ptr<api::HttpApi> http_api_;
  std::unique_ptr<net::HttpThread> http_, metrics_;
  std::vector<std::unique_ptr<api::ManifestDirectory>> manifests_;
  std::unique_ptr<KubernetesEdge> kubernetes_;
  std::unique_ptr<KeySetThread> key_sets_;
};

} // namespace

int run_agent(const AgentOptions& options) {
  StopSignals signals; // Before any thread: all inherit the mask.
  auto log = Log::to_stderr(options.log_level).named("agent");
  Agent agent{options, log};
  if (auto started = agent.start(); !started) {
    log.error("{}", started.error().detail);
    return 1;
  }
  signals.wait();
  log.info("ending");
  return 0;
}

} // namespace strait::cmd
