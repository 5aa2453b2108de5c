#include "kubernetes/deployment.hpp"

#include "kubernetes/deployer.hpp"

#include <catch2/catch.hpp>

using namespace strait;
using namespace strait::kubernetes;

namespace {

const model::Name edge{"shop", "edge"};
const ObjectId service{"v1", "Service", edge}, account{"v1", "ServiceAccount", edge};

Node json(const std::string& text) { return parse_json(text, "test").value(); }

Node object(const ObjectId& id, const std::string& port = "80",
            const std::string& owner = "uid-1") {
  return json(R"({"apiVersion": "v1", "kind": ")" + id.kind + R"(", "metadata": {"name": "edge",
    "namespace": "shop", "labels": {"gateway.networking.k8s.io/gateway-name": "edge"},
    "ownerReferences": [{"uid": ")" +
              owner + R"(", "controller": true}]},
    "spec": {"ports": [{"port": )" +
              port + "}]}}");
}
/// As the server has it: with fields of its own.
Node served(const ObjectId& id, const std::string& port = "80",
            const std::string& owner = "uid-1") {
  auto out = write_json(object(id, port, owner), 0);
  out.insert(out.find(R"("port":)"), R"("nodePort": 30080, )");
  out.insert(out.find(R"("name":)"), R"("uid": "of-)" + id.kind + R"(", )");
  return json(out);
}
Item item(const Node& node) {
  return {edge, text_at(node, {"metadata", "uid"}), "1", std::make_shared<const Node>(node)};
}

/// Applies, looks and deletes of effects, in words; what was told.
std::vector<std::string> words(const Deployment::Effects& effects) {
  std::vector<std::string> out;
  for (auto& effect : effects)
    if (auto* it = std::get_if<Deployment::Look>(&effect))
      out.push_back("look " + it->id.kind);
    else if (auto* apply = std::get_if<Deployment::Apply>(&effect))
      out.push_back("apply " + apply->id.kind);
    else if (auto* removed = std::get_if<Deployment::Delete>(&effect))
      out.push_back("delete " + removed->id.kind + " " + removed->uid);
    else if (auto* told = std::get_if<Deployment::Told>(&effect))
      out.push_back("told " + (told->error ? told->error->detail : std::string{"fine"}));
  return out;
}
using Words = std::vector<std::string>;

struct World {
  Deployment deployment;
  Instant now{};

  Words want(std::vector<Node> objects) {
    return words(deployment.want(now, edge, "uid-1", std::move(objects)));
  }
  Words looked(const ObjectId& id, Result<std::optional<Node>> live) {
    return words(deployment.looked(now, id, std::move(live)));
  }
  Words applied(const ObjectId& id, Result<Node> live) {
    return words(deployment.applied(now, id, std::move(live)));
  }
  /// The Service is there, made by us.
  void make_service() {
    deployment.synced(now);
    CHECK(want({object(service)}) == Words{"look Service"});
    CHECK(looked(service, std::optional<Node>{}) == Words{"apply Service"});
    CHECK(applied(service, served(service)) == Words{"told fine"});
    CHECK(words(deployment.seen(now, service, item(served(service)))).empty());
  }
};

} // namespace

TEST_CASE("nothing is written before it is known what is there") {
  World it;
  CHECK(it.want({object(account), object(service)}).empty());
  CHECK(words(it.deployment.seen(it.now, service, item(served(service)))).empty());
  CHECK(words(it.deployment.synced(it.now)) == Words{"apply Service", "look ServiceAccount"});
  CHECK(it.deployment.in_flight() == 2);
}

TEST_CASE("an object that is as it was left is not written again") {
  World it;
  it.make_service();
  CHECK(it.want({object(service)}).empty());
  CHECK(words(it.deployment.tick(it.now + Millis{60'000})).empty());
}

TEST_CASE("a change of what is desired is written") {
  World it;
  it.make_service();
  CHECK(it.want({object(service, "81")}) == Words{"apply Service"});
  CHECK(it.want({object(service, "82")}).empty()); // One request at a time …
  CHECK(it.applied(service, served(service, "81")) == Words{"apply Service"}); // … and the latest.
  CHECK(it.applied(service, served(service, "82")).empty());
}

TEST_CASE("what somebody else changed in our fields is set right, and other fields are theirs") {
  World it;
  it.make_service();
  auto theirs = json([&] {
    auto text = write_json(served(service), 0);
    return text.insert(text.find(R"("port":)"), R"("appProtocol": "http", )");
  }());
  CHECK(words(it.deployment.seen(it.now, service, item(theirs))).empty());
  CHECK(words(it.deployment.seen(it.now, service, item(served(service, "8080")))) ==
        Words{"apply Service"});
}

TEST_CASE("an object that somebody deleted is made again") {
  World it;
  it.make_service();
  CHECK(words(it.deployment.gone(it.now, service)) == Words{"apply Service"});
}

TEST_CASE("what is not desired any more is removed, but not what is another's") {
  World it;
  it.make_service();
  CHECK(it.want({}) == Words{"delete Service of-Service"});
  CHECK(words(it.deployment.deleted(it.now, service, {})).empty());

  CHECK(words(it.deployment.seen(it.now, service, item(served(service, "80", "another")))).empty());
  CHECK(words(it.deployment.tick(it.now)).empty());
}

TEST_CASE("an object of the same name that is not the Gateway's is left alone, and that is told") {
  World it;
  it.deployment.synced(it.now);
  it.want({object(service)});
  auto foreign = it.looked(service, std::optional{served(service, "80", "another")});
  CHECK(foreign == Words{"told Service shop/edge: exists and does not belong to this Gateway; "
                         "rename or remove one of the two"});
  CHECK(words(it.deployment.tick(it.now + Millis{499})).empty());
  CHECK(words(it.deployment.tick(it.now + Millis{500})) == Words{"look Service"});
  it.now += Millis{500};
  CHECK(it.looked(service, std::optional<Node>{}) == Words{"apply Service"});
  CHECK(it.applied(service, served(service)) == Words{"told fine"});
}

TEST_CASE("the server's refusal is told, and tried again less and less often") {
  World it;
  it.deployment.synced(it.now);
  it.want({object(service)});
  it.looked(service, std::optional<Node>{});
  auto refuse = [&] { return it.applied(service, fail(Errc::invalid, "spec.ports: not so")); };
  CHECK(refuse() == Words{"told spec.ports: not so"});
  for (int i = 0; i < 10; ++i) {
    it.now += Millis{30'000};
    CHECK(words(it.deployment.tick(it.now)) == Words{"look Service"});
    CHECK(it.looked(service, std::optional<Node>{}) == Words{"apply Service"});
    CHECK(refuse().empty()); // Told already.
  }
  CHECK(words(it.deployment.tick(it.now + Millis{29'999})).empty());
  SECTION("but what is desired anew is tried at once") {
    CHECK(it.want({object(service, "81")}) == Words{"look Service"});
  }
}

TEST_CASE("a Gateway that cannot be deployed keeps what it has") {
  World it;
  it.make_service();
  CHECK(words(it.deployment.want(it.now, edge, "uid-1", fail(Errc::invalid, "annotation x"))) ==
        Words{"told annotation x"});
  CHECK(words(it.deployment.tick(it.now + Millis{60'000})).empty());
  CHECK(it.want({object(service)}) == Words{"told fine"});
}

TEST_CASE("a Gateway that is not ours any more loses its objects, one that is gone is forgotten") {
  World it;
  it.make_service();
  SECTION("withdrawn") {
    CHECK(words(it.deployment.withdraw(it.now, edge)) == Words{"delete Service of-Service"});
  }
  SECTION("gone") {
    it.deployment.forget(edge);
    CHECK(words(it.deployment.tick(it.now)).empty());
    CHECK(words(it.deployment.gone(it.now, service)).empty());
  }
}

TEST_CASE("no more requests than allowed are under way") {
  Deployment deployment{{.in_flight_max = 2}};
  deployment.synced({});
  std::vector<Node> objects;
  for (auto kind : {"Service", "ServiceAccount", "Secret", "ConfigMap"})
    objects.push_back(object({"v1", kind, edge}));
  CHECK(deployment.want({}, edge, "uid-1", objects).size() == 2);
  CHECK(deployment.in_flight() == 2);
  CHECK(deployment.tick({}).empty());
}
