#include "cmd/cli/command_agent.hpp"

#include "cmd/agent_options.hpp"
#include "cmd/cli/commands.hpp"
#include "net/address.hpp"

#include <array>
#include <ostream>
#include <unistd.h>

namespace strait::cli {

namespace {

constexpr std::uint64_t workers_max = 256;
constexpr const char* in_memory = ":memory:";

std::string host_name() {
  std::array<char, 256> buffer{};
  return ::gethostname(buffer.data(), buffer.size() - 1) == 0 && buffer[0] ? buffer.data()
                                                                           : "localhost";
}

/// A label of a domain name: what Consul's DNS could answer for.
bool is_label(std::string_view text) {
  auto fine = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  };
  return !text.empty() && text.size() <= 63 && std::all_of(text.begin(), text.end(), fine);
}

Status check_ip(std::string_view option, const std::string& text) {
  if (auto address = net::Address::from_ip(text, 0); !address)
    return fail(Errc::invalid, "{}: expected an IP address, got \"{}\"", option, text);
  return {};
}

Result<std::uint16_t> port(const Arguments& arguments, const std::string& name) {
  auto out = number("--" + name, arguments.value(name), 0, 65535);
  return out.map([](std::uint64_t number) { return static_cast<std::uint16_t>(number); });
}

LogLevel level_from(const std::string& text) {
  return text == "trace"   ? LogLevel::trace
         : text == "debug" ? LogLevel::debug
         : text == "warn"  ? LogLevel::warn
         : text == "error" ? LogLevel::error
                           : LogLevel::info;
}

/// Which Services go into the catalog of services. They need a Kubernetes to be of.
Result<kubernetes::CatalogSyncOptions> sync_options(const Arguments& arguments) {
  using Mode = kubernetes::SyncMode;
  kubernetes::CatalogSyncOptions out;
  auto mode = arguments.value("sync-services");
  out.mode = mode == "all" ? Mode::all : mode == "annotated" ? Mode::annotated : Mode::off;
  for (auto name : {"sync-namespace-suffix", "sync-allow-namespace", "sync-deny-namespace"})
    if (out.mode == Mode::off && arguments.given(name))
      return fail(Errc::invalid, "--{}: needs --sync-services annotated or all", name);
  if (out.mode != Mode::off && !arguments.given("kubernetes"))
    return fail(Errc::invalid, "--sync-services: needs --kubernetes");
  out.namespace_suffix = arguments.given("sync-namespace-suffix");
  if (arguments.given("sync-allow-namespace"))
    out.allowed_namespaces = arguments.values("sync-allow-namespace");
  out.denied_namespaces = arguments.values("sync-deny-namespace");
  return out;
}

ExitCode run_agent_command(const Arguments& arguments, Context& context) {
  auto options = agent_options(arguments);
  if (!options) {
    context.err << "strait agent: " << options.error().detail << "\nTry: strait agent --help\n";
    return ExitCode::usage;
  }
  return static_cast<ExitCode>(context.run_agent(*options));
}

} // namespace

Result<cmd::AgentOptions> agent_options(const Arguments& arguments) {
  if (arguments.given("primary-datacenter"))
    return fail(Errc::invalid, "--primary-datacenter: Strait does not federate datacenters over "
                               "a WAN gossip pool; peer them instead: strait peering --help");
  cmd::AgentOptions out;
  out.datacenter = arguments.value("datacenter");
  out.node_name = arguments.given("node-name") ? arguments.value("node-name") : host_name();
  out.bind = arguments.value("bind");
  out.advertise = arguments.value("advertise");
  out.ready_address = arguments.value("ready-address");
  if (!is_label(out.datacenter))
    return fail(Errc::invalid,
                "--datacenter: expected 1 to 63 letters, digits, '-' or '_', got \"{}\"",
                out.datacenter);
  if (out.node_name.empty() || out.node_name.size() > 255)
    return fail(Errc::invalid, "--node-name: expected 1 to 255 characters");
  auto checked = check_ip("--bind", out.bind);
  if (checked)
    checked = check_ip("--ready-address", out.ready_address);
  out.tls_bind = arguments.given("tls-bind") ? arguments.value("tls-bind") : out.bind;
  if (checked)
    checked = check_ip("--tls-bind", out.tls_bind);
  if (!checked)
    return fail(checked.error());
  for (auto [name, target] : {std::pair{"http-port", &out.http_port},
                              {"grpc-port", &out.grpc_port},
                              {"grpc-tls-port", &out.grpc_tls_port},
                              {"feed-port", &out.feed_port},
                              {"metrics-port", &out.metrics_port},
                              {"ready-port", &out.ready_port}}) {
    auto number = port(arguments, name);
    if (!number)
      return fail(number.error());
    *target = *number;
  }
  if (out.http_port == 0)
    return fail(Errc::invalid, "--http-port: expected a port from 1 to 65535");
  auto same = [&](std::uint16_t a, std::uint16_t b) { return a != 0 && a == b; };
  if (same(out.http_port, out.grpc_port) || same(out.http_port, out.grpc_tls_port) ||
      same(out.grpc_port, out.grpc_tls_port) || same(out.feed_port, out.http_port) ||
      same(out.feed_port, out.grpc_port) || same(out.feed_port, out.grpc_tls_port))
    return fail(Errc::invalid,
                "--http-port, --grpc-port, --grpc-tls-port and --feed-port must differ");
  auto sync = sync_options(arguments);
  if (!sync)
    return fail(sync.error());
  if (arguments.given("kubernetes"))
    out.kubernetes =
        cmd::KubernetesOptions{.where = arguments.value("kubernetes"),
                               .context = arguments.value("kubernetes-context"),
                               .lease_namespace = arguments.value("kubernetes-namespace-of-lease"),
                               .all_secrets = arguments.given("kubernetes-watch-all-secrets"),
                               .sync = std::move(*sync)};
  for (auto name :
       {"kubernetes-context", "kubernetes-namespace-of-lease", "kubernetes-watch-all-secrets"})
    if (!out.kubernetes && arguments.given(name))
      return fail(Errc::invalid, "--{}: needs --kubernetes", name);
  // What Kubernetes keeps need not be kept again, unless the operator says where.
  auto data_dir = arguments.value("data-dir");
  if (data_dir == in_memory || (data_dir.empty() && out.kubernetes))
    out.data_dir.reset();
  else
    out.data_dir = data_dir.empty() ? "./strait-data" : data_dir;
  for (const auto& directory : arguments.values("manifests")) {
    std::error_code error;
    if (!std::filesystem::is_directory(directory, error))
      return fail(Errc::invalid, "--manifests: {}: {}", directory,
                  error ? error.message() : "not a directory");
    out.manifests.emplace_back(directory);
  }
  out.proxy = arguments.value("proxy") == "external" ? cmd::ProxyPlace::external
                                                     : cmd::ProxyPlace::in_process;
  out.insecure_feed = arguments.given("insecure-feed");
  out.gateway_image = arguments.value("gateway-image");
  out.gateway_image_pull_policy = arguments.value("gateway-image-pull-policy");
  out.gateway_image_pull_secrets = arguments.values("gateway-image-pull-secret");
  out.feed_address = arguments.value("feed-address");
  out.authority_secret = arguments.value("authority-secret");
  if (!out.gateway_image.empty() && (out.feed_port == 0 || out.feed_address.empty()))
    return fail(Errc::invalid,
                "--gateway-image: gateways' pods get their configuration by mutual TLS; give "
                "--feed-port, and --feed-address, at which they reach it");
  if (out.proxy == cmd::ProxyPlace::external && out.feed_port == 0 && !out.insecure_feed &&
      !out.bind.starts_with("127.") && out.bind != "::1")
    return fail(Errc::invalid,
                "--proxy external: gateways would get their private keys in the clear from {}:{}; "
                "give --feed-port, or --insecure-feed",
                out.bind, out.grpc_port);
  if (arguments.given("workers")) {
    auto workers = number("--workers", arguments.value("workers"), 1, workers_max);
    if (!workers)
      return fail(workers.error());
    out.workers = static_cast<unsigned>(*workers);
  }
  auto access_log = arguments.value("access-log");
  out.access_log = access_log == "text"   ? cmd::AccessLog::text
                   : access_log == "json" ? cmd::AccessLog::json
                                          : cmd::AccessLog::off;
  out.log_level = level_from(arguments.value("log-level"));
  return out;
}

Command agent_command() {
  return {
      .path = "agent",
      .summary = "Run an agent: the control plane of one datacenter, and its gateways",
      .details = "Runs until SIGINT or SIGTERM and then ends in order; a second signal ends it at "
                 "once.",
      .examples = {"strait agent                              # dc1, stored in ./strait-data",
                   "strait agent --data-dir :memory: --manifests ./manifests",
                   "strait agent --datacenter dc2 --bind 127.0.12.1 --proxy external",
                   "strait agent --kubernetes ~/.kube/config --kubernetes-context staging",
                   "strait agent --kubernetes in-cluster --proxy external"},
      .options =
          {
              {"datacenter", 0, "NAME", "The datacenter's name", "dc1"},
              {"node-name", 0, "NAME", "This agent's node in the catalog; else the host's name"},
              {"data-dir", 0, "DIR",
               "Where the catalog is stored; :memory: keeps nothing. Else ./strait-data, and with "
               "--kubernetes :memory:"},
              {"bind", 0, "IP", "Address of the listeners below", "127.0.0.1"},
              {"http-port", 0, "PORT", "HTTP API", "8500"},
              {"grpc-port", 0, "PORT", "gRPC without TLS; 0: none", "8502"},
              {"grpc-tls-port", 0, "PORT", "gRPC with TLS, for peers; 0: none", "8503"},
              {"feed-port", 0, "PORT",
               "gRPC with mutual TLS, for strait-gateway processes elsewhere; 0: none", "0"},
              {"tls-bind", 0, "IP",
               "Address of --grpc-tls-port, --feed-port and --metrics-port; else --bind"},
              {"metrics-port", 0, "PORT", "GET /metrics alone, in the clear; 0: none", "0"},
              {"gateway-image", 0, "IMAGE",
               "On Kubernetes: run gateways' pods, of this image of strait-gateway"},
              {.name = "gateway-image-pull-policy",
               .placeholder = "POLICY",
               .help = "Of those pods",
               .fallback = "IfNotPresent",
               .choices = {"Always", "IfNotPresent", "Never"}},
              {.name = "gateway-image-pull-secret",
               .placeholder = "NAME",
               .help = "Secret in the Gateway's namespace; may be given again",
               .repeatable = true},
              {"authority-secret", 0, "NAME",
               "On Kubernetes: keep the certificate authority in this Secret, for all replicas"},
              {"feed-address", 0, "HOST:PORT", "What those pods reach --feed-port at"},
              {"insecure-feed", 0, "",
               "Let strait-gateway processes elsewhere have private keys in the clear"},
              {"advertise", 0, "ADDR", "What others reach this agent at; else --bind"},
              {.name = "manifests",
               .placeholder = "DIR",
               .help = "Watch the YAML files in DIR and apply what they say; may be given again",
               .repeatable = true},
              {"proxy", 0, "WHERE", "Where gateways run", "in-process", {"in-process", "external"}},
              {"workers", 0, "N", "Worker threads of each gateway; else one for each core"},
              {"ready-address", 0, "IP", "Address of GET /ready", "127.0.0.1"},
              {"ready-port", 0, "PORT", "Port of GET /ready; 0: none", "20000"},
              {"access-log", 0, "FORMAT", "Access log of gateways", "off", {"off", "text", "json"}},
              {"log-level",
               0,
               "LEVEL",
               "What to log",
               "info",
               {"trace", "debug", "info", "warn", "error"}},
              {"kubernetes", 0, "WHERE",
               "Mirror the objects of a Kubernetes and write their status: a kubeconfig file, or "
               "in-cluster"},
              {"kubernetes-context", 0, "NAME", "Context of the kubeconfig; else its current one"},
              {"kubernetes-namespace-of-lease", 0, "NS",
               "Where replicas elect the one that writes; else the context's or the pod's own"},
              {.name = "kubernetes-watch-all-secrets",
               .help = "Mirror all Secrets and ConfigMaps, not only those that are referred to"},
              {"sync-services",
               0,
               "WHICH",
               "Services of that Kubernetes to keep in the catalog, so that they can be exported "
               "to peers: those annotated consul.hashicorp.com/service-sync: \"true\", or all but "
               "those with \"false\"",
               "off",
               {"off", "annotated", "all"}},
              {.name = "sync-namespace-suffix",
               .help = "Name them NAME-NAMESPACE there, where no annotation names them"},
              {.name = "sync-allow-namespace",
               .placeholder = "NS",
               .help = "Only those of this namespace; may be given again. Else of every one",
               .repeatable = true},
              {.name = "sync-deny-namespace",
               .placeholder = "NS",
               .help = "None of this namespace, whatever is allowed; may be given again",
               .repeatable = true},
              {"primary-datacenter", 0, "NAME",
               "Refused: WAN federation is not supported, peering takes its place"},
          },
      .run = run_agent_command,
      .talks_to_agent = false,
  };
}

} // namespace strait::cli
