#include "cmd/cli/fake_agent.hpp"
#include "cmd/cli/input.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <unistd.h>

namespace strait::cli {

using Catch::Matchers::Contains;

namespace {

constexpr const char* route_yaml = R"(apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web}
spec:
  parentRefs: [{name: edge}]
  rules: [{backendRefs: [{name: web, port: 80}]}]
)";
constexpr const char* bad_yaml = R"(apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web}
spec:
  parentRefs: [{name: edge}]
  colour: red
)";

/// A directory that goes away with the test.
struct Directory {
  Directory() {
    std::string path = std::filesystem::temp_directory_path() / "strait-cli-XXXXXX";
    REQUIRE(::mkdtemp(path.data()));
    root = path;
  }
  ~Directory() { std::filesystem::remove_all(root); }
  std::string write(const std::string& name, std::string_view text) const {
    std::ofstream{root / name} << text;
    return (root / name).string();
  }
  std::filesystem::path root;
};

} // namespace

TEST_CASE("validate needs no agent and names file, line and field") {
  Directory directory;
  auto good = directory.write("good.yaml", route_yaml);
  auto bad = directory.write("bad.yml", bad_yaml);
  directory.write("notes.txt", "no YAML: at [all");
  auto ran = strait({"validate", "-f", good});
  CHECK(ran.code == 0);
  CHECK(ran.out == "valid: 1 object(s) in 1 file(s), 0 error(s), 0 warning(s)\n");
  ran = strait({"validate", "-f", directory.root.string()});
  CHECK(ran.code == 5);
  CHECK_THAT(ran.err, Contains("bad.yml:6:"));
  CHECK_THAT(ran.err, Contains("colour"));
  ran = strait({"validate", "-f", "-", "-o", "json"}, {.input = bad_yaml});
  CHECK(ran.code == 5);
  CHECK_THAT(ran.out, Contains("\"errors\"") && Contains("stdin:6:"));
  CHECK(strait({"validate", "-f", "-"}, {.input = "# nothing\n"}).code == 5);
  CHECK(strait({"validate", "-f", (directory.root / "none.yaml").string()}).code == 3);
  Directory empty;
  CHECK(strait({"validate", "-f", empty.root.string()}).code == 3);
}

TEST_CASE("JSON manifests with tabs are read like any other") {
  auto ran = strait({"validate", "-f", "-"},
                    {.input = "{\n\t\"apiVersion\": \"v1\",\n\t\"kind\": \"Namespace\",\n\t"
                              "\"metadata\": {\"name\": \"a\"}\n}\n"});
  CHECK(ran.err.empty());
  CHECK(ran.code == 0);
}

TEST_CASE("more than may be read is refused") {
  CHECK(strait({"validate", "-f", "-"}, {.input = std::string(input_bytes_max + 1, '#')}).code ==
        5);
}

TEST_CASE("apply sends nothing when one file is wrong, and all of them when none is") {
  FakeAgent agent;
  agent.answer("POST /strait/v1/apply",
               {200,
                {},
                R"({"results":[{"kind":"HTTPRoute","namespace":"default","name":"web",)"
                R"("result":"created"}]})"});
  Directory directory;
  auto good = directory.write("a.yaml", route_yaml);
  auto bad = directory.write("b.yaml", bad_yaml);
  auto ran = strait({"apply", "-f", good, "-f", bad, "--http-addr", agent.address()});
  CHECK(ran.code == 5);
  CHECK_THAT(ran.err, Contains("b.yaml:6:") && Contains("nothing was applied"));
  CHECK(agent.requests().empty());

  ran = strait({"apply", "-f", good, "-f", "-", "--http-addr", agent.address()},
               {.input = route_yaml});
  CHECK(ran.code == 0);
  CHECK(ran.out == "HTTPRoute default/web created\nHTTPRoute default/web created\n");
  REQUIRE(agent.requests().size() == 2);
  CHECK(agent.requests()[0].body == route_yaml);
  agent.answer("POST /strait/v1/delete",
               {500,
                {},
                R"({"results":[{"kind":"Namespace","name":"a","result":"failed",)"
                R"("error":{"code":"internal","detail":"disk full"}}]})"});
  ran = strait({"delete", "-f", good, "--http-addr", agent.address()});
  CHECK(ran.code == 1);
  CHECK(ran.out == "Namespace a failed: disk full\n");
  CHECK_THAT(ran.err, Contains("some objects were refused"));
  ran = strait({"apply", "-f", good, "-f", good, "-o", "json", "--http-addr", agent.address()});
  auto one = R"({"kind":"HTTPRoute","namespace":"default","name":"web","result":"created"})";
  CHECK(ran.out == "{\"results\":[" + std::string{one} + "," + one + "]}\n");
}

TEST_CASE("what the agent finds wrong ends with 5 and lists every error") {
  FakeAgent agent;
  agent.answer("POST /strait/v1/apply?dry-run",
               {400,
                {},
                R"({"error":{"code":"invalid","detail":"2 of the documents cannot be )"
                R"(taken"},"errors":["one is wrong","two is wrong"]})"});
  auto ran = strait({"apply", "--dry-run", "-f", "-", "--http-addr", agent.address()},
                    {.input = route_yaml});
  CHECK(ran.code == 5);
  CHECK_THAT(ran.err, Contains("one is wrong\ntwo is wrong"));
}

TEST_CASE("get shows objects as a table, or as the agent wrote them") {
  FakeAgent agent;
  agent.answer("GET /strait/v1/objects/MeshService/default?format=json",
               {200,
                {},
                R"({"kind":"List","items":[{"metadata":{"name":"api"},)"
                R"("spec":{"name":"api","peer":"dc2"}}]})"});
  agent.answer("GET /strait/v1/objects/MeshService?format=json",
               {200, {}, R"({"kind":"List","items":[]})"});
  agent.answer("GET /strait/v1/objects/MeshService/infra/api?format=yaml",
               {200, {}, "kind: MeshService\n"});
  agent.answer("GET /strait/v1/objects/Namespace/-/a?format=json",
               {200, {}, R"({"kind":"Namespace","metadata":{"name":"a"}})"});
  auto get = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "get");
    arguments.insert(arguments.end(), {"--http-addr", agent.address()});
    return strait(arguments);
  };
  CHECK(get({"meshservices"}).out == "NAME  SERVICE  PEER  AGE\napi   api      dc2   -\n");
  auto none = get({"meshservice", "-A"});
  CHECK(none.code == 0);
  CHECK(none.out.empty());
  CHECK(none.err == "There is no MeshService.\n");
  CHECK(get({"MeshService", "api", "-n", "infra", "-o", "yaml"}).out == "kind: MeshService\n");
  CHECK(get({"ns", "a"}).out == "NAME  AGE\na     -\n");
  CHECK(get({"meshservice", "other"}).code == 3);
  CHECK(get({"job"}).code == 2);
  CHECK(get({"meshservice", "api", "-A"}).code == 2);
}

TEST_CASE("gateway status has a row for each proxy, and one for a gateway that has none") {
  FakeAgent agent;
  std::string edge = R"({"namespace":"default","name":"edge","epoch":7,
    "listeners":[{"name":"http","port":80,"protocol":"HTTP","attachedRoutes":2}],
    "conditions":[{"type":"Accepted","status":"True","reason":"Accepted"},
                  {"type":"Programmed","status":"False","reason":"Pending"}],
    "proxies":[{"id":"p1","sentEpoch":7,"servedEpoch":7,"current":true,"errors":[]},
               {"id":"p2","sentEpoch":7,"servedEpoch":6,"current":false,"errors":[]},
               {"id":"p3","sentEpoch":7,"servedEpoch":7,"current":true,"errors":["port taken"]}]})";
  agent.answer("GET /strait/v1/gateways",
               {200,
                {},
                "{\"gateways\":[" + edge +
                    R"(,{"namespace":"infra","name":"east",)"
                    R"("epoch":0,"listeners":[],"conditions":[],"proxies":[]})"
                    R"(,{"namespace":"infra","name":"west","epoch":0,"listeners":[],)"
                    R"("conditions":[],"proxies":[],"fedAt":"10.0.0.2:8504"}]})"});
  agent.answer("GET /strait/v1/gateways/default/edge", {200, {}, edge});
  auto ran = strait({"gateway", "status", "--http-addr", agent.address()});
  CHECK(ran.code == 0);
  CHECK(ran.out ==
        "GATEWAY       PROGRAMMED  LISTENERS        EPOCH  PROXY  SERVES  STATE\n"
        "default/edge  Pending     http:80/HTTP(2)  7      p1     7       in step\n"
        "default/edge  Pending     http:80/HTTP(2)  7      p2     6       behind\n"
        "default/edge  Pending     http:80/HTTP(2)  7      p3     7       port taken\n"
        "infra/east    Unknown     -                0      -      -       no proxy serves it\n"
        "infra/west    Unknown     -                0      -      -       fed by the replica at "
        "10.0.0.2:8504\n");
  CHECK_THAT(strait({"gateway", "status", "edge", "--http-addr", agent.address()}).out,
             Contains("in step") && !Contains("infra"));
  CHECK(strait({"gateway", "status", "none", "--http-addr", agent.address()}).code == 3);
}

TEST_CASE("delete names an object or files, not both and not neither") {
  FakeAgent agent;
  agent.answer("DELETE /strait/v1/objects/HTTPRoute/default/web", {200, {}, "{}"});
  auto remove = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "delete");
    arguments.insert(arguments.end(), {"--http-addr", agent.address()});
    return strait(arguments);
  };
  CHECK(remove({"httproute", "web"}).out == "HTTPRoute default/web deleted\n");
  CHECK(remove({"httproute", "gone"}).code == 3);
  CHECK(remove({"httproute", "gone", "--ignore-not-found"}).code == 0);
  CHECK(remove({"httproute"}).code == 2);
  CHECK(remove({}).code == 2);
  CHECK(remove({"httproute", "web", "-f", "x.yaml"}).code == 2);
}

} // namespace strait::cli
