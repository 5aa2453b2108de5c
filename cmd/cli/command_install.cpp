#include "cmd/cli/cluster.hpp"
#include "cmd/cli/commands.hpp"
#include "cmd/cli/installation.hpp"
#include "cmd/cli/version.hpp"
#include "kubernetes/watch.hpp"

#include <algorithm>
#include <chrono>
#include <ostream>
#include <set>
#include <thread>

namespace strait::cli {

namespace {

using kubernetes::Node;
using kubernetes::ObjectId;

constexpr std::chrono::milliseconds look_every{200};
constexpr std::uint64_t replicas_max = 100;
constexpr std::uint64_t map_ports_max = 64'511; // 1024 and it must still be a port.

ExitCode fail_with(const Error& error, Context& context) {
  return report({ExitCode::failed, error.detail}, context);
}

Result<InstallSettings> settings_of(const Arguments& arguments) {
  InstallSettings out;
  out.version = std::string{this_version().version};
  out.ns = arguments.value("namespace");
  out.image = arguments.given("image") ? arguments.value("image") : "strait:" + out.version;
  out.gateway_image = arguments.given("gateway-image") ? arguments.value("gateway-image")
                                                       : "strait-gateway:" + out.version;
  out.pull_policy = arguments.value("image-pull-policy");
  out.datacenter = arguments.value("datacenter");
  out.log_level = arguments.value("log-level");
  out.service_type = arguments.value("service-type");
  out.openshift = arguments.flag("openshift");
  out.scc = arguments.value("openshift-scc");
  out.consul_class = arguments.flag("consul-class");
  // Pods under restricted-v2 may bind no privileged port.
  auto map_ports = arguments.given("map-privileged-container-ports")
                       ? arguments.value("map-privileged-container-ports")
                   : out.openshift ? std::string{"2000"}
                                   : std::string{"0"};
  for (auto [name, text, limit, into] :
       {std::tuple{"--replicas", arguments.value("replicas"), replicas_max, &out.replicas},
        {"--metrics-port", arguments.value("metrics-port"), std::uint64_t{65'535},
         &out.metrics_port},
        {"--map-privileged-container-ports", map_ports, map_ports_max,
         &out.map_privileged_container_ports}}) {
    auto value = number(name, text, 0, limit);
    if (!value)
      return fail(value.error());
    *into = *value;
  }
  return out;
}

std::int64_t number_at(const Node& object, std::initializer_list<std::string_view> path) {
  auto* node = kubernetes::node_at(object, path);
  auto* value = node ? std::get_if<std::int64_t>(&node->value) : nullptr;
  return value ? *value : 0;
}

/// Puts the CRDs there that are absent; others are left as they are, unless told otherwise.
Status apply_crds(Cluster& cluster, bool overwrite, Context& context) {
  auto crds = custom_resource_definitions(embedded_crds());
  if (!crds)
    return fail(crds.error());
  for (auto& crd : *crds) {
    auto id = kubernetes::id_of(crd);
    if (!id)
      return fail(id.error());
    auto there = cluster.get(*id);
    if (!there)
      return fail(there.error());
    if (*there && !overwrite)
      continue;
    if (auto applied = cluster.apply(crd); !applied)
      return applied;
    context.out << to_string(*id) << (*there ? " updated" : " created") << "\n";
  }
  return {};
}

/// A CRD serves its kind a moment after it was made, so what is not found is tried again.
Status apply_patiently(Cluster& cluster, const Node& object,
                       std::chrono::steady_clock::time_point until) {
  for (;;) {
    auto applied = cluster.apply(object);
    if (applied || applied.error().code != Errc::not_found ||
        std::chrono::steady_clock::now() >= until)
      return applied;
    std::this_thread::sleep_for(look_every);
  }
}

Status wait_until_ready(Cluster& cluster, const InstallSettings& settings,
                        std::chrono::steady_clock::time_point until, Context& context) {
  ObjectId id{"apps/v1", "Deployment", {settings.ns, "strait"}};
  std::int64_t shown = -1;
  for (;;) {
    auto deployment = cluster.get(id);
    if (!deployment)
      return fail(deployment.error());
    if (!*deployment)
      return fail(Errc::not_found, "{} is gone", to_string(id));
    auto& it = **deployment;
    bool seen = number_at(it, {"status", "observedGeneration"}) >=
                number_at(it, {"metadata", "generation"});
    auto ready = number_at(it, {"status", "availableReplicas"});
    auto current = number_at(it, {"status", "updatedReplicas"});
    auto wanted = static_cast<std::int64_t>(settings.replicas);
    auto all = number_at(it, {"status", "replicas"});
    if (seen && ready >= wanted && current >= wanted && all == current)
      return {};
    if (ready != shown && context.terminal)
      context.err << to_string(id) << ": " << ready << " of " << wanted << " ready\n";
    shown = ready;
    if (std::chrono::steady_clock::now() >= until)
      return fail(Errc::unavailable,
                  "{}: {} of {} ready when the time was over; see kubectl -n {} describe pods",
                  to_string(id), ready, wanted, settings.ns);
    std::this_thread::sleep_for(look_every);
  }
}

/// Of an installation with other settings: removed if they are not wanted any more.
Status prune(Cluster& cluster, const std::vector<Node>& wanted, InstallSettings settings,
             Context& context) {
  settings.consul_class = true;
  auto all = installation(embedded_manifest(), settings);
  if (!all)
    return fail(all.error());
  std::set<ObjectId> kept;
  for (auto& object : wanted)
    kept.insert(kubernetes::id_of(object).value_or(ObjectId{}));
  for (auto& object : *all) {
    auto id = kubernetes::id_of(object).value_or(ObjectId{});
    if (kept.contains(id))
      continue;
    auto there = cluster.get(id);
    if (!there)
      return fail(there.error());
    if (!*there || !made_by_install(**there))
      continue;
    if (auto removed = cluster.remove(id); !removed)
      return fail(removed.error());
    context.out << to_string(id) << " removed\n";
  }
  return {};
}

void print(const std::vector<Node>& objects, std::ostream& out) {
  for (auto& object : objects)
    out << "---\n" << kubernetes::write_yaml(object);
}

Status put_there(Cluster& cluster, const InstallSettings& settings,
                 const std::vector<Node>& objects, const Arguments& arguments, Context& context) {
  auto timeout = duration_ms("--timeout", arguments.value("timeout"));
  if (!timeout)
    return fail(timeout.error());
  auto until = std::chrono::steady_clock::now() + Millis{*timeout};
  ObjectId ns{"v1", "Namespace", {"", settings.ns}};
  auto there = cluster.get(ns);
  if (!there)
    return fail(there.error());
  if (!*there)
    if (auto made = cluster.apply(namespace_document(settings.ns)); !made)
      return made;
  if (!arguments.flag("skip-crds"))
    if (auto made = apply_crds(cluster, arguments.flag("overwrite-crds"), context); !made)
      return made;
  for (auto& object : objects) {
    auto id = kubernetes::id_of(object).value_or(ObjectId{});
    bool api = id.api_version.starts_with("gateway.networking.k8s.io/");
    auto applied = api ? cluster.apply(object) : apply_patiently(cluster, object, until);
    if (!applied && api && applied.error().code == Errc::not_found) {
      context.err << "strait: this cluster does not have the Gateway API yet, so " << to_string(id)
                  << " was not made; apply its CRDs and run strait upgrade\n";
      continue;
    }
    if (!applied)
      return fail(applied.error().code, "{}: {}", to_string(id), applied.error().detail);
    context.out << to_string(id) << " applied\n";
  }
  if (auto pruned = prune(cluster, objects, settings, context); !pruned)
    return pruned;
  return wait_until_ready(cluster, settings, until, context);
}

ExitCode install_or_upgrade(bool upgrade, const Arguments& arguments, Context& context) {
  auto settings = settings_of(arguments);
  if (!settings)
    return report({ExitCode::usage, settings.error().detail}, context);
  auto objects = installation(embedded_manifest(), *settings);
  if (!objects)
    return fail_with(objects.error(), context);
  if (arguments.flag("dry-run")) {
    auto crds = custom_resource_definitions(embedded_crds());
    if (crds && !arguments.flag("skip-crds"))
      print(*crds, context.out);
    print(*objects, context.out);
    return ExitCode::ok;
  }
  auto cluster = Cluster::open(arguments, context);
  if (!cluster)
    return report(cluster.error(), context);
  auto there = cluster->get({"apps/v1", "Deployment", {settings->ns, "strait"}});
  if (!there)
    return fail_with(there.error(), context);
  if (*there && !made_by_install(**there))
    return report({ExitCode::failed, "Deployment " + settings->ns +
                                         "/strait was not made by strait install; if Helm made it, "
                                         "use helm upgrade"},
                  context);
  if (upgrade != there->has_value())
    return report({upgrade ? ExitCode::not_found : ExitCode::failed,
                   upgrade
                       ? "namespace " + settings->ns + ": not installed; use strait install"
                       : "namespace " + settings->ns + ": installed already; use strait upgrade"},
                  context);
  if (auto done = put_there(*cluster, *settings, *objects, arguments, context); !done)
    return fail_with(done.error(), context);
  context.out << "Strait " << settings->version << " is ready in namespace " << settings->ns
              << "\n";
  return ExitCode::ok;
}

std::vector<Option> install_options() {
  auto options = cluster_options();
  for (auto& option : std::vector<Option>{
           {"image", 0, "IMAGE", "Of the controller; else strait:VERSION"},
           {"gateway-image", 0, "IMAGE", "Of gateways' pods; else strait-gateway:VERSION"},
           {"image-pull-policy",
            0,
            "POLICY",
            "Of both",
            "IfNotPresent",
            {"Always", "IfNotPresent", "Never"}},
           {"datacenter", 0, "NAME", "This cluster's datacenter", "dc1"},
           {"replicas", 0, "N", "Of the controller", "1"},
           {"service-type",
            0,
            "TYPE",
            "Of gateways' Services",
            "LoadBalancer",
            {"ClusterIP", "NodePort", "LoadBalancer"}},
           {.name = "consul-class",
           .help = "Also a GatewayClass of Consul's controller name, with Consul's rules"},
           {.name = "openshift", .help = "Bind gateways' pods to a security context constraint"},
           {"openshift-scc", 0, "NAME", "Which one", "restricted-v2"},
           {"map-privileged-container-ports", 0, "N",
            "Added to listener ports up to 1024 in the pod; 0, or 2000 with --openshift"},
           {"metrics-port", 0, "PORT", "Prometheus on the controller's pods; 0: off", "0"},
           {"log-level",
            0,
            "LEVEL",
            "Of the controller",
            "info",
            {"trace", "debug", "info", "warn", "error"}},
           {.name = "skip-crds", .help = "Install no CRDs"},
           {.name = "overwrite-crds", .help = "Also CRDs that are there already"},
           {.name = "dry-run", .help = "Print the objects as YAML and change nothing"},
           {"timeout", 0, "TIME", "How long to wait until all is ready", "3m"}})
    options.push_back(option);
  return options;
}

} // namespace

std::vector<Command> install_commands() {
  return {
      {.path = "install",
       .summary = "Install Strait on a Kubernetes cluster, without Helm",
       .details = "Makes what the Helm chart makes by its default values, waits until it is ready, "
                  "and leaves CRDs that are there already as they are.",
       .examples = {"strait install", "strait install -n infra --replicas 2 --consul-class",
                    "strait install --openshift",
                    "strait install --dry-run | kubectl apply --server-side -f -"},
       .options = install_options(),
       .run = [](const Arguments& arguments,
                 Context& context) { return install_or_upgrade(false, arguments, context); },
       .talks_to_agent = false},
      {.path = "upgrade",
       .summary = "Bring an installation to this version and to other settings",
       .details = "Settings are those given now: what is not given is the default again.",
       .examples = {"strait upgrade", "strait upgrade -n infra --replicas 3"},
       .options = install_options(),
       .run = [](const Arguments& arguments,
                 Context& context) { return install_or_upgrade(true, arguments, context); },
       .talks_to_agent = false},
      uninstall_command(),
  };
}

} // namespace strait::cli
