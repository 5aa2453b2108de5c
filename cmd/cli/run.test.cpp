#include "cmd/agent_options.hpp"
#include "cmd/cli/commands.hpp"
#include "cmd/cli/fake_agent.hpp"

#include <catch2/catch.hpp>

#include <sstream>

namespace strait::cli {

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

std::vector<std::string> words(const std::string& line) {
  std::istringstream in{line};
  return {std::istream_iterator<std::string>{in}, {}};
}

} // namespace

TEST_CASE("every command explains itself with examples and exit codes") {
  for (const auto& command : commands()) {
    CAPTURE(command.path);
    auto arguments = words(command.path);
    arguments.push_back("--help");
    auto ran = strait(arguments);
    CHECK(ran.code == 0);
    CHECK(ran.err.empty());
    CHECK_THAT(ran.out, Contains("Usage: strait " + command.path));
    CHECK_THAT(ran.out, Contains("Exit codes: 0 done, 1 refused or failed, 2 wrong use"));
    REQUIRE(!command.examples.empty());
    for (const auto& example : command.examples) {
      CHECK_THAT(ran.out, Contains(example));
      CHECK_THAT(example, Contains("strait " + command.path));
    }
  }
  auto ran = strait({"--help"});
  CHECK(ran.code == 0);
  for (const auto& command : commands())
    CHECK_THAT(ran.out, Contains(command.path.substr(0, command.path.find(' '))));
}

TEST_CASE("wrong use ends with 2, says what is wrong and where help is") {
  struct Case {
    const char* line;
    const char* expected;
  };
  for (auto [line, expected] : {
           Case{"", "subcommand is required"},
           Case{"nonsense", "nonsense"},
           Case{"catalog", "subcommand is required"},
           Case{"catalog pods", "pods"},
           Case{"catalog service", "NAME is required"},
           Case{"health", "SERVICE is required"},
           Case{"get gateway -o xml", "\"xml\" is not one of table wide yaml json"},
           Case{"get", "KIND is required"},
           Case{"apply", "--filename is required"},
           Case{"apply -f", "--filename"},
           Case{"peering establish --name x", "--peering-token is required"},
           Case{"peering list --unknown", "--unknown"},
           Case{"members extra", "extra"},
           Case{"config read --kind mesh --name x", "\"mesh\" is not one of"},
       }) {
    CAPTURE(line);
    auto ran = strait(words(line));
    CHECK(ran.code == 2);
    CHECK(ran.out.empty());
    CHECK_THAT(ran.err, Contains(expected));
    CHECK_THAT(ran.err, Contains("Try: strait"));
  }
  CHECK_THAT(strait({"catalog", "service"}).err, Contains("Try: strait catalog service --help"));
}

TEST_CASE("an agent that is not there ends with 4 and says what to do") {
  std::uint16_t port = 0;
  {
    FakeAgent gone;
    port = static_cast<std::uint16_t>(std::stoi(gone.address().substr(10)));
  }
  auto address = "127.0.0.1:" + std::to_string(port);
  for (auto line : {"catalog services", "get gateway", "peering list", "members"}) {
    auto arguments = words(line);
    arguments.insert(arguments.end(), {"--http-addr", address});
    auto ran = strait(arguments);
    CHECK(ran.code == 4);
    CHECK_THAT(ran.err, Contains("no agent can be reached at " + address));
    CHECK_THAT(ran.err, Contains("`strait agent`"));
  }
  CHECK(strait({"members", "--http-addr", "ftp://x"}).code == 2);
}

TEST_CASE("the agent's address and token come from options, then from the environment") {
  FakeAgent agent;
  agent.answer("GET /v1/agent/members",
               {200, {}, R"([{"Name":"n1","Addr":"10.0.0.1","Status":1,"Tags":{"dc":"dc1"}}])"});
  auto expected = "NODE  ADDRESS   STATUS  DATACENTER  BUILD\n"
                  "n1    10.0.0.1  alive   dc1         -\n";
  CHECK(strait({"members", "--http-addr", agent.address()}).out == expected);
  CHECK(strait({"--http-addr", agent.address(), "members"}).out == expected);
  CHECK(strait({"members", "-http-addr=" + agent.address()}).out == expected);
  CHECK(strait({"members"}, {.environment = {{"CONSUL_HTTP_ADDR", agent.address()}}}).out ==
        expected);
  auto ran = strait({"members"}, {.environment = {{"STRAIT_HTTP_ADDR", agent.address()},
                                                  {"CONSUL_HTTP_ADDR", "127.0.0.1:1"},
                                                  {"CONSUL_HTTP_TOKEN", "secret"}}});
  CHECK(ran.out == expected);
  CHECK(agent.requests().back().fields.get("X-Consul-Token") == "secret");
}

TEST_CASE("refusals tell their kind by the exit code") {
  FakeAgent agent;
  agent.answer("GET /v1/peering/gone", {404, {}, "Peering not found for \"gone\""});
  agent.answer("GET /v1/peering/secret", {403, {}, "Permission denied"});
  agent.answer("GET /v1/peering/broken", {500, {}, "the store is closed\n"});
  auto read = [&](const char* name) {
    return strait({"peering", "read", "-name", name, "--http-addr", agent.address()});
  };
  CHECK(read("gone").code == 3);
  CHECK(read("gone").err == "strait: Peering not found for \"gone\"\n");
  CHECK(read("secret").code == 1);
  CHECK_THAT(read("secret").err, Contains("STRAIT_HTTP_TOKEN"));
  CHECK(read("broken").code == 1);
  CHECK(read("broken").err == "strait: the store is closed\n");
}

TEST_CASE("an answer that is not what was expected is a failure, never a crash") {
  FakeAgent agent;
  for (auto body : {"", "[", "{\"a\":1}", "[1,", "[{]", "\xff"}) {
    CAPTURE(body);
    agent.answer("GET /v1/peerings", {200, {}, body});
  }
  for (int i = 0; i < 6; ++i) {
    auto ran = strait({"peering", "list", "--http-addr", agent.address()});
    CHECK(ran.code == 1);
    CHECK(!ran.err.empty());
  }
}

TEST_CASE("a service without instances is not found, and its listing has no header") {
  FakeAgent agent;
  agent.answer("GET /v1/catalog/service/a%2Fb?peer=dc2", {200, {}, "[]"});
  auto ran = strait({"catalog", "service", "a/b", "--peer", "dc2", "--http-addr", agent.address()});
  CHECK(ran.code == 3);
  CHECK(ran.out.empty());
  CHECK(ran.err == "Service a/b of peer dc2 has no instance.\n");
}

TEST_CASE("health shows the worst check of each instance and what it says") {
  FakeAgent agent;
  agent.answer("GET /v1/health/service/web", {200, {}, R"([
    {"Node": {"Node": "n1", "Address": "10.0.0.1"}, "Service": {"ID": "w1", "Port": 80},
     "Checks": [{"CheckID": "c1", "Status": "passing"}]},
    {"Node": {"Node": "n2", "Address": "10.0.0.2"},
     "Service": {"ID": "w2", "Address": "10.9.9.9", "Port": 81},
     "Checks": [{"CheckID": "c1", "Status": "critical", "Output": "refused"},
                {"CheckID": "c2", "Status": "warning"}]}])"});
  auto ran = strait({"health", "web", "--http-addr", agent.address()});
  CHECK(ran.code == 0);
  CHECK(ran.out == "NODE  ID  ADDRESS      STATUS    CHECKS\n"
                   "n1    w1  10.0.0.1:80  passing   -\n"
                   "n2    w2  10.9.9.9:81  critical  c1: refused; c2\n");
}

TEST_CASE("watching shows the answer again only when it changed, until the agent goes away") {
  FakeAgent agent;
  auto body = R"([{"Node":"n1","Address":"10.0.0.1"}])";
  agent.answer("GET /v1/catalog/nodes", {200, {{"X-Consul-Index", "7"}}, body});
  agent.answer("GET /v1/catalog/nodes?index=7&wait=30s", {200, {{"X-Consul-Index", "7"}}, body});
  agent.answer("GET /v1/catalog/nodes?index=7&wait=30s", {200, {{"X-Consul-Index", "8"}}, body});
  agent.answer("GET /v1/catalog/nodes?index=8&wait=30s", {500, {}, "shutting down"});
  auto ran = strait({"catalog", "nodes", "--watch", "--http-addr", agent.address()});
  CHECK(ran.code == 1);
  CHECK(agent.requests().size() == 4);
  auto shown = [&](std::string_view what) {
    std::size_t count = 0;
    for (auto at = ran.out.find(what); at != std::string::npos; at = ran.out.find(what, at + 1))
      ++count;
    return count;
  };
  CHECK(shown("10.0.0.1") == 2);
}

TEST_CASE("config entries are checked before they are sent, and a lost race is a failure") {
  FakeAgent agent;
  auto write = [&](const std::string& text, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments{"config", "write", "-", "--http-addr", agent.address()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return strait(arguments, {.input = text});
  };
  CHECK(write("Kind: mesh\nName: mesh\n").code == 5);
  CHECK(write("apiVersion: v1\nkind: Namespace\n").code == 5);
  CHECK(write("{").code == 5);
  CHECK(agent.requests().empty());

  auto entry = "Kind: exported-services\nName: default\n"
               "Services:\n- Name: api\n  Consumers: [{Peer: dc1}]\n";
  agent.answer("PUT /v1/config?cas=3", {200, {}, "false"});
  agent.answer("PUT /v1/config", {200, {}, "true"});
  CHECK(write(entry, {"--cas", "3"}).code == 1);
  CHECK(write(entry, {"--cas", "x"}).code == 2);
  auto ran = write(entry);
  CHECK(ran.code == 0);
  CHECK(ran.out == "Config entry written: exported-services/default\n");
  CHECK(agent.requests().back().body ==
        R"({"Kind":"exported-services","Name":"default","Services":)"
        R"([{"Name":"api","Consumers":[{"Peer":"dc1"}]}]})");
}

TEST_CASE("a token is printed alone, and establishing takes it from a file or from input") {
  FakeAgent agent;
  agent.answer("POST /v1/peering/token", {200, {}, R"({"PeeringToken":"abc="})"});
  agent.answer("POST /v1/peering/establish", {200, {}, "{}"});
  auto at = agent.address();
  CHECK(strait({"peering", "generate-token", "-name", "dc2", "-server-external-addresses=a:1,b:2",
                "--meta", "k=v", "--http-addr", at})
            .out == "abc=\n");
  CHECK(agent.requests().back().body ==
        R"({"PeerName":"dc2","ServerExternalAddresses":["a:1","b:2"],"Meta":{"k":"v"}})");
  auto ran =
      strait({"peering", "establish", "--name", "dc1", "--peering-token", "-", "--http-addr", at},
             {.input = "abc=\n"});
  CHECK(ran.code == 0);
  CHECK(agent.requests().back().body == R"({"PeerName":"dc1","PeeringToken":"abc="})");
}

TEST_CASE("a gRPC API that is not there ends with 4") {
  std::string address;
  {
    FakeAgent gone;
    address = gone.address();
  }
  auto ran = strait({"peering", "generate-token", "--name", "dc2", "--grpc-addr", address});
  CHECK(ran.code == 4);
  CHECK_THAT(ran.err, Contains("no agent can be reached by gRPC at " + address));
}

TEST_CASE("waiting for a peering is bounded and says why it is not active") {
  FakeAgent agent;
  agent.answer("POST /v1/peering/establish", {200, {}, "{}"});
  agent.answer("GET /v1/peering/dc1",
               {200, {}, R"({"State":"FAILING","StreamStatus":{"LastError":"refused"}})"});
  auto establish = [&](const char* wait) {
    return strait({"peering", "establish", "--name", "dc1", "--peering-token", "x", "--wait", wait,
                   "--http-addr", agent.address()});
  };
  auto ran = establish("1ms");
  CHECK(ran.code == 1);
  CHECK_THAT(ran.err, Contains("FAILING after 1ms, not ACTIVE: refused"));
  CHECK(establish("soon").code == 2);
  agent.answer("GET /v1/peering/dc1", {200, {}, R"({"State":"ACTIVE"})"});
  CHECK(establish("30s").code == 0);
}

TEST_CASE("the agent's options are checked before anything starts") {
  cmd::AgentOptions seen;
  int started = 0;
  RunOptions options{.run_agent = [&](const cmd::AgentOptions& given) {
    seen = given;
    ++started;
    return 0;
  }};
  CHECK(strait({"agent"}, options).code == 0);
  CHECK(seen.datacenter == "dc1");
  CHECK(seen.data_dir == "./strait-data");
  CHECK(seen.grpc_tls_port == 8503);
  CHECK(!seen.node_name.empty());
  CHECK(strait({"agent", "--data-dir", ":memory:", "--proxy", "external", "--grpc-port", "0",
                "--workers", "3", "-datacenter", "dc2", "--access-log=json"},
               options)
            .code == 0);
  CHECK(!seen.data_dir);
  CHECK(!seen.kubernetes);
  CHECK(seen.proxy == cmd::ProxyPlace::external);
  CHECK(seen.workers == 3);
  CHECK(seen.access_log == cmd::AccessLog::json);
  CHECK(strait({"agent", "--kubernetes", "in-cluster", "--kubernetes-watch-all-secrets"}, options)
            .code == 0);
  REQUIRE(seen.kubernetes);
  CHECK(seen.kubernetes->where == cmd::in_cluster);
  CHECK(seen.kubernetes->all_secrets);
  CHECK(!seen.data_dir); // What Kubernetes keeps need not be kept again …
  CHECK(strait({"agent", "--kubernetes", "file", "--kubernetes-context", "staging", "--data-dir",
                "kept"},
               options)
            .code == 0);
  CHECK(seen.kubernetes->context == "staging");
  CHECK(seen.data_dir == "kept"); // … unless it is asked for.
  CHECK(seen.kubernetes->sync == kubernetes::CatalogSyncOptions{});
  CHECK(started == 4);
  for (auto line : {"--kubernetes-context x", "--kubernetes-watch-all-secrets", "--http-port 0",
                    "--http-port 65536", "--http-port x", "--grpc-port 8500", "--bind localhost",
                    "--ready-address 1.2.3", "--datacenter d.c", "--workers 0", "--workers 257",
                    "--manifests /nonexistent", "--proxy none", "--log-level all",
                    "--sync-services all", "--sync-services some", "--sync-namespace-suffix",
                    "--sync-deny-namespace x --kubernetes f", "--primary-datacenter dc1"}) {
    CAPTURE(line);
    auto arguments = words("agent " + std::string{line});
    auto ran = strait(arguments, options);
    CHECK(ran.code == 2);
    CHECK_THAT(ran.err, Contains(arguments[1]));
  }
  CHECK(started == 4);
  CHECK_THAT(strait({"agent", "--primary-datacenter", "dc1"}, options).err,
             Contains("peer them instead"));
}

TEST_CASE("the agent is told which Services to keep in the catalog") {
  cmd::AgentOptions seen;
  RunOptions options{.run_agent = [&](const cmd::AgentOptions& given) {
    seen = given;
    return 0;
  }};
  CHECK(strait(words("agent --kubernetes f --sync-services annotated"), options).code == 0);
  kubernetes::CatalogSyncOptions wanted{.mode = kubernetes::SyncMode::annotated};
  CHECK(seen.kubernetes->sync == wanted);
  CHECK(wanted.allowed_namespaces == std::vector<std::string>{"*"});
  CHECK(strait(words("agent --kubernetes f --sync-services all --sync-namespace-suffix "
                     "--sync-allow-namespace a --sync-allow-namespace b --sync-deny-namespace c"),
               options)
            .code == 0);
  wanted = {kubernetes::SyncMode::all, true, {"a", "b"}, {"c"}};
  CHECK(seen.kubernetes->sync == wanted);
}

TEST_CASE("the version is for people, and as JSON for programs") {
  CHECK_THAT(strait({"version"}).out, StartsWith("Strait v"));
  auto json = strait({"version", "-format=json"}).out;
  for (auto key : {"\"Version\"", "\"Revision\"", "\"Prerelease\"", "\"BuildDate\""})
    CHECK_THAT(json, Contains(key));
}

TEST_CASE("completion knows every command of the table") {
  for (auto shell : {"bash", "zsh", "fish"}) {
    auto script = strait({"completion", shell}).out;
    for (const auto& command : commands())
      CHECK_THAT(script, Contains(command.path.substr(command.path.rfind(' ') + 1)));
  }
  CHECK(strait({"completion", "csh"}).code == 2);
}

} // namespace strait::cli
