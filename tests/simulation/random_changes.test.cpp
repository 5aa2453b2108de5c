// links: strait_actors
#include "datacenter.hpp"
#include "world.hpp"

#include <algorithm>
#include <cstdlib>

using namespace strait;
using namespace strait::actors;
using simulation::Datacenter;

namespace {

/// Pods for odd seeds, one process for even ones.
gateway::resolve::Settings settings_of(std::uint64_t seed) {
  gateway::resolve::Settings settings;
  settings.kubernetes = seed % 2 == 1;
  return settings;
}

/// Takes out what resolution does not know: what proxies serve. Returns its conditions.
std::vector<model::Condition> without_serving(std::vector<model::Condition>& conditions) {
  auto from = std::stable_partition(conditions.begin(), conditions.end(), [](auto& it) {
    return it.type != model::ConditionType::serving;
  });
  std::vector<model::Condition> out{from, conditions.end()};
  conditions.erase(from, conditions.end());
  return out;
}
model::ObjectStatus without_serving(model::ObjectStatus status) {
  for (auto& listener : status.listeners)
    without_serving(listener.conditions);
  for (auto& parent : status.parents)
    without_serving(parent.conditions);
  return status;
}

/// Once quiet, what a proxy serves says so and nothing else does. Empty: that is so.
std::string wrong_serving(Datacenter& datacenter, const catalog::View& view) {
  auto say = [](const model::ObjectKey& object, std::string_view what) {
    return fmt::format("{}: {}\n", to_string(object), what);
  };
  auto served = [&](const model::Name& gateway, const model::ObjectKey& route) {
    auto found = datacenter.recorder.snapshots.find(gateway);
    if (found != datacenter.recorder.snapshots.end())
      for (auto& [binding, bound] : found->second->config.routes)
        if (bound->id == to_string(route))
          return true;
    return false;
  };
  std::string wrong;
  for (auto& [name, record] : view.table<model::ObjectStatus>()) {
    auto status = record->value;
    for (auto& listener : status.listeners) {
      auto said = without_serving(listener.conditions);
      bool programmed =
          std::any_of(listener.conditions.begin(), listener.conditions.end(), [](auto& it) {
            return it.type == model::ConditionType::programmed && it.status;
          });
      if (said.size() != 1 || said[0].status != programmed)
        wrong += say(status.object, "listener " + listener.name);
    }
    if (!gateway::resolve::is_route(status.object.kind))
      continue;
    std::map<model::Name, bool> by_gateway;
    for (auto& parent : status.parents) {
      model::Name of{parent.parent.ns, parent.parent.name};
      if (parent.parent.kind == "ListenerSet")
        of = gateway::resolve::gateway_of(*view.find<model::ListenerSet>(of));
      auto said = without_serving(parent.conditions);
      if (said.size() != 1)
        wrong += say(status.object, fmt::format("{} words on serving", said.size()));
      else
        by_gateway[of] |= said[0].status;
    }
    for (auto& [gateway, said] : by_gateway)
      if (said != served(gateway, status.object))
        wrong += say(status.object, fmt::format("Serving={} at {}", said, to_string(gateway)));
  }
  return wrong;
}

/// What the actors came to, against the obvious computation. Empty: equal.
std::string difference(Datacenter& datacenter, const gateway::resolve::Settings& settings) {
  auto view = datacenter.view->load();
  std::map<model::ObjectKey, model::ObjectStatus> statuses;
  for (auto& key : gateway::resolve::routes_in(*view))
    statuses[key];
  for (auto& [name, record] : view->table<model::BackendTlsPolicy>())
    statuses[{model::Kind::backend_tls_policy, name}];
  for (auto& [name, record] : view->table<model::ListenerSet>())
    statuses[{model::Kind::listener_set, name}];
  auto by_itself = [&](auto& table, model::Kind kind) {
    for (auto& [name, record] : table)
      statuses[{kind, name}] = gateway::resolve::resolve_policy(*view, {kind, name})->status;
  };
  by_itself(view->table<model::GatewayPolicy>(), model::Kind::gateway_policy);
  by_itself(view->table<model::RouteAuthFilter>(), model::Kind::route_auth_filter);
  by_itself(view->table<model::JwtProvider>(), model::Kind::jwt_provider);
  by_itself(view->table<model::ServiceResolver>(), model::Kind::service_resolver);
  auto add = [&](auto& said) {
    for (auto& [key, of_key] : said) {
      auto& parents = statuses[key].parents;
      parents.insert(parents.end(), of_key.begin(), of_key.end());
    }
  };
  for (auto& name : simulation::World::gateways()) {
    auto expected = gateway::resolve::resolve_all(*view, name, settings);
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
      own = without_serving(*stored);
    if (view->find<model::Gateway>(name) && !expected.gateway.conditions.empty() &&
        gateway::resolve::to_text(own) != gateway::resolve::to_text(expected.gateway))
      return fmt::format("status of Gateway {}\n--- actors\n{}--- resolve_all\n{}", to_string(name),
                         gateway::resolve::to_text(own),
                         gateway::resolve::to_text(expected.gateway));
    for (auto& [set, status] : expected.listener_sets)
      statuses[set] = status;
    add(expected.routes);
    add(expected.policies);
  }
  for (auto& [key, expected] : statuses) {
    model::ObjectStatus actual{.object = key};
    if (auto* stored = view->find<model::ObjectStatus>(model::key_of(actual).name))
      actual = without_serving(*stored);
    expected.object = key;
    if (gateway::resolve::to_text(actual) != gateway::resolve::to_text(expected))
      return fmt::format("status of {}\n--- actors\n{}--- resolve_all\n{}", to_string(key),
                         gateway::resolve::to_text(actual), gateway::resolve::to_text(expected));
  }
  return wrong_serving(datacenter, *view);
}

/// Runs `steps` random changes; returns the first difference, or nothing.
std::string run(std::uint64_t seed, int steps, const Rules& rules) {
  auto settings = settings_of(seed);
  Datacenter datacenter{seed, rules, settings};
  simulation::World world{seed};
  for (auto& command : world.beginnings())
    datacenter.write(command);
  for (int step = 0; step < steps; ++step) {
    datacenter.write(world.next());
    datacenter.fixture.run_some(datacenter.fixture.random() % 40);
    if (step % 10 != 9)
      continue;
    datacenter.quiet();
    if (auto text = difference(datacenter, settings); !text.empty())
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

TEST_CASE("a rule that misses changes of policies is found") {
  Rules broken;
  broken.resolve_cluster = [](const catalog::View& view, const std::string& id) {
    auto resolved = gateway::resolve::resolve_cluster(view, id);
    std::erase_if(resolved.depends,
                  [](auto& topic) { return topic.kind == model::Kind::backend_tls_policy; });
    return resolved;
  };
  std::string found;
  for (std::uint64_t seed = 1; seed <= 20 && found.empty(); ++seed)
    found = run(seed, 100, broken);
  CHECK_FALSE(found.empty());
}

TEST_CASE("a rule that misses changes of resolvers is found") {
  Rules broken;
  broken.resolve_cluster = [](const catalog::View& view, const std::string& id) {
    auto resolved = gateway::resolve::resolve_cluster(view, id);
    std::erase_if(resolved.depends,
                  [](auto& topic) { return topic.kind == model::Kind::service_resolver; });
    return resolved;
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
  // A restart may just have been tried: that it failed again is told after an interval.
  for (int writes = 0; writes < 3 && health() != false; ++writes)
    datacenter.fixture.advance(StatusLedger::write_interval_max);
  CHECK(health() == false);
  CHECK(served("http/HTTPRoute default/good"));
  CHECK_FALSE(served("http/HTTPRoute default/bad"));

  *broken_now = false;
  datacenter.fixture.advance(Restarts::delay_max);
  datacenter.quiet();
  CHECK(health() == true);
  CHECK(served("http/HTTPRoute default/bad"));
}
