#include "cmd/agent_kubernetes.hpp"

#include "base/random.hpp"
#include "kubernetes/kubeconfig.hpp"

#include <caf/all.hpp>

#include <csignal>
#include <cstdlib>

namespace strait::cmd {

namespace {

constexpr std::chrono::milliseconds sync_look{250};

/// The agent's signals are blocked until it waits for them: one may be there already.
bool asked_to_end() {
  sigset_t pending;
  return ::sigpending(&pending) == 0 &&
         (::sigismember(&pending, SIGTERM) == 1 || ::sigismember(&pending, SIGINT) == 1);
}

/// How long an ending agent waits for the API server to take the lease back.
constexpr std::chrono::seconds release_wait{2};

Result<kubernetes::ClientConfig> config_of(const KubernetesOptions& options) {
  if (options.where == in_cluster)
    return kubernetes::in_cluster_config({.environment = [](const char* name) -> std::string {
      auto* value = std::getenv(name);
      return value ? value : "";
    }});
  return kubernetes::load_kubeconfig(options.where, options.context);
}

} // namespace

Result<std::unique_ptr<KubernetesEdge>>
KubernetesEdge::start(caf::actor_system& system, const actors::CatalogActor& catalog,
                      const KubernetesOptions& options, const std::string& identity,
                      const std::string& feed_address, Log log) {
  auto config = config_of(options);
  if (!config)
    return fail(config.error().code, "--kubernetes: {}", config.error().detail);
  auto loop = net::EventLoop::create();
  if (!loop)
    return fail(loop.error());
  std::unique_ptr<KubernetesEdge> edge{new KubernetesEdge{system, log}};
  edge->loop_ = std::move(*loop);
  edge->namespace_ =
      options.lease_namespace.empty() ? config->default_namespace : options.lease_namespace;
  auto server = config->server;
  auto client = kubernetes::Client::create(*edge->loop_, std::move(*config), {}, log);
  if (!client)
    return fail(client.error().code, "--kubernetes: {}", client.error().detail);
  edge->client_ = std::move(*client);
  edge->thread_ = std::thread{[it = edge.get()] { it->loop_->run(); }};
  log.info("mirroring {}", server);
  actors::KubeStatusOptions status;
  status.client = edge->client_;
  status.catalog = catalog;
  status.log = log.named("kubernetes status");
  edge->status_ = system.spawn(actors::kube_status_actor, status);
  actors::KubernetesOptions kinds;
  kinds.client = edge->client_;
  kinds.catalog = catalog;
  kinds.status = edge->status_;
  kinds.all_secrets = options.all_secrets;
  kinds.log = log;
  edge->kinds_ = system.spawn(actors::kubernetes_actor, kinds);
  actors::LeaseActorOptions lease;
  lease.client = edge->client_;
  lease.ns = edge->namespace_;
  lease.lease.identity = identity + "_" + random_uuid();
  // A pod's name is its own; a container in it begins when the one before has ended.
  if (options.where == in_cluster)
    lease.lease.replica = identity + "_";
  // Another pod reaches it at this pod's address, and at no other process'.
  if (options.where == in_cluster)
    lease.lease.feed_address = feed_address;
  lease.feed_elsewhere = [it = edge.get()](const std::string& address) {
    std::lock_guard lock{it->mutex_};
    it->feed_elsewhere_ = address;
  };
  lease.lead = [it = edge.get()](bool leading) { it->lead(leading); };
  lease.log = log.named("lease");
  edge->lease_ = system.spawn(actors::lease_actor, lease);
  return edge;
}

KubernetesEdge::~KubernetesEdge() {
  stop();
  if (!thread_.joinable())
    return;
  // Every mirror is dropped by now: their last words are taken before the loop ends.
  (void)loop_->post([this] {
    client_->close();
    loop_->stop();
  });
  thread_.join();
  client_.reset();
}

void KubernetesEdge::lead(bool leading) {
  caf::anon_send(status_, actors::lead_atom::value, leading);
  std::lock_guard lock{mutex_};
  leading_ = leading;
  for (auto& told : told_)
    told(leading);
}

std::string KubernetesEdge::feed_elsewhere() const {
  std::lock_guard lock{mutex_};
  return feed_elsewhere_;
}

void KubernetesEdge::on_lead(std::function<void(bool)> told) {
  std::lock_guard lock{mutex_};
  if (leading_)
    told(true);
  told_.push_back(std::move(told));
}

bool KubernetesEdge::wait_until_synced(Millis limit) {
  caf::scoped_actor self{system_};
  bool synced = false;
  // In short waits, so that an agent that is told to end meanwhile does so.
  for (auto end = now_instant() + limit; !synced && now_instant() < end && !asked_to_end();)
    self->request(kinds_, sync_look, actors::synced_atom::value)
        .receive([&](bool) { synced = true; }, [](const caf::error&) {});
  return synced;
}

void KubernetesEdge::stop() {
  if (std::exchange(stopped_, true) || !lease_)
    return;
  caf::scoped_actor self{system_};
  self->request(lease_, release_wait, actors::release_atom::value)
      .receive([](bool) {}, [](const caf::error&) {});
  caf::anon_send_exit(lease_, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(kinds_, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(status_, caf::exit_reason::user_shutdown);
  lease_ = actors::LeaseActor{};
  kinds_ = actors::KubernetesActor{};
}

} // namespace strait::cmd
