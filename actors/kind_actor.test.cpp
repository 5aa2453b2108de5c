#include "actors/kind_actor.hpp"

#include "actors/kubernetes_fixture.test.hpp"

using namespace strait;
using namespace strait::actors;
using model::Kind;

namespace {

const std::string classes = "/apis/gateway.networking.k8s.io/v1/gatewayclasses";
const std::string secrets = "/api/v1/namespaces/shop/secrets";

struct MirroredKind : test::KubernetesFixture {
  ~MirroredKind() {
    if (actor)
      end(actor);
  }
  KindActorOptions options(Kind kind) {
    KindActorOptions out;
    out.client = client;
    auto kinds = kubernetes::server_kinds();
    out.kind =
        &*std::find_if(kinds.begin(), kinds.end(), [&](auto& it) { return it.kind == kind; });
    out.catalog = catalog;
    out.title = "tested";
    out.synced = [this](const std::string& title) {
      CHECK(title == "tested");
      ++synced;
    };
    return out;
  }
  void start(KindActorOptions with) {
    actor = run.system.spawn(kind_actor, std::move(with));
    caf::anon_send(actor, serve_atom::value, "v1");
  }
  void put_class(const std::string& name, const std::string& controller) {
    server.put(classes + "/" + name,
               fmt::format(R"({{"apiVersion":"gateway.networking.k8s.io/v1",)"
                           R"("kind":"GatewayClass","metadata":{{"name":"{}"}},)"
                           R"("spec":{{"controllerName":{}}}}})",
                           name, controller));
  }
  /// The classes in the catalog with their controllers.
  std::map<std::string, std::string> have() {
    std::map<std::string, std::string> out;
    auto now_there = view();
    for (auto& [name, record] : now_there->table<model::GatewayClass>())
      out[name.name] = record->value.controller_name;
    return out;
  }
  bool comes_to_have(const std::map<std::string, std::string>& wanted) {
    return until([&] { return have() == wanted; });
  }

  int synced = 0;
  KindActor actor;
};

using Classes = std::map<std::string, std::string>;

} // namespace

TEST_CASE("the catalog has what the server lists, and follows what comes, changes and goes") {
  MirroredKind it;
  it.put_class("a", R"("example.com/a")");
  it.put_class("b", R"("example.com/b")");
  it.start(it.options(Kind::gateway_class));
  REQUIRE(it.comes_to_have({{"a", "example.com/a"}, {"b", "example.com/b"}}));
  REQUIRE(it.until([&] { return it.synced == 1 && it.server.watches(classes) == 1; }));
  it.put_class("c", R"("example.com/c")");
  it.put_class("b", R"("example.com/other")");
  it.server.remove(classes + "/a");
  REQUIRE(it.comes_to_have({{"b", "example.com/other"}, {"c", "example.com/c"}}));
  CHECK(it.synced == 1);
  CHECK(it.server.count_asked("GET", classes) == 2); // One list, one watch.
}

TEST_CASE("a history that the server has forgotten is made good by a new list") {
  MirroredKind it;
  it.put_class("a", R"("example.com/a")");
  it.put_class("b", R"("example.com/b")");
  it.start(it.options(Kind::gateway_class));
  REQUIRE(it.until([&] { return it.server.watches(classes) == 1; }));
  it.server.remove(classes + "/a", true);
  it.quiet();
  CHECK(it.have().contains("a"));
  it.server.expire(classes);
  REQUIRE(it.comes_to_have({{"b", "example.com/b"}}));
  CHECK(it.synced == 1);
}

TEST_CASE("what went while nobody looked goes at the next start") {
  MirroredKind it;
  it.put_class("a", R"("example.com/a")");
  it.put_class("b", R"("example.com/b")");
  it.start(it.options(Kind::gateway_class));
  REQUIRE(it.until([&] { return it.synced == 1 && it.have().size() == 2; }));
  it.put(model::GatewayClass{.meta = {.name = {"", "local"}}, .controller_name = "example.com/l"});
  it.end(it.actor);
  it.quiet();
  it.server.remove(classes + "/a");
  it.start(it.options(Kind::gateway_class));
  // What was written here is not the server's to take away.
  REQUIRE(it.comes_to_have({{"b", "example.com/b"}, {"local", "example.com/l"}}));
}

TEST_CASE("a kind that the server has no more takes its objects along, and may come back") {
  MirroredKind it;
  it.put_class("a", R"("example.com/a")");
  it.start(it.options(Kind::gateway_class));
  REQUIRE(it.comes_to_have({{"a", "example.com/a"}}));
  caf::anon_send(it.actor, vanish_atom::value);
  REQUIRE(it.comes_to_have({}));
  caf::anon_send(it.actor, serve_atom::value, "v1");
  REQUIRE(it.comes_to_have({{"a", "example.com/a"}}));
}

TEST_CASE("the last good version of an object that cannot be read stays") {
  MirroredKind it;
  it.put_class("a", R"("example.com/a")");
  it.put_class("broken", "7");
  it.start(it.options(Kind::gateway_class));
  REQUIRE(it.until([&] { return it.synced == 1; }));
  REQUIRE(it.comes_to_have({{"a", "example.com/a"}}));
  it.put_class("a", "7");
  it.put_class("last", R"("example.com/last")");
  REQUIRE(it.comes_to_have({{"a", "example.com/a"}, {"last", "example.com/last"}}));
  it.put_class("a", R"("example.com/mended")");
  REQUIRE(it.until([&] { return it.have()["a"] == "example.com/mended"; }));
}

TEST_CASE("one object that is referred to is read alone, and ends with the reference") {
  MirroredKind it;
  for (auto name : {"wanted", "other"})
    it.server.put(secrets + "/" + name,
                  fmt::format(R"({{"apiVersion":"v1","kind":"Secret","metadata":{{"name":"{}",)"
                              R"("namespace":"shop"}},"data":{{"a":"Yg=="}}}})",
                              name));
  auto options = it.options(Kind::secret);
  options.only = model::Name{"shop", "wanted"};
  options.ends_when_vanished = true;
  it.start(options);
  auto count = [&] { return it.view()->table<model::Secret>().size(); };
  REQUIRE(it.until([&] { return it.synced == 1; }));
  REQUIRE(it.until([&] { return count() == 1; }));
  CHECK(it.view()->find<model::Secret>({"shop", "wanted"}) != nullptr);
  bool ended = false;
  it.actor->attach_functor([&] { ended = true; });
  caf::anon_send(it.actor, vanish_atom::value);
  REQUIRE(it.until([&] { return ended; }));
  CHECK(count() == 0);
}

TEST_CASE("more objects than are told ahead arrive, with few commands under way at a time") {
  MirroredKind it;
  constexpr int objects = 1'100; // More than two times what is told ahead.
  for (int i = 0; i < objects; ++i)
    it.put_class(fmt::format("c{}", i), R"("example.com/a")");
  auto options = it.options(Kind::gateway_class);
  options.commands_in_flight_max = 2;
  it.start(options);
  REQUIRE(it.until([&] { return it.synced == 1; }));
  CHECK(it.have().size() == objects);
}
