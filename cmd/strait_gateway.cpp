// strait-gateway: a proxy process. It serves one Gateway with the configuration that an agent feeds
// it, and with the last one when there is no agent. No catalog, no store.
#include "actors/feed_actor.hpp"
#include "actors/feed_identity.hpp"
#include "actors/proxy_dataplane.hpp"
#include "base/random.hpp"
#include "cmd/signals.hpp"

#include <CLI/CLI.hpp>
#include <caf/all.hpp>

#include <iostream>

namespace {

using namespace strait;

constexpr unsigned shutdown_delay_max = 600;

struct GatewayOptions {
  std::string gateway, agent = "127.0.0.1:8502", data_dir = "strait-gateway-data", address;
  std::string ready_address = "127.0.0.1", access_log = "off", log_level = "info";
  std::string ca_file, cert_file, key_file;
  bool insecure_feed = false;
  std::uint16_t ready_port = 20'000, metrics_port = 0;
  std::string metrics_path = "/metrics";
  std::uint32_t max_connections = 0;
  unsigned workers = 0, shutdown_delay = 0;
};

constexpr const char* examples = R"(
Examples:
  strait-gateway --gateway default/edge
  strait-gateway --gateway default/edge --agent 127.0.0.1:8502 --data-dir /var/lib/strait-gateway
  strait-gateway --gateway infra/east --address 10.0.0.7 --workers 4 --access-log json
  strait-gateway --gateway shop/edge --agent strait.infra.svc:8504 --ca-file ca.crt \
      --cert-file tls.crt --key-file tls.key

The configuration holds private keys: it comes over mutual TLS, or in the clear from this machine.

It is ready (GET /ready on the readiness port answers 200) once it serves a configuration.
Exit codes: 0 ended by a signal, 1 it could not start, 2 wrong arguments.)";

model::Name name_of(const std::string& text) {
  auto slash = text.find('/');
  return slash == std::string::npos ? model::Name{"default", text}
                                    : model::Name{text.substr(0, slash), text.substr(slash + 1)};
}

gateway::proxy::ProxyOptions proxy_options(const GatewayOptions& options, const Log& log) {
  gateway::proxy::ProxyOptions proxy;
  proxy.workers = options.workers;
  proxy.log = log;
  if (options.max_connections != 0)
    proxy.connection_bound =
        std::make_shared<gateway::proxy::ConnectionBound>(options.max_connections);
  if (options.access_log != "off") {
    proxy.access_log.format = options.access_log == "json" ? gateway::proxy::AccessLogFormat::json
                                                           : gateway::proxy::AccessLogFormat::text;
    proxy.access_log.sink = [](std::string_view lines) { std::cout << lines << std::flush; };
  }
  return proxy;
}

/// How the agent is reached: null in the clear. An error in words for the command line.
Result<gateway::feed::ReadAgentCredentials> credentials_of(const GatewayOptions& options) {
  auto given = !options.ca_file.empty() + !options.cert_file.empty() + !options.key_file.empty();
  if (given == 0) {
    if (gateway::feed::is_loopback(options.agent) || options.insecure_feed)
      return gateway::feed::ReadAgentCredentials{};
    return fail(Errc::invalid,
                "--agent {}: the configuration holds private keys and would come in the clear from "
                "another machine; give --ca-file, --cert-file and --key-file, or --insecure-feed",
                options.agent);
  }
  if (given != 3)
    return fail(Errc::invalid, "--ca-file, --cert-file and --key-file go together");
  actors::CredentialFiles files{options.ca_file, options.cert_file, options.key_file};
  return [files] { return actors::read_agent_credentials(files); };
}

int run(const GatewayOptions& options) {
  auto credentials = credentials_of(options);
  if (!credentials) {
    std::cerr << "strait-gateway: " << credentials.error().detail << "\n";
    return 2;
  }
  auto log = Log::to_stderr(options.log_level == "debug" ? LogLevel::debug : LogLevel::info)
                 .named("gateway " + options.gateway);
  std::error_code error;
  std::filesystem::create_directories(options.data_dir, error);
  if (error) {
    log.error("--data-dir {}: {}", options.data_dir, error.message());
    return 1;
  }
  cmd::StopSignals signals; // Before any thread: all inherit the mask.
  auto name = name_of(options.gateway);
  gateway::feed::AgentDialer dialer{options.agent,
                                    std::move(*credentials)}; // Outlives the actors that dial.
  caf::actor_system_config config;
  config.set("scheduler.policy", caf::atom("sharing"));
  config.set("scheduler.max-threads", std::size_t{1});
  caf::actor_system system{config};

  actors::SubscriptionActorOptions subscription;
  subscription.subscription.gateway_namespace = name.ns;
  subscription.subscription.gateway_name = name.name;
  subscription.subscription.proxy_id = random_uuid();
  subscription.subscription.version = "0.1.0";
  subscription.subscription.seed = std::hash<std::string>{}(subscription.subscription.proxy_id);
  subscription.saved = std::filesystem::path{options.data_dir} / "config";
  subscription.log = log;
  subscription.dial = [&dialer](const std::string& address,
                                gateway::feed::AgentStreamEvents events) {
    return dialer.dial(address, std::move(events));
  };
  auto subscriber = system.spawn(actors::subscription_actor, subscription);
  auto weak = caf::actor_cast<caf::actor_addr>(subscriber);
  auto report = [weak](const actors::ProxyReport& served) {
    if (auto strong = caf::actor_cast<caf::strong_actor_ptr>(weak))
      caf::anon_send(caf::actor_cast<actors::SubscriptionActor>(std::move(strong)),
                     actors::served_atom::value, served);
  };
  // Made here, not in the actor: a readiness port that is taken ends the process.
  auto proxies = std::make_shared<actors::Proxies>(actors::Proxies::Options{
      options.ready_address, options.ready_port, options.metrics_port, options.metrics_path});
  auto served_by = std::make_shared<caf::actor_addr>();
  auto make = actors::make_proxies(proxy_options(options, log), proxies);
  auto dataplane = std::make_shared<Result<std::unique_ptr<actors::Dataplane>>>(
      make(name, [served_by](std::uint64_t epoch) {
        if (auto strong = caf::actor_cast<caf::strong_actor_ptr>(*served_by))
          caf::anon_send(caf::actor_cast<actors::ProxyActor>(std::move(strong)),
                         actors::served_atom::value, epoch);
      }));
  if (!*dataplane) {
    log.error("{}", dataplane->error().detail);
    caf::anon_send_exit(subscriber, caf::exit_reason::user_shutdown);
    return 1;
  }
  auto hand_over = [dataplane](const model::Name&, const std::function<void(std::uint64_t)>&) {
    return std::move(*dataplane);
  };
  auto proxy = system.spawn(actors::proxy_actor, name, subscription.subscription.proxy_id,
                            actors::MakeDataplane{hand_over}, actors::ReportServed{report},
                            options.address, log);
  *served_by = proxy.address();
  caf::anon_send(subscriber, actors::attach_atom::value, proxy);
  log.info("started; the agent is expected at {}", options.agent);
  signals.wait();
  proxies->wind_down();
  if (options.shutdown_delay > 0) {
    log.info("told to end: not ready, serving on for {} s, each connection up to its next answer",
             options.shutdown_delay);
    signals.wait_at_most(std::chrono::seconds{options.shutdown_delay});
  }
  log.info("ending: requests under way have {} ms", actors::drain_max.count());
  caf::anon_send_exit(subscriber, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(proxy, caf::exit_reason::user_shutdown);
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  GatewayOptions options;
  CLI::App app{"Serves one Gateway: the configuration comes from a strait agent.",
               "strait-gateway"};
  app.add_option("--gateway", options.gateway, "Namespace and name of the Gateway, NS/NAME")
      ->required();
  app.add_option("--agent", options.agent, "gRPC address of the agent")->capture_default_str();
  app.add_option("--ca-file", options.ca_file, "PEM: roots that the agent's certificate leads to");
  app.add_option("--cert-file", options.cert_file, "PEM: this gateway's certificate for the agent");
  app.add_option("--key-file", options.key_file,
                 "PEM: its private key; all three are read again "
                 "at each dialling");
  app.add_flag("--insecure-feed", options.insecure_feed,
               "Allow private keys in the clear from another machine");
  app.add_option("--data-dir", options.data_dir, "Where the last configuration is kept")
      ->capture_default_str();
  app.add_option("--address", options.address, "Where listeners listen; every address if empty");
  app.add_option("--ready-address", options.ready_address, "Of GET /ready")->capture_default_str();
  app.add_option("--ready-port", options.ready_port, "Of GET /ready; 0: none")
      ->capture_default_str();
  app.add_option("--metrics-port", options.metrics_port,
                 "Of what Prometheus reads, at --ready-address; 0: none")
      ->capture_default_str();
  app.add_option("--metrics-path", options.metrics_path, "Path of it")
      ->check([](const std::string& path) {
        return path.starts_with('/') ? std::string{} : std::string{"expected a path from /"};
      })
      ->capture_default_str();
  app.add_option("--max-connections", options.max_connections,
                 "Connections of clients at once; further ones are closed; 0: no such bound")
      ->capture_default_str();
  app.add_option("--workers", options.workers, "Worker threads; 0: one per core")
      ->capture_default_str();
  app.add_option(
         "--shutdown-delay", options.shutdown_delay,
         "Seconds to serve on after SIGTERM, not ready any more, while load balancers learn "
         "of it: each answer ends its connection; a second signal cuts it short")
      ->check(CLI::Range(0U, shutdown_delay_max))
      ->capture_default_str();
  app.add_option("--access-log", options.access_log, "One line per request on standard output")
      ->check(CLI::IsMember({"off", "text", "json"}))
      ->capture_default_str();
  app.add_option("--log-level", options.log_level, "info or debug")
      ->check(CLI::IsMember({"info", "debug"}))
      ->capture_default_str();
  app.set_version_flag("--version", "strait-gateway 0.1.0");
  app.footer(examples);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return run(options);
}
