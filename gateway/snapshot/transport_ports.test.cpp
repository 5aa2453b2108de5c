#include "gateway/snapshot/test_builder.hpp"

using namespace strait;
using namespace strait::gateway;
using namespace strait::gateway::test;

namespace {

/// "LISTENER ROUTE" as a server name is answered on a port.
std::string choice(const SnapshotPtr& snapshot, std::uint16_t port, std::string_view name) {
  const auto* table = snapshot->ports.find(port);
  if (!table)
    return "no port";
  const auto chosen = find_tls(**table, name);
  if (!chosen.listener)
    return "no listener";
  return chosen.listener->listener->name + (chosen.bound ? " " + chosen.bound->id : " none");
}
Protocol protocol(const SnapshotPtr& snapshot, std::uint16_t port) {
  return (*snapshot->ports.find(port))->protocol;
}
bool misdirected(const SnapshotPtr& snapshot, std::string_view name, std::string_view host) {
  const auto& port = **snapshot->ports.find(443);
  return misdirected(port, *port.find(name), host);
}

} // namespace

TEST_CASE("a server name chooses the most specific listener and then its most specific route") {
  Built built;
  built.set(listener("any", 443, Protocol::tls))
      .set(listener("wild", 443, Protocol::tls, "*.a.com"))
      .set(listener("exact", 443, Protocol::tls, "b.a.com"))
      .set("any", tls("every", {}))
      .set("any", tls("com", {"*.com"}))
      .set("wild", tls("x", {"x.a.com"}))
      .set("wild", tls("deep", {"*.b.a.com", "y.a.com"}))
      .set("wild", tls("all", {"*.a.com"}));
  auto snapshot = built.apply();
  CHECK(built.errors().empty());
  CHECK(protocol(snapshot, 443) == Protocol::tls);
  CHECK(choice(snapshot, 443, "x.a.com") == "wild x");
  CHECK(choice(snapshot, 443, "y.a.com") == "wild deep");
  CHECK(choice(snapshot, 443, "z.b.a.com") == "wild deep");
  CHECK(choice(snapshot, 443, "z.a.com") == "wild all");
  // The chosen listener has no route for it; others are not asked.
  CHECK(choice(snapshot, 443, "b.a.com") == "exact none");
  CHECK(choice(snapshot, 443, "a.com") == "any com");
  CHECK(choice(snapshot, 443, "x.org") == "any every");
  CHECK(choice(snapshot, 443, "") == "any every");
  CHECK(choice(snapshot, 443, std::string(254, 'x') + ".com") == "any every");

  snapshot = built.remove("any", "every").apply();
  CHECK(choice(snapshot, 443, "x.org") == "any none");
  CHECK(choice(snapshot, 443, "") == "any none");
}

TEST_CASE("of TLS routes with one hostname the oldest serves, then the first by id") {
  Built built;
  built.set(listener("tls", 443, Protocol::tls))
      .set("tls", tls("younger", {"a.com"}, 2))
      .set("tls", tls("b", {"a.com", "b.com"}, 1))
      .set("tls", tls("a", {"a.com", "a.com"}, 1));
  CHECK(choice(built.apply(), 443, "a.com") == "tls a");
  CHECK(choice(built.remove("tls", "a").apply(), 443, "a.com") == "tls b");
  // A route that grows younger stands back, one that loses a hostname is gone from it.
  CHECK(choice(built.set("tls", tls("b", {"b.com"}, 1)).apply(), 443, "a.com") == "tls younger");
  CHECK(choice(built.builder.current(), 443, "b.com") == "tls b");
  auto old = built.builder.current();
  CHECK(choice(built.remove("tls", "younger").apply(), 443, "a.com") == "tls none");
  CHECK(choice(old, 443, "a.com") == "tls younger");
}

TEST_CASE("a TLS route whose hostname is none is left out alone until it is mended") {
  Built built;
  built.set(listener("tls", 443, Protocol::tls))
      .set("tls", tls("good", {"a.com"}))
      .set("tls", tls("bad", {"b.com", "*.*.com"}));
  CHECK(choice(built.apply(), 443, "b.com") == "tls none");
  CHECK(choice(built.builder.current(), 443, "a.com") == "tls good");
  CHECK_THAT(built.errors(), Catch::Contains("bad: hostname: '*.*.com' must be"));
  CHECK(choice(built.set("tls", tls("bad", {"b.com"})).apply(), 443, "b.com") == "tls bad");
  CHECK(built.errors().empty());
}

TEST_CASE("HTTPS and TLS listeners share a port by server name") {
  Built built;
  auto passed = listener("passed", 443, Protocol::tls, "p.a.com");
  passed->passthrough = true;
  built.set(listener("ended", 443, Protocol::tls, "t.a.com"))
      .set(passed)
      .set(listener("plain", 443, Protocol::http, "h.a.com"))
      .set("passed", tls("p", {"p.a.com"}))
      .set("ended", tls("t", {"t.a.com"}));
  auto snapshot = built.apply();
  CHECK(protocol(snapshot, 443) == Protocol::tls);
  CHECK((*snapshot->ports.find(443))->begins_with_tls());
  CHECK_THAT(built.errors(),
             Catch::Contains("listener 'plain': protocol: port 443 already speaks TLS"));
  CHECK(find_tls(**snapshot->ports.find(443), "p.a.com").listener->listener->passthrough);

  built.set(listener("web", 443, Protocol::https, "*.a.com")).set("web", http("w"));
  snapshot = built.apply();
  CHECK(protocol(snapshot, 443) == Protocol::https);
  CHECK(choice(snapshot, 443, "p.a.com") == "passed p");
  CHECK(choice(snapshot, 443, "t.a.com") == "ended t");
  CHECK(choice(snapshot, 443, "x.a.com") == "web none"); // HTTPS: requests are matched.
  const auto* web = (*snapshot->ports.find(443))->find("x.a.com");
  CHECK(web->listener->protocol == Protocol::https);
  CHECK(match(*web, {"GET", "x.a.com", "/", "", {}}).route->id == "w");

  // A hostname has one listener, whatever both speak; and the port is TLS again without HTTPS.
  snapshot = built.set(listener("zweb", 443, Protocol::https, "t.a.com")).apply();
  CHECK_THAT(built.errors(), Catch::Contains("listener 'zweb': hostname: port 443 already has"));
  built.delta.listeners = {{"web", nullptr}, {"zweb", nullptr}};
  built.remove("web", "w");
  CHECK(protocol(built.apply(), 443) == Protocol::tls);
}

TEST_CASE("a TLS listener that turns to passthrough or moves keeps its routes uncompiled") {
  Built built;
  built.set(listener("tls", 443, Protocol::tls)).set("tls", tls("a", {"a.com"})).apply();
  const auto compiled = built.builder.counters().routes_compiled;
  auto moved = listener("tls", 8443, Protocol::tls);
  moved->passthrough = true;
  CHECK(choice(built.set(moved).apply(), 8443, "a.com") == "tls a");
  CHECK(choice(built.builder.current(), 443, "a.com") == "no port");
  CHECK(built.builder.counters().routes_compiled == compiled);
  built.set(listener("tls", 8443, Protocol::https)).apply();
  CHECK_THAT(built.errors(), Catch::Contains("a: listener 'tls' takes HTTP routes only"));
  CHECK(choice(built.set(moved).apply(), 8443, "a.com") == "tls a");
}

TEST_CASE("a UDP port and a TCP port of one number do not meet, and the oldest UDP route serves") {
  Built built;
  built.set(listener("dns-tcp", 53, Protocol::tcp))
      .set(listener("dns-udp", 53, Protocol::udp))
      .set(listener("late", 53, Protocol::udp, "a.com"))
      .set("dns-tcp", tcp("t", 0))
      .set("dns-udp", udp("younger", 2))
      .set("dns-udp", udp("u", 1));
  auto snapshot = built.apply();
  const auto serves = [&] { return (*snapshot->udp_ports.find(53))->find("")->udp; };
  CHECK(built.builder.errors().size() == 1);
  CHECK_THAT(built.errors(),
             Catch::Contains("listener 'late': port: 53 already has a UDP listener"));
  CHECK((*snapshot->ports.find(53))->find("")->tcp->id == "t");
  CHECK((*snapshot->ports.find(53))->protocol == Protocol::tcp);
  CHECK((*snapshot->udp_ports.find(53))->protocol == Protocol::udp);
  CHECK(serves()->id == "u");

  snapshot = built.remove("dns-udp", "u").apply();
  CHECK(serves()->id == "younger");
  snapshot = built.remove("dns-udp", "younger").apply();
  CHECK_FALSE(serves());

  // From UDP to TCP: one map loses the port, the other wins it.
  built.delta.listeners = {{"dns-tcp", nullptr}, {"late", nullptr}};
  built.remove("dns-tcp", "t");
  snapshot = built.set(listener("dns-udp", 53, Protocol::tcp)).apply();
  CHECK(snapshot->udp_ports.empty());
  CHECK((*snapshot->ports.find(53))->find("")->listener->name == "dns-udp");
}

TEST_CASE("a request for another listener's host is misdirected, one that nobody covers is not") {
  // The listeners of the upstream conformance suite's test of 421.
  Built built;
  built.set(listener("any", 443, Protocol::https))
      .set(listener("second", 443, Protocol::https, "second-example.org"))
      .set(listener("wild", 443, Protocol::https, "*.wildcard.org"))
      .set(listener("very", 443, Protocol::https, "very.wildcard.org"));
  auto snapshot = built.apply();
  CHECK_FALSE(misdirected(snapshot, "example.org", "example.org"));
  CHECK(misdirected(snapshot, "example.org", "second-example.org"));
  CHECK_FALSE(misdirected(snapshot, "example.org", "unknown-example.org"));
  CHECK(misdirected(snapshot, "second-example.org", "example.org"));
  CHECK(misdirected(snapshot, "second-example.org", "unknown-example.org"));
  CHECK_FALSE(misdirected(snapshot, "second-example.org", "second-example.org"));
  CHECK_FALSE(misdirected(snapshot, "a.wildcard.org", "b.wildcard.org"));
  CHECK(misdirected(snapshot, "a.wildcard.org", "very.wildcard.org"));
  CHECK(misdirected(snapshot, "very.wildcard.org", "a.wildcard.org"));
  CHECK_FALSE(misdirected(snapshot, "", "unknown-example.org"));
  CHECK_FALSE(misdirected(snapshot, "second-example.org", ""));

  // Without a listener for every host nobody covers the unknown one.
  built.delta.listeners.emplace_back("any", nullptr);
  const auto before = snapshot;
  snapshot = built.apply();
  CHECK_FALSE(misdirected(snapshot, "second-example.org", "unknown-example.org"));
  CHECK(misdirected(snapshot, "second-example.org", "a.wildcard.org"));
  // A TLS listener's hosts are another listener's too; and the connection may be older than both.
  snapshot = built.set(listener("passed", 443, Protocol::tls, "p.org")).apply();
  const auto& port = **snapshot->ports.find(443);
  const auto& old = *(*before->ports.find(443))->find("second-example.org");
  CHECK(misdirected(port, old, "p.org"));
  CHECK_FALSE(misdirected(port, old, "second-example.org"));
}
