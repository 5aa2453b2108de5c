#include "actors/key_set_actor.hpp"

#include "actors/actor_fixture.test.hpp"
#include "gateway/proxy/jwks.hpp"
#include "net/http_server.hpp"
#include "net/test_certificates.hpp"
#include "storage/store.hpp"

using namespace strait;
using namespace strait::actors;
using namespace std::chrono_literals;

namespace {

constexpr auto one_key = R"({"keys":[{"kty":"OKP","crv":"Ed25519","kid":"1",)"
                         R"("x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})";
constexpr auto no_keys = R"({"keys":[]})";

/// A catalog, the actor, and a server of key sets: the first two under the test's scheduler, the
/// fetcher and the server on a loop of this thread.
struct Fixture {
  explicit Fixture(net::HttpServerOptions server_options = {})
      : https{server_options.tls != nullptr}, server{*loop, std::move(server_options),
                                                     [this](net::HttpRequest request,
                                                            const net::HttpPeer&,
                                                            net::HttpResponder responder) {
                                                       requests.push_back(request.method + " " +
                                                                          request.target);
                                                       responder.respond(answer);
                                                     }},
        address{*server.listen(net::Address::loopback(0))} {
    KeySetOptions options;
    options.fetcher = fetcher;
    options.clock = [this] { return now; };
    options.wall_clock = [this] { return WallTime{now.time_since_epoch()}; };
    actor = run.system.spawn(key_set_actor, catalog, options);
    run.settle();
  }
  ~Fixture() {
    fetcher->close();
    loop->run_once(0ms);
    for (auto& it : {caf::actor_cast<caf::actor>(actor), caf::actor_cast<caf::actor>(catalog),
                     caf::actor_cast<caf::actor>(storage)})
      caf::anon_send_exit(it, caf::exit_reason::user_shutdown);
    run.settle();
  }

  std::string uri(const std::string& path = "/keys?version=1") const {
    return (https ? "https://" : "http://") + address.to_string() + path;
  }
  void provide(std::string to, model::JwtProvider::Fetch policy = {}) {
    model::JwtProvider provider;
    provider.meta.name = issuer;
    provider.remote_uri = std::move(to);
    provider.fetch = std::move(policy);
    apply(catalog::Put{provider, {}});
  }
  void apply(catalog::Command command) {
    REQUIRE(run.ask<Applied>(catalog, apply_atom::value, std::move(command)).revision);
  }
  catalog::ViewPtr view() { return run.ask<catalog::ViewPtr>(catalog, view_atom::value); }
  std::optional<model::KeySet> kept() {
    auto* set = view()->find<model::KeySet>(issuer);
    return set ? std::optional{*set} : std::nullopt;
  }
  /// Lets the loop turn until the catalog holds a key set that this is said of.
  template <class Done>
  model::KeySet until(Done done) {
    for (int turns = 0; turns < 2'000; ++turns) {
      if (auto set = kept(); set && done(*set))
        return *set;
      loop->run_once(5ms);
      run.settle();
    }
    FAIL("the key set never came to be so");
    return {};
  }
  model::KeySet until_problem() {
    return until([](auto& set) { return !set.problem.empty(); });
  }
  model::KeySet until_fetched(const std::string& jwks) {
    return until([&](auto& set) { return set.jwks == jwks && set.problem.empty(); });
  }
  void pass(Millis time) {
    now += time;
    run.advance(time);
  }

  const model::Name issuer{"default", "issuer"};
  Instant now{24h};
  net::HttpResponse answer{200, {}, one_key};
  std::vector<std::string> requests;
  bool https;
  std::unique_ptr<net::EventLoop> loop = *net::EventLoop::create();
  net::HttpServer server;
  net::Address address;
  std::shared_ptr<KeySetFetcher> fetcher = *KeySetFetcher::create(*loop);
  test::ActorFixture run;
  StorageActor storage =
      run.system.spawn(storage_actor, OpenStore{[]() -> Result<std::unique_ptr<storage::Store>> {
                         return storage::make_memory_store();
                       }});
  CatalogActor catalog = run.system.spawn(catalog_actor, storage, CatalogActorOptions{});
  KeySetActor actor;
};

struct TlsFixture {
  static std::shared_ptr<const net::TlsServerContext> context(const net::testing::Identity& ca) {
    auto leaf = net::testing::issue({"issuer", "IP:127.0.0.1"}, &ca);
    net::TlsServerOptions options;
    options.certificate = *net::TlsCertificate::from_pem(leaf.certificate, leaf.key);
    return *net::TlsServerContext::create(std::move(options));
  }
  net::testing::Identity ca = net::testing::issue({.common_name = "ca", .authority = true});
  Fixture it{{.tls = context(ca)}};
};

} // namespace

TEST_CASE("a provider's key set is fetched, kept in the catalog, and fetched again when due") {
  Fixture it;
  it.provide(it.uri());
  auto set = it.until_fetched(one_key);
  CHECK(set.uri == it.uri());
  CHECK(set.fetched == WallTime{24h});
  CHECK(it.requests == std::vector<std::string>{"GET /keys?version=1"});
  it.answer.body = no_keys;
  auto revision = it.view()->revision;
  it.pass(5min - 1ms);
  CHECK(it.requests.size() == 1);
  CHECK(it.view()->revision == revision);
  it.pass(1ms);
  CHECK(it.until_fetched(no_keys).fetched == WallTime{24h + 5min});
}

TEST_CASE("a server that fails is asked again, and the last good key set stays meanwhile") {
  Fixture it;
  it.answer.status = 503;
  it.provide(it.uri());
  auto set = it.until_problem();
  CHECK(set.jwks.empty());
  CHECK(set.problem == "the server answered 503, expected 200");
  it.answer.status = 200;
  it.pass(1s);
  it.until_fetched(one_key);
  it.answer = {404, {}, "gone"};
  it.pass(5min);
  CHECK(it.until_problem().jwks == one_key);
}

TEST_CASE("what is no key set is not taken for one") {
  Fixture it;
  auto problem_with = [&](net::HttpResponse answer) {
    it.answer = std::move(answer);
    auto from = it.uri("/" + std::to_string(it.requests.size()));
    it.provide(from);
    return it.until([&](auto& set) { return set.uri == from; }).problem;
  };
  CHECK_THAT(problem_with({200, {}, "<html>"}),
             Catch::StartsWith("the answer is no JSON Web Key Set: "));
  CHECK_THAT(problem_with({200, {}, R"({"keys":1})"}),
             Catch::StartsWith("the answer is no JSON Web Key Set: "));
  CHECK(problem_with({200, {}, std::string(gateway::proxy::jwks_bytes_max + 1, ' ')}) ==
        "the answer is longer than 262144 bytes");
  net::HttpResponse elsewhere{302, {}, ""};
  elsewhere.fields.add("Location", it.uri("/elsewhere"));
  CHECK(problem_with(elsewhere) ==
        "the server answered 302, expected 200; redirects are not followed");
}

TEST_CASE("a server that nobody can reach is told of by its address") {
  Fixture it;
  auto closed = net::Address::loopback(1);
  it.provide("http://" + closed.to_string());
  CHECK_THAT(it.until_problem().problem, Catch::Contains(closed.to_string()));
}

TEST_CASE("an https server must show a certificate of the roots that the provider names") {
  TlsFixture tls;
  auto& it = tls.it;
  it.provide(it.uri());
  CHECK_THAT(it.until_problem().problem, Catch::Contains("TLS handshake"));
  CHECK(it.requests.empty());
  model::JwtProvider::Fetch policy;
  policy.ca_pem = tls.ca.certificate;
  it.provide(it.uri(), policy);
  it.until_fetched(one_key);
}

TEST_CASE("a provider that goes takes its key set with it, and is asked for no more") {
  Fixture it;
  it.provide(it.uri());
  it.until_fetched(one_key);
  it.apply(catalog::Remove{{model::Kind::jwt_provider, it.issuer}, {}});
  CHECK_FALSE(it.kept());
  it.pass(1h);
  it.loop->run_once(0ms);
  CHECK(it.requests.size() == 1);
}

TEST_CASE("a fetcher that is closed answers at once") {
  Fixture it;
  it.provide(it.uri());
  it.fetcher->close();
  CHECK(it.until_problem().problem == "the agent is ending");
}
