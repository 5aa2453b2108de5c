// links: strait_actors
#include "datacenter.hpp"
#include "world.hpp"

#include <cstdlib>

using namespace strait;
using namespace strait::actors;
using simulation::Datacenter;

namespace {

/// What the actors came to, against the obvious computation. Empty: equal.
std::string difference(Datacenter& datacenter) {
  auto view = datacenter.view->load();
  std::map<model::ObjectKey, std::vector<model::ParentStatus>> parents;
  for (auto& name : simulation::World::gateways()) {
    auto expected = gateway::resolve::resolve_all(*view, name, {});
    std::string expected_text, text;
    auto config = [](gateway::Config it) {
      it.epoch = 0;
      return to_text(it);
    };
    expected_text = config(expected.config ? *expected.config : gateway::Config{});
    auto found = datacenter.recorder.snapshots.find(name);
    text = config(found == datacenter.recorder.snapshots.end() ? gateway::Config{}
                                                               : found->second->config);
    if (text != expected_text)
      return fmt::format("Gateway {} at revision {}\n--- actors\n{}--- resolve_all\n{}",
                         to_string(name), view->revision, text, expected_text);
    model::ObjectStatus own{.object = {model::Kind::gateway, name}};
    if (auto* stored = view->find<model::ObjectStatus>(model::key_of(own).name))
      own = *stored;
    if (view->find<model::Gateway>(name) && !expected.gateway.conditions.empty() &&
        gateway::resolve::to_text(own) != gateway::resolve::to_text(expected.gateway))
      return fmt::format("status of Gateway {}\n--- actors\n{}--- resolve_all\n{}", to_string(name),
                         gateway::resolve::to_text(own),
                         gateway::resolve::to_text(expected.gateway));
    for (auto& [route, of_route] : expected.routes)
      parents[route].insert(parents[route].end(), of_route.begin(), of_route.end());
  }
  auto compare = [&](const model::ObjectKey& key) -> std::string {
    model::ObjectStatus actual{.object = key}, expected{.object = key};
    if (auto* stored = view->find<model::ObjectStatus>(model::key_of(actual).name))
      actual = *stored;
    expected.parents = parents[key];
    if (gateway::resolve::to_text(actual) == gateway::resolve::to_text(expected))
      return "";
    return fmt::format("status of {}\n--- actors\n{}--- resolve_all\n{}", to_string(key),
                       gateway::resolve::to_text(actual), gateway::resolve::to_text(expected));
  };
  for (auto& [name, record] : view->table<model::HttpRoute>())
    if (auto text = compare({model::Kind::http_route, name}); !text.empty())
      return text;
  for (auto& [name, record] : view->table<model::TcpRoute>())
    if (auto text = compare({model::Kind::tcp_route, name}); !text.empty())
      return text;
  return "";
}

/// Runs `steps` random changes; returns the first difference, or nothing.
std::string run(std::uint64_t seed, int steps, const Rules& rules) {
  Datacenter datacenter{seed, rules};
  simulation::World world{seed};
  for (auto& command : world.beginnings())
    datacenter.write(command);
  for (int step = 0; step < steps; ++step) {
    datacenter.write(world.next());
    datacenter.fixture.run_some(datacenter.fixture.random() % 40);
    if (step % 10 != 9)
      continue;
    datacenter.quiet();
    if (auto text = difference(datacenter); !text.empty())
      return fmt::format("seed {}, step {}: {}", seed, step, text);
  }
  return "";
}

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  auto* text = std::getenv(name);
  return text && *text ? std::strtoull(text, nullptr, 10) : otherwise;
}

} // namespace

TEST_CASE("after random changes in random order, the actors say what resolve_all says") {
  auto seeds = from_environment("STRAIT_SIM_RUNS", 100);
  auto first = from_environment("STRAIT_SIM_SEED", 1);
  for (auto seed = first; seed < first + seeds; ++seed) {
    auto text = run(seed, 100, {});
    if (!text.empty())
      FAIL(text);
  }
}

TEST_CASE("a rule that looks at no grants is found") {
  Rules broken;
  broken.resolve_route = [](const catalog::View& view, const model::ObjectKey& key) {
    auto resolved = gateway::resolve::resolve_route(view, key);
    if (!resolved)
      return resolved;
    auto copy = *resolved;
    std::erase_if(copy.depends,
                  [](auto& topic) { return topic.kind == model::Kind::reference_grant; });
    return gateway::resolve::ResolvedRoutePtr{
        std::make_shared<const gateway::resolve::ResolvedRoute>(std::move(copy))};
  };
  std::string found;
  for (std::uint64_t seed = 1; seed <= 20 && found.empty(); ++seed)
    found = run(seed, 100, broken);
  CHECK_FALSE(found.empty());
}

TEST_CASE("an actor that throws is restarted, its resource says so, and the others never notice") {
  auto broken_now = std::make_shared<bool>(true);
  Rules rules;
  rules.resolve_route = [broken_now](const catalog::View& view, const model::ObjectKey& key) {
    if (*broken_now && key.name.name == "bad")
      throw std::runtime_error("planted");
    return gateway::resolve::resolve_route(view, key);
  };
  Datacenter datacenter{1, rules};
  simulation::World world{1};
  for (auto& command : world.beginnings())
    datacenter.write(command);
  auto route = [&](const std::string& name, const std::string& path) {
    model::HttpRoute it;
    it.meta.name = {"default", name};
    it.parents.push_back({.ns = "default", .name = "edge"});
    model::HttpRule rule;
    rule.matches.push_back({.path = {model::PathMatchType::prefix, path}});
    it.rules.push_back(rule);
    return it;
  };
  model::Gateway edge;
  edge.meta.name = {"default", "edge"};
  edge.class_name = "strait";
  edge.listeners.push_back({.name = "http", .port = 8000, .protocol = "HTTP"});
  datacenter.write(catalog::Put{edge, {}});
  datacenter.write(catalog::Put{route("good", "/good"), {}});
  datacenter.write(catalog::Put{route("bad", "/bad"), {}});
  datacenter.quiet();
  auto health = [&]() -> std::optional<bool> {
    model::ObjectStatus status{.object = {model::Kind::http_route, {"default", "bad"}}};
    auto* stored = datacenter.view->load()->find<model::ObjectStatus>(model::key_of(status).name);
    if (stored)
      for (auto& condition : stored->conditions)
        if (condition.type == model::ConditionType::healthy_actor)
          return condition.status;
    return {};
  };
  auto served = [&](const std::string& key) {
    return datacenter.recorder.snapshots.at({"default", "edge"})->config.routes.contains(key);
  };
  CHECK(health() == false);
  CHECK(served("http/HTTPRoute default/good"));
  CHECK_FALSE(served("http/HTTPRoute default/bad"));

  *broken_now = false;
  datacenter.fixture.advance(Restarts::delay_max);
  datacenter.quiet();
  CHECK(health() == true);
  CHECK(served("http/HTTPRoute default/bad"));
}
