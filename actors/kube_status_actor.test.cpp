#include "actors/kube_status_actor.hpp"

#include "actors/actor_fixture.test.hpp"
#include "gateway/resolve/resolve.hpp"
#include "kubernetes/status_patch.hpp"
#include "storage/store.hpp"

#include <deque>

using namespace strait;
using namespace strait::actors;
using namespace std::chrono_literals;
using kubernetes::Node;
using model::Kind;
using model::ObjectKey;

namespace {

/// An API server that keeps objects and answers when it is told to.
class FakeApi final : public kubernetes::Client {
public:
  void request(kubernetes::Request request, Callback callback) override {
    waiting.emplace_back(std::move(request), std::move(callback));
    most_waiting = std::max(most_waiting, waiting.size());
  }
  std::unique_ptr<kubernetes::WatchHandle> watch(kubernetes::Request,
                                                 kubernetes::WatchCallbacks) override {
    throw std::logic_error("not watched here");
  }
  void close() override {}
  net::EventLoop& loop() override { throw std::logic_error("no loop here"); }
  const std::string& server() const override { return name; }

  /// Answers what waits now. True if there was something.
  bool answer() {
    auto now = std::exchange(waiting, {});
    for (auto& [request, callback] : now)
      callback(failing ? kubernetes::Response{500, "{}", {}} : carry_out(request));
    return !now.empty();
  }
  std::string put(const std::string& path, const std::string& status) {
    auto version = std::to_string(++revision);
    objects[path] = fmt::format(R"({{"metadata":{{"name":"x","namespace":"shop","uid":"u",)"
                                R"("resourceVersion":"{}"}},"status":{}}})",
                                version, status);
    return version;
  }
  Node object(const std::string& path) const {
    return *kubernetes::parse_json(objects.at(path), "");
  }

  std::deque<std::pair<kubernetes::Request, Callback>> waiting;
  std::map<std::string, std::string> objects;
  std::size_t most_waiting = 0, writes = 0, conflicts = 0;
  std::uint64_t revision = 40;
  bool failing = false;
  std::string name = "fake";

private:
  static Node& member(Node& map, std::string_view key) {
    for (auto& it : std::get<Node::Map>(map.value))
      if (it.key == key)
        return it.value;
    return std::get<Node::Map>(map.value)
        .emplace_back(kubernetes::Member{std::string{key}, {}})
        .value;
  }
  kubernetes::Response carry_out(const kubernetes::Request& request) {
    auto path = request.path.substr(0, request.path.find("/status"));
    if (!objects.contains(path))
      return {404, "{}", {}};
    if (request.method == "GET")
      return {200, objects[path], {}};
    auto now = object(path);
    auto patch = *kubernetes::parse_json(request.body, "");
    if (text_at(patch, {"metadata", "resourceVersion"}) !=
        text_at(now, {"metadata", "resourceVersion"})) {
      ++conflicts;
      return {409, "{}", {}};
    }
    ++writes;
    auto& meta = member(now, "metadata");
    member(meta, "resourceVersion").value = std::to_string(++revision);
    if (auto* finalizers = node_at(patch, {"metadata", "finalizers"}))
      member(meta, "finalizers") = *finalizers;
    if (auto* status = patch.find("status"))
      for (auto& [key, value] : std::get<Node::Map>(status->value))
        member(member(now, "status"), key) = value;
    objects[path] = write_json(now, 0);
    return {200, objects[path], {}};
  }
};

struct Fixture {
  Fixture() {
    KubeStatusOptions options;
    options.client = api;
    options.catalog = catalog;
    actor = run.system.spawn(kube_status_actor, options);
    run.settle();
  }
  ~Fixture() {
    for (auto& it : {caf::actor_cast<caf::actor>(actor), caf::actor_cast<caf::actor>(catalog),
                     caf::actor_cast<caf::actor>(storage)})
      caf::anon_send_exit(it, caf::exit_reason::user_shutdown);
    run.settle();
  }
  template <class Message>
  void apply(Message command) {
    auto applied =
        run.ask<Applied>(catalog, apply_atom::value, catalog::Command{std::move(command)});
    REQUIRE(applied.revision);
  }
  void gateway(const std::string& name) {
    apply(
        catalog::Put{model::Gateway{.meta = {.name = {"shop", name}}, .class_name = "strait"}, {}});
  }
  void report(const ObjectKey& key, bool accepted) {
    model::ObjectStatus status{.object = key};
    std::vector<model::Condition> conditions{{.type = model::ConditionType::accepted,
                                              .status = accepted,
                                              .reason = model::Reason::accepted,
                                              .observed_generation = 1}};
    if (gateway::resolve::is_route(key.kind))
      status.parents = {
          {.controller = std::string{model::strait_controller}, .conditions = conditions}};
    else
      status.conditions = conditions;
    apply(catalog::ReportStatus{status});
  }
  void seen(const ObjectKey& key, const std::string& path) {
    auto object = api->object(path);
    auto version = text_at(object, {"metadata", "resourceVersion"});
    caf::anon_send(actor, seen_atom::value,
                   SeenObject{key, path, version, std::make_shared<const Node>(object)});
    run.settle();
  }
  /// Until nothing is asked any more.
  void settle() {
    do {
      run.settle();
    } while (api->answer());
  }
  std::string status_of(const std::string& path, std::string_view type) const {
    auto object = api->object(path);
    auto* list = node_at(object, {"status", "conditions"});
    for (auto& it : list ? std::get<Node::List>(list->value) : Node::List{})
      if (text_at(it, {"type"}) == type)
        return text_at(it, {"status"});
    return "";
  }

  test::ActorFixture run;
  std::shared_ptr<FakeApi> api = std::make_shared<FakeApi>();
  StorageActor storage = run.system.spawn(storage_actor, OpenStore{[] {
                                            return Result<std::unique_ptr<storage::Store>>{
                                                storage::make_memory_store()};
                                          }});
  CatalogActor catalog = run.system.spawn(catalog_actor, storage, CatalogActorOptions{});
  KubeStatusActor actor;
};

const ObjectKey edge{Kind::gateway, {"shop", "edge"}};

} // namespace

TEST_CASE("only a leader writes, and only what the server does not say yet") {
  Fixture it;
  it.gateway("edge");
  it.report(edge, true);
  it.api->put("/edge", "{}");
  it.seen(edge, "/edge");
  it.settle();
  CHECK(it.api->writes == 0);
  caf::anon_send(it.actor, lead_atom::value, true);
  it.settle();
  CHECK(it.api->writes == 1);
  CHECK(it.status_of("/edge", "Accepted") == "True");
  it.seen(edge, "/edge"); // The watch tells of our own write.
  caf::anon_send(it.actor, lead_atom::value, true);
  it.settle();
  CHECK(it.api->writes == 1);
  it.report(edge, false);
  it.settle();
  CHECK(it.api->writes == 2);
  CHECK(it.status_of("/edge", "Accepted") == "False");
  caf::anon_send(it.actor, lead_atom::value, false);
  it.report(edge, true);
  it.settle();
  CHECK(it.api->writes == 2);
}

TEST_CASE("what another wrote meanwhile is read and kept") {
  Fixture it;
  caf::anon_send(it.actor, lead_atom::value, true);
  it.gateway("edge");
  it.api->put("/edge", "{}");
  it.seen(edge, "/edge");
  it.api->put("/edge", R"({"conditions":[{"type":"example.com/Audited","status":"True"}]})");
  it.report(edge, true);
  it.settle();
  CHECK(it.api->conflicts == 1);
  CHECK(it.api->writes == 1);
  CHECK(it.status_of("/edge", "Accepted") == "True");
  CHECK(it.status_of("/edge", "example.com/Audited") == "True");
}

TEST_CASE("a write that fails is tried again, later, with what is true then") {
  Fixture it;
  caf::anon_send(it.actor, lead_atom::value, true);
  it.gateway("edge");
  it.api->put("/edge", "{}");
  it.seen(edge, "/edge");
  it.api->failing = true;
  it.report(edge, false);
  it.settle();
  it.report(edge, true);
  it.settle();
  CHECK(it.api->writes == 0);
  it.api->failing = false;
  it.run.advance(500ms);
  it.settle();
  CHECK(it.api->writes == 1);
  CHECK(it.status_of("/edge", "Accepted") == "True");
}

TEST_CASE("many statuses are written a bounded number at a time, and all of them") {
  Fixture it;
  auto add = [&](const ObjectKey& key) {
    auto path = fmt::format("/{}/{}", to_string(key.kind), key.name.name);
    it.report(key, true);
    it.api->put(path, "{}");
    it.seen(key, path);
  };
  for (int i = 0; i < 30; ++i) {
    auto name = fmt::format("route{}", i);
    it.apply(catalog::Put{model::HttpRoute{.meta = {.name = {"shop", name}}}, {}});
    add({Kind::http_route, {"shop", name}});
  }
  for (int i = 0; i < 10; ++i) {
    auto name = fmt::format("gateway{}", i);
    it.gateway(name);
    add({Kind::gateway, {"shop", name}});
  }
  caf::anon_send(it.actor, lead_atom::value, true);
  it.run.settle();
  // Gateways do not wait for all the routes before them.
  KubeStatusOptions options;
  auto gateways = std::count_if(it.api->waiting.begin(), it.api->waiting.end(), [](auto& asked) {
    return asked.first.path.starts_with("/Gateway/");
  });
  CHECK(static_cast<std::size_t>(gateways) == options.other_writes_in_flight_max);
  it.settle();
  CHECK(it.api->writes == 40);
  CHECK(it.api->most_waiting ==
        options.route_writes_in_flight_max + options.other_writes_in_flight_max);
}

TEST_CASE("while a write is under way only the last of an object's statuses waits") {
  Fixture it;
  caf::anon_send(it.actor, lead_atom::value, true);
  it.gateway("edge");
  it.api->put("/edge", "{}");
  it.seen(edge, "/edge");
  for (int i = 0; i < 100; ++i) {
    it.report(edge, i % 2 == 1);
    it.run.settle();
  }
  CHECK(it.api->most_waiting == 1);
  it.settle();
  CHECK(it.api->writes == 2); // The first, and the last.
  CHECK(it.status_of("/edge", "Accepted") == "True");
}

TEST_CASE("a class has its finalizer while gateways use it, and says which CRDs there are") {
  Fixture it;
  ObjectKey strait{Kind::gateway_class, {"", "strait"}};
  caf::anon_send(it.actor, lead_atom::value, true);
  it.apply(catalog::Put{model::GatewayClass{.meta = {.name = strait.name}}, {}});
  model::ObjectStatus status{.object = strait};
  status.conditions = {{.type = model::ConditionType::supported_version,
                        .status = true,
                        .reason = model::Reason::supported_version}};
  it.apply(catalog::ReportStatus{status});
  it.api->put("/class", "{}");
  it.seen(strait, "/class");
  it.settle();
  CHECK(it.status_of("/class", "SupportedVersion") == "True");
  caf::anon_send(it.actor, seen_atom::value,
                 kubernetes::GatewayApi{{}, {{"gateways.gateway.networking.k8s.io", "v1.2.0"}}});
  it.settle();
  CHECK(it.status_of("/class", "SupportedVersion") == "False");
  auto finalizers = [&] {
    auto object = it.api->object("/class");
    auto* list = node_at(object, {"metadata", "finalizers"});
    return list ? std::get<Node::List>(list->value).size() : 0;
  };
  CHECK(finalizers() == 0);
  it.gateway("edge");
  it.settle();
  CHECK(finalizers() == 1);
  it.apply(catalog::Remove{edge, {}});
  it.settle();
  CHECK(finalizers() == 0);
}
