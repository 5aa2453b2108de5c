// links: strait_gateway_resolve strait_kubernetes
#include "world.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

using namespace strait;
using namespace strait::gateway::resolve;

namespace {

const std::filesystem::path folder{STRAIT_SOURCE_DIR "/tests/golden"};

std::string read(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

std::vector<std::filesystem::path> inputs() {
  std::vector<std::filesystem::path> paths;
  for (auto& entry : std::filesystem::directory_iterator{folder})
    if (entry.path().string().ends_with(".in.yaml"))
      paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  return paths;
}

using Parents = std::map<model::ObjectKey, std::vector<model::ParentStatus>>;

void add(Parents& to, const Parents& from) {
  for (auto& [key, parents] : from)
    to[key].insert(to[key].end(), parents.begin(), parents.end());
}

std::string text_of(const Parents& statuses) {
  std::string text;
  for (auto& [key, parents] : statuses)
    text += to_text(model::ObjectStatus{.object = key, .parents = parents});
  return text;
}

/// Everything that resolution says of a world, by resolve_all; of classes only where asked for.
std::string resolved_text(const golden::World& world, const Settings& settings, bool classes) {
  auto& view = *world.view;
  std::string text;
  for (auto& [name, record] : view.table<model::GatewayClass>())
    if (auto it = resolve_class(view, name.name); classes && it && it->ours)
      text += to_text(it->status);
  Parents routes, policies;
  for (auto& key : routes_in(view))
    routes[key];
  for (auto& [name, record] : view.table<model::BackendTlsPolicy>())
    policies[{model::Kind::backend_tls_policy, name}];
  for (auto& [name, record] : view.table<model::Gateway>()) {
    auto bound = resolve_all(view, name, settings, world.identities);
    text += to_text(bound.gateway);
    text += bound.config ? "serves\n" : "serves nothing\n";
    std::istringstream lines{bound.config ? to_text(*bound.config) : ""};
    for (std::string line; std::getline(lines, line);)
      text += "  " + line + "\n";
    for (auto& [key, status] : bound.listener_sets)
      text += to_text(status);
    add(routes, bound.routes);
    add(policies, bound.policies);
  }
  text += text_of(routes) + text_of(policies);
  auto own = [&](auto& table, model::Kind kind) {
    for (auto& [name, record] : table)
      text += to_text(resolve_policy(view, {kind, name})->status);
  };
  own(view.table<model::GatewayPolicy>(), model::Kind::gateway_policy);
  own(view.table<model::RouteAuthFilter>(), model::Kind::route_auth_filter);
  own(view.table<model::JwtProvider>(), model::Kind::jwt_provider);
  own(view.table<model::ServiceResolver>(), model::Kind::service_resolver);
  return text;
}

/// The same of one gateway, by the machine that ships, fed as the actors feed it.
void check_binder(const golden::World& world, const Settings& settings, const model::Name& name) {
  auto& view = *world.view;
  Binder binder{name, settings};
  binder.view_changed(view);
  for (auto& key : routes_in(view))
    binder.route_changed(key, resolve_route(view, key));
  for (auto& identity : world.identities)
    binder.identity_changed(identity);
  binder.exports_changed(resolve_exports(view));
  // Those that stand in for others are asked for once the others are known.
  for (std::set<std::string> told; told != binder.clusters();) {
    told = binder.clusters();
    for (auto& cluster : told)
      binder.cluster_changed(resolve_cluster(view, cluster).cluster);
  }
  CHECK(binder.complete());
  auto taken = binder.take();
  auto expected = resolve_all(view, name, settings, world.identities);
  CHECK((taken.config != nullptr) == (expected.config != nullptr));
  if (taken.config && expected.config)
    CHECK(to_text(*taken.config) == to_text(*expected.config));
  CHECK(taken.gateway.value_or(model::ObjectStatus{.object = {model::Kind::gateway, name}}) ==
        expected.gateway);
  std::erase_if(taken.routes, [](auto& it) { return it.second.empty(); }); // "Nothing" is told too.
  CHECK(taken.routes == expected.routes);
  CHECK(taken.policies == expected.policies);
  std::map<model::ObjectKey, model::ObjectStatus> sets;
  for (auto& [key, status] : taken.listener_sets)
    if (status)
      sets[key] = *status;
  CHECK(sets == expected.listener_sets);
}

std::string golden_text(const std::filesystem::path& input) {
  std::string text, manifests = read(input);
  bool classes = manifests.find("kind: GatewayClass\n") != std::string::npos;
  for (auto controller : {model::strait_controller, model::consul_controller}) {
    auto world = golden::read_world(manifests, controller);
    if (!world)
      FAIL(input.filename() << ": " << world.error().detail);
    Settings settings;
    settings.kubernetes = world->kubernetes;
    text += fmt::format("== {}\n{}", controller, resolved_text(*world, settings, classes));
    for (auto& [name, record] : world->view->table<model::Gateway>())
      check_binder(*world, settings, name);
  }
  return text;
}

} // namespace

TEST_CASE("each input resolves to what its golden file says, by both ways") {
  bool accept = std::getenv("STRAIT_GOLDEN_ACCEPT") != nullptr;
  REQUIRE(inputs().size() >= 40);
  for (auto& input : inputs()) {
    INFO(input.filename());
    auto stem = input.string();
    stem.resize(stem.size() - std::string_view{".in.yaml"}.size());
    auto text = golden_text(input);
    if (accept)
      std::ofstream{stem + ".out.txt", std::ios::binary} << text;
    CHECK(text == read(stem + ".out.txt"));
  }
}

TEST_CASE("every golden output has an input") {
  for (auto& entry : std::filesystem::directory_iterator{folder}) {
    auto path = entry.path().string();
    if (path.ends_with(".out.txt"))
      CHECK(std::filesystem::exists(path.substr(0, path.size() - 8) + ".in.yaml"));
  }
}

TEST_CASE("every reason occurs in some golden file, or another layer writes it") {
  const std::set<model::Reason> elsewhere{
      // The actors: what proxies acknowledged, and how the actors themselves fare.
      model::Reason::serving,
      model::Reason::no_proxies,
      model::Reason::not_programmed,
      model::Reason::actor_restarting,
      model::Reason::running,
      // Whoever deploys gateways: no resources for one, or CRDs of another version.
      model::Reason::no_resources,
      model::Reason::unsupported_version,
      model::Reason::unsupported,
      // The decoders refuse what leads to it, so no manifest can: filters that exclude each other.
      // resolve_route.test.cpp.
      model::Reason::incompatible_filters,
  };
  std::string all;
  for (auto& input : inputs()) {
    auto path = input.string();
    all += read(path.substr(0, path.size() - 8) + ".out.txt");
  }
  for (auto [reason, name] : std::initializer_list<std::pair<model::Reason, std::string_view>>{
#define STRAIT_REASON(id, text) {model::Reason::id, text},
#include "catalog/model/conditions.def"
       }) {
    INFO(name);
    bool found = all.find(fmt::format(" {} (generation", name)) != std::string::npos;
    CHECK(found != elsewhere.contains(reason));
  }
}
