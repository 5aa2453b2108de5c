#include "gateway/snapshot/shadow_index.hpp"

#include "gateway/snapshot/http_table.hpp"
#include "gateway/snapshot/match_oracle.hpp"
#include "gateway/snapshot/random_config.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <random>

using namespace strait;
using namespace strait::gateway;

namespace {

using Routes = std::map<std::string, std::shared_ptr<const BoundRoute>>; // By binding key.

std::shared_ptr<BoundRoute> route(std::string id, std::vector<std::vector<Match>> rules,
                                  std::vector<std::string> hostnames = {}, int created = 0) {
  HttpRoute http{.hostnames = std::move(hostnames)};
  for (auto& matches : rules)
    http.rules.push_back(HttpRule{.matches = std::move(matches)});
  return std::make_shared<BoundRoute>(
      BoundRoute{std::move(id), WallTime{Millis{created}}, std::move(http)});
}

struct Shadows {
  ShadowIndex index;
  std::vector<std::string> set(const std::shared_ptr<BoundRoute>& bound) {
    return index.change(binding_key("http", bound->id), bound);
  }
  std::vector<std::string> remove(const std::string& id) {
    return index.change(binding_key("http", id), nullptr);
  }
  /// "RULE by WINNER WINNER'S RULE" for each.
  std::vector<std::string> of(const std::string& id) const {
    std::vector<std::string> texts;
    for (const auto& [rule, winner, winner_rule] : index.shadowed(binding_key("http", id)))
      texts.push_back(std::to_string(rule) + " by " + winner + " " + std::to_string(winner_rule));
    return texts;
  }
};
using Texts = std::vector<std::string>;

std::map<std::string, std::tuple<ValueType, std::string>>
values(const std::vector<ValueCondition>& conditions, bool ignore_case) {
  std::map<std::string, std::tuple<ValueType, std::string>> values;
  for (const auto& [name, condition] : oracle::distinct(conditions, ignore_case))
    values.emplace(name, std::tuple{condition->type, condition->value});
  return values;
}

/// As the Gateway API's sentences say it, without any index.
bool equal_matches(const Match& a, const Match& b) {
  const auto path = [](const Match& match) {
    return match.path_type == PathType::prefix && match.path.back() == '/'
               ? match.path.substr(0, match.path.size() - 1)
               : match.path;
  };
  return a.path_type == b.path_type && path(a) == path(b) && a.method == b.method &&
         values(a.headers, true) == values(b.headers, true) &&
         values(a.query, false) == values(b.query, false);
}

std::vector<std::string> names(const HttpRoute& http) {
  return http.hostnames.empty() ? std::vector<std::string>{""} : http.hostnames;
}

/// Every rule of every route is compared.
std::vector<ShadowedRule> scan(const Routes& routes, const std::string& binding) {
  using Rank = std::tuple<WallTime, std::string, std::size_t>;
  std::vector<ShadowedRule> shadowed;
  const auto& mine = *routes.at(binding);
  const auto& http = std::get<HttpRoute>(mine.route);
  for (std::size_t r = 0; r < http.rules.size(); ++r) {
    std::vector<Rank> winners;
    bool reached = false;
    for (const auto& hostname : names(http))
      for (const auto& match : http.rules[r].matches) {
        const Rank own{mine.created, mine.id, r};
        Rank best = own;
        for (const auto& [key, other] : routes) {
          const auto& others = std::get<HttpRoute>(other->route);
          const auto hostnames = names(others);
          if (listener_of(key) != listener_of(binding) ||
              std::find(hostnames.begin(), hostnames.end(), hostname) == hostnames.end())
            continue;
          for (std::size_t o = 0; o < others.rules.size(); ++o)
            for (const auto& its : others.rules[o].matches)
              if (equal_matches(match, its))
                best = std::min(best, Rank{other->created, other->id, o});
        }
        reached |= best == own;
        winners.push_back(best);
      }
    if (!reached && !winners.empty())
      shadowed.push_back({r, std::get<1>(winners[0]), std::get<2>(winners[0])});
  }
  return shadowed;
}

} // namespace

TEST_CASE("a rule that an older route says too is shadowed, until that one goes") {
  Shadows shadows;
  CHECK(shadows.set(route("old", {{{.path = "/a"}}}, {}, 1)).empty());
  CHECK(shadows.set(route("new", {{{.path = "/b"}}, {{.path = "/a/"}}}, {}, 2)).empty());
  CHECK(shadows.of("old").empty());
  CHECK(shadows.of("new") == Texts{"1 by old 0"});
  CHECK(shadows.of("unknown").empty());
  // One that is older still takes over from both.
  CHECK(shadows.set(route("oldest", {{{.path = "/x"}}, {{.path = "/a"}}}, {}, 0)) ==
        Texts{"http/new", "http/old"});
  CHECK(shadows.of("old") == Texts{"0 by oldest 1"});
  CHECK(shadows.of("new") == Texts{"1 by oldest 1"});
  CHECK(shadows.remove("oldest") == Texts{"http/new", "http/old"});
  CHECK(shadows.remove("old") == Texts{"http/new"});
  CHECK(shadows.of("new").empty());
  CHECK(shadows.remove("old").empty());
  CHECK(shadows.of("old").empty());
}

TEST_CASE("routes of one age shadow by id, and a route its own later rules") {
  Shadows shadows;
  shadows.set(route("b", {{{.path = "/a"}}, {{.path = "/a"}, {.path = "/a"}}, {{.path = "/a"}}}));
  CHECK(shadows.of("b") == Texts{"1 by b 0", "2 by b 0"});
  CHECK(shadows.set(route("a", {{{.path = "/a"}}})) == Texts{"http/b"});
  CHECK(shadows.of("b") == Texts{"0 by a 0", "1 by a 0", "2 by a 0"});
  CHECK(shadows.of("a").empty());
  CHECK(shadows.set(route("c", {{{.path = "/a"}}})).empty()); // Nobody's answer changes.
  CHECK(shadows.of("c") == Texts{"0 by a 0"});
}

TEST_CASE("a rule is shadowed only if all of its matches under all of its hostnames are") {
  Shadows shadows;
  shadows.set(route("old", {{{.path = "/a"}}, {{.path = "/b"}}}, {"a.com", "*.b.com"}, 1));
  shadows.set(route("more", {{{.path = "/a"}, {.path = "/c"}}}, {"a.com"}, 2));
  shadows.set(route("hosts", {{{.path = "/a"}}}, {"a.com", "c.com"}, 3));
  shadows.set(route("every", {{{.path = "/a"}}}, {}, 4));
  shadows.set(route("all", {{{.path = "/b"}, {.path = "/a"}}}, {"*.b.com", "a.com"}, 5));
  CHECK(shadows.of("more").empty());
  CHECK(shadows.of("hosts").empty());
  CHECK(shadows.of("every").empty()); // Broader, not equal: other hosts reach it.
  CHECK(shadows.of("all") == Texts{"0 by old 1"});
}

TEST_CASE("matches are equal by what they mean, not by how they are written") {
  const Match full{.path_type = PathType::exact,
                   .path = "/a",
                   .method = "GET",
                   .headers = {{ValueType::exact, "x", "1"}, {ValueType::regex, "y", "2"}},
                   .query = {{ValueType::exact, "q", "3"}}};
  const auto shadowed = [&](auto edit) {
    Shadows shadows;
    auto other = full;
    edit(other);
    shadows.set(route("old", {{full}}, {}, 1));
    shadows.set(route("new", {{other}}, {}, 2));
    return !shadows.of("new").empty();
  };
  CHECK(shadowed([](Match&) {}));
  CHECK(shadowed([](Match& m) { std::swap(m.headers[0], m.headers[1]); }));
  CHECK(shadowed([](Match& m) { m.headers[0].name = "X"; }));
  CHECK(shadowed([](Match& m) { m.headers.push_back({ValueType::exact, "x", "said before"}); }));
  CHECK_FALSE(shadowed([](Match& m) { m.path = "/a/"; })); // Exact paths are.
  CHECK_FALSE(shadowed([](Match& m) { m.path_type = PathType::prefix; }));
  CHECK_FALSE(shadowed([](Match& m) { m.method = ""; }));
  CHECK_FALSE(shadowed([](Match& m) { m.headers.pop_back(); }));
  CHECK_FALSE(shadowed([](Match& m) { m.headers[0].value = "2"; }));
  CHECK_FALSE(shadowed([](Match& m) { m.headers[0].type = ValueType::regex; }));
  CHECK_FALSE(shadowed([](Match& m) { m.query[0].name = "Q"; }));
}

TEST_CASE("listeners do not shadow each other's routes, and other kinds shadow as wholes") {
  ShadowIndex index;
  index.change("one/a", route("a", {{{.path = "/"}}}, {}, 1));
  index.change("two/b", route("b", {{{.path = "/"}}}, {}, 2));
  CHECK(index.shadowed("two/b").empty());

  const auto bound = [](const char* id, auto other, int created) {
    return std::make_shared<BoundRoute>(BoundRoute{id, WallTime{Millis{created}}, other});
  };
  index.change("tcp/a", bound("a", TcpRoute{}, 2));
  CHECK(index.change("tcp/b", bound("b", TcpRoute{}, 1)) == Texts{"tcp/a"});
  CHECK(index.shadowed("tcp/a") == std::vector<ShadowedRule>{{0, "b", 0}});
  index.change("udp/a", bound("a", UdpRoute{}, 1));
  index.change("udp/b", bound("b", UdpRoute{}, 1));
  CHECK(index.shadowed("udp/b") == std::vector<ShadowedRule>{{0, "a", 0}});
  index.change("tls/a", bound("a", TlsRoute{{"a.com", "b.com"}, {}}, 1));
  index.change("tls/b", bound("b", TlsRoute{{"b.com"}, {}}, 2));
  index.change("tls/c", bound("c", TlsRoute{{"b.com", "c.com"}, {}}, 3));
  CHECK(index.shadowed("tls/b") == std::vector<ShadowedRule>{{0, "a", 0}});
  CHECK(index.shadowed("tls/c").empty());
}

TEST_CASE("the index knows what a scan of all routes knows, and tells whose answer changes") {
  std::size_t shadowed = 0;
  std::size_t affected = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    std::mt19937_64 random{seed};
    RandomConfig make{[&](std::size_t limit) { return random() % limit; }};
    std::vector<Match> matches; // Few, so that they meet.
    for (int i = 0; i < 5; ++i)
      matches.push_back(make.match());
    Routes routes;
    ShadowIndex index;
    std::map<std::string, std::vector<ShadowedRule>> answers;
    for (int step = 0; step < 60; ++step) {
      const auto id = "HTTPRoute default/" + std::to_string(make.below(12));
      const auto binding = binding_key(make.one_of({"http", "https"}), id);
      std::shared_ptr<const BoundRoute> changed;
      if (!make.chance(4)) {
        auto http = make.http_route();
        for (auto& rule : http.rules)
          for (auto& match : rule.matches)
            match = matches[make.below(matches.size())];
        changed = std::make_shared<BoundRoute>(
            BoundRoute{id, WallTime{Millis{make.below(3)}}, std::move(http)});
        routes[binding] = changed;
      } else {
        routes.erase(binding);
      }
      const auto told = index.change(binding, changed);
      affected += told.size();
      for (const auto& [key, bound] : routes) {
        INFO("seed " << seed << " step " << step << " " << key);
        auto now = index.shadowed(key);
        REQUIRE(now == scan(routes, key));
        shadowed += now.size();
        if (key != binding && now != answers[key])
          REQUIRE(std::find(told.begin(), told.end(), key) != told.end());
        answers[key] = std::move(now);
      }
      answers.erase(routes.contains(binding) ? "" : binding);
    }
    // A shadowed rule is one that no request falls under.
    HttpTable table;
    CopyCost cost;
    for (const auto& [key, bound] : routes)
      if (listener_of(key) == "http")
        table = table.with(*compile(bound), cost);
    for (int step = 0; step < 200; ++step) {
      auto request = make.request();
      const auto rule = table.match(request.view());
      if (!rule)
        continue;
      const auto& rules = std::get<HttpRoute>(rule.route->route).rules;
      const auto place = static_cast<std::size_t>(rule.rule - rules.data());
      for (const auto& hidden : index.shadowed(binding_key("http", rule.route->id)))
        REQUIRE(hidden.rule != place);
    }
  }
  CHECK(shadowed > 3000);
  CHECK(affected > 300);
}

TEST_CASE("a change looks at as few places among ten thousand routes as among ten") {
  const auto places = [](std::size_t routes) {
    Shadows shadows;
    const auto numbered = [](std::size_t number) {
      // All at one path: only a header tells them apart.
      return route(std::to_string(number),
                   {{{.path = "/", .headers = {{ValueType::exact, "x", std::to_string(number)}}}},
                    {{.path = "/shared", .method = "GET"}}},
                   {"a.com"}, static_cast<int>(number));
    };
    for (std::size_t i = 0; i < routes; ++i)
      shadows.set(numbered(i));
    const auto before = shadows.index.counters();
    CHECK(shadows.set(numbered(routes - 1)).empty());
    CHECK(shadows.of(std::to_string(routes - 1)) == Texts{"1 by 0 1"});
    CHECK(shadows.remove(std::to_string(routes - 1)).empty());
    const auto after = shadows.index.counters();
    return std::pair{after.places - before.places, after.claims - before.claims};
  };
  CHECK(places(10) == places(10000));
  CHECK(places(10000).second == 0);
}
