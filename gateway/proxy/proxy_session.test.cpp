#include "gateway/proxy/proxy_fixture.test.hpp"

#include <catch2/catch.hpp>

#include <set>

namespace strait::gateway::proxy::testing {

namespace {

using Backends = std::vector<std::shared_ptr<Backend>>;

Backends named(std::initializer_list<const char*> names) {
  Backends made;
  for (const auto* name : names)
    made.push_back(Backend::named(name));
  return made;
}

struct Sticky {
  explicit Sticky(SessionPersistence session, std::string key = "secret",
                  Backends serving = named({"a", "b", "c", "d"}))
      : backends{std::move(serving)}, world{{.workers = 1,
                                             .seed = 1,
                                             .session_key = std::move(key)}} {
    port = world.serve({backends[0]->endpoint(), backends[1]->endpoint()});
    world.cluster("other", {backends[2]->endpoint(), backends[3]->endpoint()});
    made = rule("/", {share("backend"), share("other")});
    made.session = std::move(session);
    apply();
  }
  void apply() { world.route("web", "HTTPRoute default/all", {{}, {made}}).apply(); }
  /// As the control plane hands them out.
  void keys(std::string lines) {
    world.certificate({"session-key", {}, std::move(lines)});
    apply();
  }
  Answer get_with(const std::string& field) {
    return ask(port, "GET / HTTP/1.1\r\nHost: a\r\n" + field + "\r\n");
  }

  Backends backends;
  World world;
  std::uint16_t port = 0;
  HttpRule made;
};

std::string cookie_of(const Answer& answer) {
  const auto field = answer.field("set-cookie");
  return "Cookie: z=1; " + field.substr(0, field.find(';')) + "\r\n";
}

} // namespace

TEST_CASE("requests with a session's cookie go to its endpoint, whatever the weights' turn") {
  Sticky sticky{{.name = "sticky"}};
  std::set<std::string> bodies;
  for (int client = 0; client < 4; ++client) {
    const auto first = sticky.get_with("");
    REQUIRE(first.field("set-cookie").ends_with("; Path=/; HttpOnly"));
    bodies.insert(first.body);
    for (int i = 0; i < 5; ++i) {
      const auto again = sticky.get_with(cookie_of(first));
      CHECK(again.body == first.body);
      CHECK(again.field("set-cookie").empty());
    }
  }
  CHECK(bodies.size() == 4); // The clients were spread over backends and endpoints.
  CHECK(sticky.world.counted(Counter::sessions_begun) == 4);
  CHECK(sticky.world.counted(Counter::sessions_kept) == 20);
}

TEST_CASE("a session goes by a header as well") {
  Sticky sticky{{.header = true, .name = "X-Session"}};
  const auto first = sticky.get_with("");
  const auto token = first.field("x-session");
  REQUIRE(token.size() == 32);
  for (int i = 0; i < 5; ++i)
    CHECK(sticky.get_with("x-session: " + token + "\r\n").body == first.body);
}

TEST_CASE("a session whose endpoint is gone or without weight begins anew; a token that lies too") {
  Sticky sticky{{.name = "sticky"}};
  const auto first = sticky.get_with("");
  SECTION("gone") {
    sticky.world.cluster("backend", {}).cluster("other", {sticky.backends[3]->endpoint()});
    if (first.body == "d")
      sticky.world.cluster("other", {sticky.backends[2]->endpoint()});
    sticky.made.backends = {share("other")};
    sticky.apply();
  }
  SECTION("without weight") {
    const bool in_backend = first.body == "a" || first.body == "b";
    sticky.made.backends = {share("backend", in_backend ? 0 : 1), share("other", in_backend)};
    sticky.apply();
  }
  const auto second = sticky.get_with(cookie_of(first));
  CHECK(second.body != first.body);
  CHECK_FALSE(second.field("set-cookie").empty());
  CHECK(sticky.get_with(cookie_of(second)).body == second.body);
  CHECK_FALSE(sticky.get_with("Cookie: sticky=" + std::string(32, 'A') + "\r\n")
                  .field("set-cookie")
                  .empty());
}

TEST_CASE("a session lasts as long as its rule says, and its cookie says it if it is to stay") {
  Sticky sticky{{.name = "sticky", .absolute_timeout = Millis{1}, .permanent = true}};
  const auto first = sticky.get_with("");
  CHECK(first.field("set-cookie").ends_with("; Max-Age=0"));
  Answer second;
  const auto until = now_instant() + Millis{10'000};
  do
    second = sticky.get_with(cookie_of(first));
  while (second.field("set-cookie").empty() && now_instant() < until);
  CHECK_FALSE(second.field("set-cookie").empty());
}

TEST_CASE("proxies that were given the same session key go on with each other's sessions") {
  Sticky here{{.header = true, .name = "x-session"}, "here"};
  Sticky there{{.header = true, .name = "x-session"}, "there", here.backends};
  const auto kept = [](Sticky& sticky, const Answer& first) {
    const auto field = "x-session: " + first.field("x-session") + "\r\n";
    const auto again = sticky.get_with(field);
    return again.status == 200 && again.body == first.body && again.field("x-session").empty();
  };
  // Their own keys are not the same.
  CHECK_FALSE(kept(there, here.get_with("")));
  here.keys("first\n");
  there.keys("first\n");
  const auto old = here.get_with("");
  REQUIRE(old.field("x-session").size() == 32);
  CHECK(kept(there, old));
  CHECK(kept(here, there.get_with("")));

  SECTION("after a rotation the former key verifies and the new one signs") {
    there.keys("second\nfirst\n");
    CHECK(kept(there, old));
    const auto young = there.get_with("");
    CHECK_FALSE(kept(here, young)); // It was not told of the new key yet.
    here.keys("second\n");
    CHECK(kept(here, young));
    CHECK_FALSE(kept(here, old)); // Its root is not trusted any more.
  }
  SECTION("without the key, each is on its own again") {
    here.world.config.certificates = {};
    here.apply();
    CHECK_FALSE(kept(here, old));
    CHECK(kept(here, here.get_with("")));
  }
}

} // namespace strait::gateway::proxy::testing
