// links: strait_api
#include "tests/integration/http_api_fixture.hpp"

using namespace strait;
using namespace std::chrono_literals;
using test::HttpApiFixture;

namespace {
std::string waiting(const std::string& path, catalog::Revision index, const std::string& wait) {
  return path + "?index=" + std::to_string(index) + "&wait=" + wait;
}
std::string index_in(const net::HttpResponse& response) {
  return std::string{response.fields.get("X-Consul-Index")};
}
} // namespace

TEST_CASE("a waiting query is answered by a change of its own service, not of another") {
  HttpApiFixture world;
  world.register_service("web");
  world.register_service("other");
  auto index = world.index_of("/v1/health/service/web");
  auto waiter = world.start(waiting("/v1/health/service/web", index, "5m"));
  CHECK(!waiter->response);

  world.register_service("other", "critical");
  world.register_service("third");
  CHECK(!waiter->response);

  world.register_service("web", "critical");
  REQUIRE(waiter->response);
  CHECK(std::stoull(index_in(*waiter->response)) > index);
  CHECK(waiter->response->body.find("\"Status\":\"critical\"") != std::string::npos);
}

TEST_CASE("a waiting query that nothing happens to is answered in time, with the same index") {
  HttpApiFixture world;
  world.register_service("web");
  auto index = world.index_of("/v1/catalog/service/web");
  auto waiter = world.start(waiting("/v1/catalog/service/web", index, "10s"));
  world.advance(9s);
  CHECK(!waiter->response);
  world.advance(1s);
  REQUIRE(waiter->response);
  CHECK(waiter->response->status == 200);
  CHECK(index_in(*waiter->response) == std::to_string(index));
}

TEST_CASE("an index of the past, or of none, is answered at once and is never 0") {
  HttpApiFixture world;
  CHECK(index_in(world.get("/v1/catalog/nodes")) == "1");
  world.register_service("web");
  CHECK(world.start("/v1/health/service/web?index=0&wait=5m")->response);
  world.register_service("web", "critical");
  CHECK(world.start("/v1/health/service/web?index=1&wait=5m")->response);
}

TEST_CASE("whoever waits for a service that is not there wakes when it comes, and when it goes") {
  HttpApiFixture world;
  world.register_service("other");
  auto index = world.index_of("/v1/health/service/web");
  auto waiter = world.start(waiting("/v1/health/service/web", index, "5m"));
  CHECK(!waiter->response);
  world.register_service("web");
  REQUIRE(waiter->response);
  CHECK(waiter->response->body.find("\"web\"") != std::string::npos);

  auto there = world.index_of("/v1/health/service/web");
  waiter = world.start(waiting("/v1/health/service/web", there, "5m"));
  world.put("/v1/catalog/deregister", R"({"Node":"n-web"})");
  REQUIRE(waiter->response);
  CHECK(waiter->response->body == "[]");
  CHECK(std::stoull(index_in(*waiter->response)) > there);
}

TEST_CASE("ten thousand waiters on one service are answered with one evaluation") {
  HttpApiFixture world;
  world.register_service("web");
  auto index = world.index_of("/v1/health/service/web");
  std::vector<std::shared_ptr<HttpApiFixture::Pending>> waiters;
  for (int i = 0; i < 10'000; ++i)
    waiters.push_back(world.send({"GET", waiting("/v1/health/service/web", index, "5m")}));
  world.settle();
  auto before = world.metrics->evaluations();

  world.register_service("web", "critical");
  for (auto& waiter : waiters)
    REQUIRE(waiter->response);
  CHECK(world.metrics->evaluations() == before + 1);
}

TEST_CASE("lists wait for their own kind") {
  HttpApiFixture world;
  world.register_service("web");
  struct Row {
    const char* path;
    const char* method;
    const char* target;
    const char* body;
  };
  for (
      auto& [path, method, target, body] : std::initializer_list<Row>{
          {"/v1/catalog/nodes", "PUT", "/v1/catalog/register",
           R"({"Node":"a","Address":"1.1.1.1"})"},
          {"/v1/catalog/services", "PUT", "/v1/catalog/register",
           R"({"Node":"b","Address":"1.1.1.1","Service":{"Service":"new"}})"},
          {"/v1/catalog/node/n-web", "PUT", "/v1/catalog/register",
           R"({"Node":"n-web","Address":"1.1.1.2"})"},
          {"/v1/health/state/any", "PUT", "/v1/catalog/register",
           R"({"Node":"n-web","Address":"1.1.1.2","Check":{"Name":"x"}})"},
          {"/v1/health/node/n-web", "PUT", "/v1/catalog/register",
           R"({"Node":"n-web","Address":"1.1.1.2","Check":{"Name":"y"}})"},
          {"/v1/health/checks/web", "PUT", "/v1/catalog/register",
           R"({"Node":"n-web","Address":"1.1.1.2","Check":{"Name":"z","ServiceID":"web"}})"},
          {"/v1/config/service-intentions/web", "PUT", "/v1/config",
           R"({"Kind":"service-intentions","Name":"web","Sources":[{"Name":"*","Action":"deny"}]})"},
          {"/v1/exported-services", "PUT", "/v1/config",
           R"({"Kind":"exported-services","Name":"default",
                "Services":[{"Name":"web","Consumers":[{"Peer":"dc2"}]}]})"},
          {"/strait/v1/objects/Namespace", "POST", "/strait/v1/apply",
           "apiVersion: v1\nkind: Namespace\nmetadata: {name: x}"}}) {
    INFO(path);
    auto waiter = world.start(waiting(path, world.index_of(path), "5m"));
    CHECK(!waiter->response);
    world.exchange({method, target, {}, body});
    REQUIRE(waiter->response);
    CHECK(index_in(*waiter->response) == std::to_string(world.index_of(path)));
  }
}

TEST_CASE("a client that goes away is forgotten, and takes nobody with it") {
  HttpApiFixture world;
  world.register_service("web");
  auto index = world.index_of("/v1/health/service/web");
  auto gone = world.start(waiting("/v1/health/service/web", index, "5m"));
  auto other = world.start(waiting("/v1/health/service/web", index, "5m"));
  REQUIRE(gone->disconnect);
  gone->disconnect();
  world.settle();
  world.register_service("web", "critical");
  CHECK(!gone->response);
  CHECK(other->response);
}

TEST_CASE("a service of the agent can be waited for by its hash") {
  HttpApiFixture world;
  world.put("/v1/agent/service/register", R"({"Name":"web","Port":80})");
  std::string hash{world.get("/v1/agent/service/web").fields.get("X-Consul-ContentHash")};
  REQUIRE(hash.size() == 16);
  CHECK(world.start("/v1/agent/service/web?hash=another&wait=5m")->response);
  auto waiter = world.start("/v1/agent/service/web?hash=" + hash + "&wait=5m");
  CHECK(!waiter->response);
  world.put("/v1/agent/service/register", R"({"Name":"web","Port":81})");
  REQUIRE(waiter->response);
  CHECK(waiter->response->fields.get("X-Consul-ContentHash") != hash);
  CHECK(waiter->response->body.find("\"Port\":81") != std::string::npos);
}
