#include "actors/feed_identity.hpp"

#include "peering/accept_wire.hpp"

#include <catch2/catch.hpp>

#include <condition_variable>
#include <fstream>
#include <mutex>

using namespace strait;
using namespace strait::gateway::feed;

namespace {

constexpr std::chrono::seconds patience{20};
const std::string datacenter = "dc1";

struct Told {
  std::mutex mutex;
  std::condition_variable changed;
  bool received = false, ended = false;
  std::string why;
};

struct Files {
  std::filesystem::path directory;
  Files() {
    auto name = (std::filesystem::temp_directory_path() / "strait-feed-XXXXXX").string();
    directory = ::mkdtemp(name.data());
  }
  ~Files() { std::filesystem::remove_all(directory); }
  std::filesystem::path write(const std::string& name, const std::string& text) const {
    std::ofstream{directory / name} << text;
    return directory / name;
  }
};

/// An agent with a certificate authority, and its port for proxies.
struct Agent {
  Files files;
  model::CertificateAuthority authority =
      peering::make_authority("11111111-2222-3333-4444-555555555555.consul", now_wall()).value();
  std::shared_ptr<grpc::Service> service;
  std::unique_ptr<peering::GrpcServer> server;

  Agent() {
    service = make_proxy_config_service(
        [](std::shared_ptr<ProxyStream> stream) {
          return ProxyStreamEvents{[stream](const ProxyFrame&) { stream->send(Heartbeat{7}); },
                                   [](const std::string&) {}};
        },
        [](const ProxyPeer& peer, const Hello& hello) {
          return actors::admit_by_certificate(peer, hello, datacenter);
        });
    auto certificate = peering::ServerCertificate::create(
        (files.directory / "tls").string(),
        issue(peering::server_leaf(authority.trust_domain, datacenter)));
    REQUIRE(certificate);
    REQUIRE(certificate->trust(peering::trusted_roots(authority, now_wall())));
    auto started = peering::GrpcServer::start({{"127.0.0.1:0", certificate->mutual_credentials()}},
                                              {service.get()});
    REQUIRE(started);
    server = std::move(*started);
  }
  peering::Leaf issue(const peering::LeafRequest& request) const {
    return peering::issue(authority, request, now_wall()).value();
  }
  peering::Leaf gateway(const std::string& ns, const std::string& name) const {
    return issue(peering::api_gateway_leaf(authority.trust_domain, datacenter, ns, name));
  }
  std::string roots() const { return authority.roots.front().certificate_pem; }
  std::string address() const { return "127.0.0.1:" + std::to_string(server->ports().front()); }
};

/// Dials, asks for the Gateway shop/edge, and says how that ended: "served", or why not.
std::string ask(const std::string& address, ReadAgentCredentials credentials) {
  auto told = std::make_shared<Told>();
  AgentDialer dialer{address, std::move(credentials)};
  auto stream = dialer.dial({[] {},
                             [told](const ConfigFrame&) {
                               std::lock_guard lock{told->mutex};
                               told->received = true;
                               told->changed.notify_all();
                             },
                             [told](const std::string& why) {
                               std::lock_guard lock{told->mutex};
                               told->ended = true;
                               told->why = why;
                               told->changed.notify_all();
                             }});
  stream->send(Hello{.gateway_namespace = "shop", .gateway_name = "edge", .proxy_id = "one"});
  std::unique_lock lock{told->mutex};
  if (!told->changed.wait_for(lock, patience, [&] { return told->received || told->ended; }))
    return "neither served nor refused";
  return told->received ? "served" : told->why;
}

ReadAgentCredentials reading(const Files& files, const peering::Leaf& leaf,
                             const std::string& roots) {
  actors::CredentialFiles paths{files.write("ca.crt", roots),
                                files.write("tls.crt", leaf.chain_pem),
                                files.write("tls.key", leaf.key_pem)};
  return [paths] { return actors::read_agent_credentials(paths); };
}

} // namespace

TEST_CASE("a gateway process with its certificate gets its Gateway's configuration") {
  Agent agent;
  Files files;
  CHECK(ask(agent.address(), reading(files, agent.gateway("shop", "edge"), agent.roots())) ==
        "served");
}

TEST_CASE("a renewed certificate is read at the next dialling") {
  Agent agent;
  Files files;
  auto credentials = reading(files, agent.gateway("shop", "other"), agent.roots());
  CHECK_THAT(ask(agent.address(), credentials), Catch::Contains("is for Gateway shop/other"));
  reading(files, agent.gateway("shop", "edge"), agent.roots());
  CHECK(ask(agent.address(), credentials) == "served");
}

TEST_CASE("the feed is refused to whom it is not for, and the word says why") {
  Agent agent;
  Files files;
  auto own = agent.gateway("shop", "edge");

  SECTION("in the clear") { CHECK_THAT(ask(agent.address(), {}), !Catch::Equals("served")); }
  SECTION("without a certificate of its own") {
    auto why = ask(agent.address(), [&] {
      return Result<AgentCredentials>{
          {.roots_pem = agent.roots(),
           .server_name = peering::peering_server_name(datacenter, agent.authority.trust_domain)}};
    });
    INFO(why);
    CHECK(why != "served");
    CHECK(why != "neither served nor refused");
  }
  SECTION("with a certificate of another authority") {
    Agent stranger;
    auto why =
        ask(agent.address(), reading(files, stranger.gateway("shop", "edge"), agent.roots()));
    INFO(why);
    CHECK(why != "served");
    CHECK(why != "neither served nor refused");
  }
  SECTION("to an agent of another authority") {
    Agent stranger;
    CHECK_THAT(ask(stranger.address(), reading(files, own, agent.roots())),
               Catch::Contains("certificate verify failed", Catch::CaseSensitive::No));
  }
  SECTION("with the certificate of another gateway") {
    CHECK_THAT(
        ask(agent.address(), reading(files, agent.gateway("other", "edge"), agent.roots())),
        Catch::Contains("its certificate is for Gateway other/edge of datacenter dc1, and it "
                        "asked for the configuration of Gateway shop/edge"));
  }
  SECTION("with the certificate of a service") {
    auto request = peering::service_leaf(agent.authority.trust_domain, datacenter, "edge");
    auto leaf = agent.issue(request);
    auto name = peering::peering_server_name(datacenter, agent.authority.trust_domain);
    CHECK_THAT(
        ask(agent.address(),
            [&] {
              return Result<AgentCredentials>{{agent.roots(), leaf.chain_pem, leaf.key_pem, name}};
            }),
        Catch::Contains("not that of a gateway process"));
    CHECK_THAT(ask(agent.address(), reading(files, leaf, agent.roots())),
               Catch::Contains("expected a certificate of a gateway process"));
  }
  SECTION("with files that are not there") {
    CHECK_THAT(ask(agent.address(),
                   [] {
                     return actors::read_agent_credentials({"/none", "/none", "/none"});
                   }),
               Catch::Contains("/none: No such file"));
  }
}

TEST_CASE("only addresses of this machine's own are loopback") {
  for (auto address : {"127.0.0.1:8502", "127.9.8.7:1", "localhost:8502", "[::1]:8502"})
    CHECK(is_loopback(address));
  for (auto address : {"10.0.0.1:8502", "strait.default.svc:8502", "127.0.0.1.example.com:1",
                       "127.example.com:1", "0.0.0.0:8502", "[::]:8502", ""})
    CHECK_FALSE(is_loopback(address));
}
