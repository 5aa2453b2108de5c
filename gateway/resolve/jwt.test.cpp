#include "gateway/resolve/jwt.hpp"

#include "gateway/resolve/test_catalog.hpp"

#include <catch2/catch.hpp>

using namespace strait;
using namespace strait::gateway;
using namespace strait::gateway::resolve;
using model::Kind;
using model::Reason;

namespace {

const model::Name issuer{"default", "issuer"};
const std::string uri = "https://issuer.test/keys";

/// A JWTProvider with a server of key sets, and a policy and a filter that ask for its tokens.
struct Fixture {
  TestCatalog catalog;
  Fixture() {
    catalog.put(gateway_class(model::strait_controller));
    catalog.put(http_gateway());
    auto provider = named<model::JwtProvider>("default", "issuer");
    provider.remote_uri = uri;
    catalog.put(provider);
    auto policy = named<model::GatewayPolicy>("default", "policy");
    policy.target_group = "gateway.networking.k8s.io";
    policy.target_kind = "Gateway";
    policy.target_name = "edge";
    policy.default_jwt = required();
    catalog.put(policy);
    auto filter = named<model::RouteAuthFilter>("default", "filter");
    filter.jwt = required();
    catalog.put(filter);
  }
  static model::JwtRequirement required() { return {{{"issuer", {}}}}; }
  void keep(const std::string& from, const std::string& jwks, const std::string& problem) {
    catalog.apply(catalog::WriteKeySet{{.provider = issuer,
                                        .uri = from,
                                        .jwks = jwks,
                                        .fetched = WallTime{Millis{1'700'000'000'000}},
                                        .problem = problem}});
  }
  /// The key set that tokens are held against.
  std::string jwks() {
    Topics depends;
    auto jwt = jwt_of(catalog.view(), "default", required(), depends);
    CHECK(depends.contains({Kind::jwt_provider, issuer}));
    REQUIRE(jwt);
    return jwt->providers.at(0).jwks;
  }
  /// What provider, policy and filter say alike of their references.
  model::Condition references() {
    std::vector<model::Condition> all;
    for (auto key : {model::ObjectKey{Kind::jwt_provider, issuer},
                     model::ObjectKey{Kind::gateway_policy, {"default", "policy"}},
                     model::ObjectKey{Kind::route_auth_filter, {"default", "filter"}}}) {
      auto resolved = resolve_policy(catalog.view(), key);
      REQUIRE(resolved);
      CHECK(resolved->status.object == key);
      CHECK(resolved->depends.contains({Kind::key_set, issuer}));
      auto& conditions = resolved->status.conditions;
      REQUIRE(conditions.size() == 2);
      CHECK(conditions[0].type == model::ConditionType::accepted);
      CHECK(conditions[0].reason == Reason::accepted);
      conditions[1].observed_generation = 0;
      all.push_back(conditions[1]);
    }
    CHECK(all[0] == all[1]);
    CHECK(all[0] == all[2]);
    return all[0];
  }
};

} // namespace

TEST_CASE_METHOD(Fixture, "a key set that was never fetched has no keys, and the status says so") {
  CHECK(jwks().empty());
  auto said = references();
  CHECK_FALSE(said.status);
  CHECK(said.reason == Reason::key_set_not_fetched);
  CHECK(said.message == "JWTProvider default/issuer: the key set at https://issuer.test/keys is "
                        "not fetched yet: none of its tokens passes");
  keep(uri, "", "refused");
  CHECK(jwks().empty());
  CHECK(references().message ==
        "JWTProvider default/issuer: the key set at https://issuer.test/keys cannot be fetched: "
        "refused: none of its tokens passes");
}

TEST_CASE_METHOD(Fixture, "tokens are held against what was fetched") {
  keep(uri, "keys", "");
  CHECK(jwks() == "keys");
  CHECK(references().status);
}

TEST_CASE_METHOD(Fixture,
                 "the last good key set goes on when a fetch fails, and the status says why") {
  keep(uri, "keys", "refused");
  CHECK(jwks() == "keys");
  auto said = references();
  CHECK(said.reason == Reason::key_set_not_fetched);
  CHECK(said.message == "JWTProvider default/issuer: the key set at https://issuer.test/keys "
                        "cannot be fetched: refused; the one that came first at "
                        "2023-11-14T22:13:20Z goes on");
}

TEST_CASE_METHOD(Fixture, "what another server said means nothing") {
  keep("https://other.test/keys", "keys", "");
  CHECK(jwks().empty());
  CHECK(references().reason == Reason::key_set_not_fetched);
}

TEST_CASE_METHOD(Fixture, "a local key set counts before any that was fetched") {
  keep(uri, "keys", "");
  auto provider = named<model::JwtProvider>("default", "issuer");
  provider.local_jwks = "local";
  catalog.put(provider);
  CHECK(jwks() == "local");
  auto resolved = resolve_policy(catalog.view(), {Kind::jwt_provider, issuer});
  CHECK(resolved->status.conditions.at(1).status);
  CHECK(resolved->depends.empty());
}

TEST_CASE_METHOD(Fixture, "a JWTProvider with what is not supported says so") {
  auto provider = named<model::JwtProvider>("default", "issuer");
  provider.remote_uri = uri;
  provider.unsupported.push_back({"spec.forwarding"});
  catalog.put(provider);
  auto said = resolve_policy(catalog.view(), {Kind::jwt_provider, issuer})->status.conditions.at(0);
  CHECK(said.reason == Reason::invalid);
  CHECK_THAT(said.message, Catch::Contains("spec.forwarding"));
}
