#include "catalog/model/gateway.hpp"
#include "cmd/cli/cluster.hpp"
#include "cmd/cli/commands.hpp"
#include "cmd/cli/installation.hpp"
#include "kubernetes/deployer.hpp"
#include "kubernetes/lease.hpp"
#include "kubernetes/status_patch.hpp"
#include "kubernetes/watch.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <ostream>
#include <thread>

namespace strait::cli {

namespace {

using kubernetes::Node;
using kubernetes::ObjectId;

constexpr std::chrono::milliseconds look_every{200};
/// Tries to take a finalizer off a class that others write to at the same time.
constexpr int release_tries_max = 5;

/// Takes away what an installation left on a cluster, one kind of thing a step.
class Removal {
public:
  Removal(Cluster& cluster, const Arguments& arguments, Context& context, Millis limit)
      : cluster_{cluster}, arguments_{arguments}, context_{context}, ns_{arguments.value(
                                                                         "namespace")},
        for_helm_{arguments.given("for-helm")}, until_{std::chrono::steady_clock::now() + limit} {}

  Status run() {
    // The controller first: it would make again what is removed.
    if (auto ended = end_controller(); !ended)
      return ended;
    if (!arguments_.flag("keep-gateways"))
      if (auto removed = remove_owned(); !removed)
        return removed;
    if (auto released = release_classes(); !released)
      return released;
    ObjectId lease{
        "coordination.k8s.io/v1", "Lease", {ns_, std::string{kubernetes::controller_lease}}};
    if (auto removed = remove(lease); !removed)
      return removed;
    if (!for_helm_)
      if (auto removed = remove_made(); !removed)
        return removed;
    return wait_until_gone();
  }

private:
  Status remove(const ObjectId& id) {
    auto removed = cluster_.remove(id);
    if (!removed)
      return fail(removed.error().code, "{}: {}", to_string(id), removed.error().detail);
    if (*removed) {
      context_.out << to_string(id) << " removed\n";
      removed_.push_back(id);
    }
    return {};
  }

  Status wait_until_gone() {
    Progress progress{context_, "waiting until all of it is gone"};
    for (auto& id : std::exchange(removed_, {}))
      for (;;) {
        auto there = cluster_.get(id);
        if (!there)
          return fail(there.error());
        if (!*there)
          break;
        if (std::chrono::steady_clock::now() >= until_)
          return fail(Errc::unavailable, "{}: still there when the time was over", to_string(id));
        std::this_thread::sleep_for(look_every);
      }
    return {};
  }

  /// Its Deployment stays until its pods have ended.
  Status end_controller() {
    auto name = for_helm_ ? arguments_.value("for-helm") : std::string{"strait"};
    ObjectId id{"apps/v1", "Deployment", {ns_, name}};
    auto there = cluster_.get(id);
    if (!there)
      return fail(there.error());
    if (!*there)
      return {};
    auto label = [&](std::string_view key) {
      return kubernetes::text_at(**there, {"metadata", "labels", key});
    };
    if (!for_helm_ && !made_by_install(**there))
      return fail(Errc::conflict,
                  "{} was not made by strait install; if Helm made it, use helm uninstall",
                  to_string(id));
    if (for_helm_ && label("app.kubernetes.io/name") != "strait")
      return fail(Errc::conflict,
                  "{} is not Strait's: expected the label "
                  "app.kubernetes.io/name: strait",
                  to_string(id));
    if (auto removed = remove(id); !removed)
      return removed;
    return wait_until_gone();
  }

  /// What runs for Gateways, which nobody would look after any more.
  Status remove_owned() {
    auto selector = fmt::format("{}={},{}", kubernetes::managed_by_label,
                                kubernetes::managed_by_strait, kubernetes::gateway_name_label);
    for (auto it = std::rbegin(kubernetes::deployed_kinds);
         it != std::rend(kubernetes::deployed_kinds); ++it) {
      auto& kind = *it;
      auto all = cluster_.list(kind.api_version, kind.kind, selector);
      if (!all && all.error().code == Errc::denied && for_helm_ && kind.constraint)
        continue; // Who may not list them cannot have made any.
      if (!all)
        return fail(all.error());
      for (auto& id : *all)
        if (auto removed = remove(id); !removed)
          return removed;
    }
    return {};
  }

  /// Classes that Gateways use are kept by our finalizer, which nobody would take off any more;
  /// also those that others made for our controller names.
  Status release_classes() {
    auto all = cluster_.list("gateway.networking.k8s.io/v1", "GatewayClass");
    if (!all)
      return fail(all.error());
    for (auto& id : *all)
      if (auto released = release(id); !released)
        return released;
    return {};
  }

  Status release(const ObjectId& id) {
    for (int tries = 1;; ++tries) {
      auto live = cluster_.get(id);
      if (!live)
        return fail(live.error());
      if (!*live)
        return {};
      auto controller = kubernetes::text_at(**live, {"spec", "controllerName"});
      if (controller != model::strait_controller && controller != model::consul_controller)
        return {};
      auto without = kubernetes::finalizer_patch(**live, false);
      if (!without)
        return {};
      auto patched = cluster_.patch(id, *without);
      if (patched)
        context_.out << to_string(id) << " released\n";
      if (patched || patched.error().code == Errc::not_found)
        return {};
      if (patched.error().code != Errc::conflict || tries == release_tries_max)
        return fail(patched.error().code, "{}: {}", to_string(id), patched.error().detail);
    }
  }

  /// The objects of `strait install`, the last one first.
  Status remove_made() {
    InstallSettings settings;
    settings.ns = ns_;
    settings.consul_class = true;
    auto all = installation(embedded_manifest(), settings);
    if (!all)
      return fail(all.error());
    all->insert(all->begin(), namespace_document(ns_));
    if (arguments_.flag("crds")) {
      auto crds = custom_resource_definitions(embedded_crds());
      if (!crds)
        return fail(crds.error());
      all->insert(all->begin(), crds->begin(), crds->end());
    }
    std::reverse(all->begin(), all->end());
    for (auto& object : *all) {
      auto id = kubernetes::id_of(object).value_or(ObjectId{});
      auto there = cluster_.get(id);
      if (!there)
        return fail(there.error());
      // CRDs that somebody else brought go with --crds all the same: they were asked for.
      if (!*there || (!made_by_install(**there) && id.kind != "CustomResourceDefinition"))
        continue;
      if (auto removed = remove(id); !removed)
        return removed;
    }
    return {};
  }

  Cluster& cluster_;
  const Arguments& arguments_;
  Context& context_;
  std::string ns_;
  bool for_helm_;
  std::chrono::steady_clock::time_point until_;
  std::vector<ObjectId> removed_; // And perhaps still there.
};

ExitCode run_uninstall(const Arguments& arguments, Context& context) {
  auto limit = duration_ms("--timeout", arguments.value("timeout"));
  if (!limit)
    return report({ExitCode::usage, limit.error().detail}, context);
  if (arguments.given("for-helm") && arguments.flag("crds"))
    return report({ExitCode::usage, "--for-helm and --crds exclude each other"}, context);
  auto cluster = Cluster::open(arguments, context);
  if (!cluster)
    return report(cluster.error(), context);
  if (auto done = Removal{*cluster, arguments, context, Millis{*limit}}.run(); !done)
    return report({ExitCode::failed, done.error().detail}, context);
  return ExitCode::ok;
}

} // namespace

Command uninstall_command() {
  auto options = cluster_options();
  for (auto& option : std::vector<Option>{
           {.name = "crds", .help = "Also the CRDs, and with them every object of their kinds"},
           {.name = "keep-gateways",
           .help = "Leave gateways' pods running, with what they serve now"},
           {"for-helm", 0, "NAME",
            "Only what Helm cannot remove, for its hook before it does: end the controller "
            "(Deployment NAME), then what runs for Gateways, finalizers and the Lease"},
           {"timeout", 0, "TIME", "How long to wait until all is gone", "3m"}})
    options.push_back(option);
  return {.path = "uninstall",
          .summary = "Remove from a cluster what strait install made",
          .details =
              "Also the Deployments, Services and other objects that run for Gateways. Gateways, "
              "routes and CRDs stay, unless asked for.",
          .examples = {"strait uninstall", "strait uninstall -n infra --crds"},
          .options = std::move(options),
          .run = run_uninstall,
          .talks_to_agent = false};
}

} // namespace strait::cli
