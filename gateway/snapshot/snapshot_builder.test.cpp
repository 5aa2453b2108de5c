#include "gateway/snapshot/test_builder.hpp"

using namespace strait;
using namespace strait::gateway;
using namespace strait::gateway::test;

namespace {

std::string rule_at(const SnapshotPtr& snapshot, std::uint16_t port, std::string_view host,
                    std::string_view path = "/") {
  auto* table = snapshot->ports.find(port);
  if (!table)
    return "no port";
  auto* found = (*table)->find(host);
  if (!found)
    return "no listener";
  auto rule = match(*found, {"GET", host, path, "", {}});
  return rule ? found->listener->name + " " + rule.route->id : found->listener->name + " none";
}

} // namespace

TEST_CASE("listeners on one port are chosen by hostname, and only the chosen one's routes count") {
  Built built;
  built.set(listener("any", 80, Protocol::http))
      .set(listener("wild", 80, Protocol::http, "*.a.com"))
      .set(listener("wilder", 80, Protocol::http, "*.com"))
      .set(listener("exact", 80, Protocol::http, "b.a.com"))
      .set("any", http("1"))
      .set("wild", http("2"))
      .set("wilder", http("3"))
      .set("exact", http("4", {.path = "/only"}));
  auto snapshot = built.apply();
  CHECK(built.errors().empty());
  CHECK(rule_at(snapshot, 80, "b.a.com", "/only") == "exact 4");
  CHECK(rule_at(snapshot, 80, "b.a.com") == "exact none");
  CHECK(rule_at(snapshot, 80, "c.a.com") == "wild 2");
  CHECK(rule_at(snapshot, 80, "c.b.a.com") == "wild 2");
  CHECK(rule_at(snapshot, 80, "a.com") == "wilder 3");
  CHECK(rule_at(snapshot, 80, "com") == "any 1");
  CHECK(rule_at(snapshot, 80, "") == "any 1");
  CHECK(rule_at(snapshot, 81, "") == "no port");
}

TEST_CASE("an old snapshot stays as it was when the next ones are built") {
  Built built;
  built.set(listener("http", 80, Protocol::http)).set("http", http("a")).apply();
  auto old = built.builder.current();
  built.delta.routes.emplace_back("http/a", nullptr);
  built.delta.clusters.emplace_back("web", std::make_shared<Cluster>(Cluster{.id = "web"}));
  auto now = built.apply();
  CHECK(rule_at(old, 80, "h") == "http a");
  CHECK(rule_at(now, 80, "h") == "http none");
  CHECK_FALSE(old->cluster("web"));
  CHECK(now->cluster("web"));
  CHECK(old->epoch() == 1);
  CHECK(now->epoch() == 2);
}

TEST_CASE("a route that cannot be served is left out alone until it is mended") {
  Built built;
  built.set(listener("http", 80, Protocol::http))
      .set("http", http("good", {.path = "/good"}))
      .set("http", http("bad", {.path_type = PathType::regex, .path = "("}))
      .set("nowhere", http("lost"));
  auto snapshot = built.apply();
  CHECK(rule_at(snapshot, 80, "h", "/good") == "http good");
  CHECK_THAT(built.errors(), Catch::Contains("bad: rules[0].matches[0].path"));
  CHECK_THAT(built.errors(), Catch::Contains("lost: listener 'nowhere' does not exist"));
  snapshot = built.set("http", http("bad", {.path = "/mended"}))
                 .set(listener("nowhere", 81, Protocol::http))
                 .apply();
  CHECK(built.errors().empty());
  CHECK(rule_at(snapshot, 80, "h", "/mended") == "http bad");
  CHECK(rule_at(snapshot, 81, "h") == "nowhere lost");
}

TEST_CASE("a rule whose filter means nothing leaves out its route alone") {
  Built built;
  auto mirrored = http("mirrored");
  std::get<HttpRoute>(mirrored->route).rules[0].mirrors = {{"copy", 1, 2}, {"copy", 1, 0}};
  auto redirected = http("redirected");
  std::get<HttpRoute>(redirected->route).rules[0].redirect = Redirect{.status = 200};
  built.set(listener("http", 80, Protocol::http))
      .set("http", http("good", {.path = "/good"}))
      .set("http", mirrored)
      .set("http", redirected);
  auto snapshot = built.apply();
  CHECK(rule_at(snapshot, 80, "h", "/good") == "http good");
  CHECK(rule_at(snapshot, 80, "h", "/other") == "http none");
  CHECK(built.errors() == "mirrored: rules[0].mirrors[1]: 1/0 is no share\n"
                          "redirected: rules[0].redirect.status: 200 must be 300..399\n");
}

TEST_CASE("a route of the wrong kind or under a wrong key is left out") {
  Built built;
  built.set(listener("http", 80, Protocol::http))
      .set(listener("tcp", 81, Protocol::tcp))
      .set(listener("peers", 82, Protocol::peering))
      .set("http", tcp("1", 0))
      .set("tcp", http("2"))
      .set("peers", http("3"))
      .set(listener("tls", 83, Protocol::tls))
      .set(listener("udp", 84, Protocol::udp))
      .set("tls", udp("4", 0))
      .set("udp", tls("5", {"a.com"}))
      .set("tls", http("6"));
  built.delta.routes.emplace_back("http/other", http("id"));
  built.apply();
  CHECK(built.builder.errors().size() == 7);
  CHECK_THAT(built.errors(), Catch::Contains("4: listener 'tls' takes TLS routes only"));
  CHECK_THAT(built.errors(), Catch::Contains("5: listener 'udp' takes UDP routes only"));
  CHECK_THAT(built.errors(), Catch::Contains("6: listener 'tls' takes TLS routes only"));
  CHECK_THAT(built.errors(), Catch::Contains("1: listener 'http' takes HTTP routes only"));
  CHECK_THAT(built.errors(), Catch::Contains("2: listener 'tcp' takes TCP routes only"));
  CHECK_THAT(built.errors(), Catch::Contains("3: listener 'peers' takes no routes"));
  CHECK_THAT(built.errors(), Catch::Contains("route 'http/other'"));
}

TEST_CASE("the first listener by name has a port when others conflict, and the next follows it") {
  Built built;
  built.set(listener("b", 80, Protocol::tcp))
      .set(listener("a", 80, Protocol::http, "x.com"))
      .set(listener("c", 80, Protocol::http, "x.com"))
      .set(listener("d", 80, Protocol::http, "y.com"))
      .set(listener("zero", 0, Protocol::http))
      .set(listener("star", 90, Protocol::http, "*"))
      .set("a", http("ra"))
      .set("c", http("rc"));
  auto snapshot = built.apply();
  CHECK(rule_at(snapshot, 80, "x.com") == "a ra");
  CHECK(rule_at(snapshot, 80, "y.com") == "d none");
  CHECK(rule_at(snapshot, 90, "h") == "no port");
  CHECK(built.builder.errors().size() == 4);
  CHECK_THAT(built.errors(),
             Catch::Contains("listener 'b': protocol: port 80 already speaks HTTP"));
  CHECK_THAT(built.errors(), Catch::Contains("listener 'c': hostname"));
  CHECK_THAT(built.errors(), Catch::Contains("listener 'zero': port"));
  CHECK_THAT(built.errors(), Catch::Contains("listener 'star': hostname"));

  built.set("c", http("rc2", {.path = "/c"})); // Kept ready while it is left out.
  built.apply();
  built.delta.listeners.emplace_back("a", nullptr);
  built.delta.routes.emplace_back("a/ra", nullptr);
  built.delta.listeners.emplace_back("b", nullptr);
  snapshot = built.apply();
  CHECK(rule_at(snapshot, 80, "x.com") == "c rc");
  CHECK(rule_at(snapshot, 80, "x.com", "/c") == "c rc2");
}

TEST_CASE("a listener that moves or changes its hostname keeps its routes uncompiled") {
  Built built;
  built.set(listener("http", 80, Protocol::http)).set("http", http("a")).apply();
  auto compiled = built.builder.counters().routes_compiled;
  auto snapshot = built.set(listener("http", 8080, Protocol::https, "x.com")).apply();
  CHECK(rule_at(snapshot, 80, "x.com") == "no port");
  CHECK(rule_at(snapshot, 8080, "x.com") == "http a");
  CHECK(rule_at(snapshot, 8080, "y.com") == "no listener");
  CHECK(built.builder.counters().routes_compiled == compiled);

  snapshot = built.set(listener("http", 8080, Protocol::tcp)).apply();
  CHECK(built.builder.errors().size() == 1);
  snapshot = built.set(listener("http", 8080, Protocol::http)).apply();
  CHECK(built.builder.errors().empty());
  CHECK(rule_at(snapshot, 8080, "y.com") == "http a");
}

TEST_CASE("the oldest TCP route owns its listener") {
  Built built;
  built.set(listener("tcp", 90, Protocol::tcp))
      .set("tcp", tcp("younger", 2))
      .set("tcp", tcp("b", 1))
      .set("tcp", tcp("a", 1));
  auto owner = [](const SnapshotPtr& snapshot) {
    auto* table = (*snapshot->ports.find(90))->find("");
    return table->tcp ? table->tcp->id : "none";
  };
  CHECK(owner(built.apply()) == "a");
  built.delta.routes.emplace_back("tcp/a", nullptr);
  CHECK(owner(built.apply()) == "b");
  built.delta.routes.emplace_back("tcp/b", nullptr);
  built.delta.routes.emplace_back("tcp/younger", nullptr);
  CHECK(owner(built.apply()) == "none");
}

TEST_CASE("a delta that starts elsewhere is refused and changes nothing") {
  Built built;
  built.set(listener("http", 80, Protocol::http)).apply();
  auto before = built.builder.current();
  auto refused = built.builder.apply({.from = 7, .epoch = 8});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::conflict);
  CHECK(built.builder.current() == before);
  SnapshotBuilder fresh;
  CHECK_FALSE(fresh.apply({.from = 1, .epoch = 2}));
  CHECK_FALSE(fresh.current());
}

TEST_CASE("hostnames cover hosts as Gateway API says") {
  CHECK(hostname_covers("", "a.com"));
  CHECK(hostname_covers("a.com", "a.com"));
  CHECK_FALSE(hostname_covers("a.com", "b.a.com"));
  CHECK(hostname_covers("*.a.com", "b.a.com"));
  CHECK(hostname_covers("*.a.com", "c.b.a.com"));
  CHECK_FALSE(hostname_covers("*.a.com", "a.com"));
  CHECK_FALSE(hostname_covers("*.a.com", "xa.com"));
  CHECK_FALSE(hostname_covers("*.a.com", ".a.com"));
}
