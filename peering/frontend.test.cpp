#include "peering/frontend.hpp"

#include "catalog/catalog.hpp"
#include "peering/authority.hpp"
#include "peering/names.hpp"
#include "peering/secrets.hpp"

#include <catch2/catch.hpp>

using namespace strait;
using namespace strait::peering;

namespace {

const std::string td1 = "11111111-2222-3333-4444-555555555555.consul";
const std::string td2 = "22222222-2222-3333-4444-555555555555.consul";
const WallTime now = from_rfc3339("2026-11-23T12:00:00Z");

struct Datacenter {
  catalog::Catalog catalog;
  FrontendContext context;

  Datacenter(std::string name, const std::string& trust_domain)
      : context{.datacenter = std::move(name), .server_addresses = {"127.0.0.1:8503"}} {
    write(catalog::WriteAuthority{make_authority(trust_domain, now).value()});
  }
  const catalog::View& view() const { return *catalog.view(); }
  Status write(const catalog::Command& command) {
    auto outcome = catalog.apply(command, now);
    return outcome ? Status{} : Status{fail(outcome.error())};
  }
  template <class Reply>
  Result<Reply> carry_out(Result<Plan<Reply>> plan) {
    if (!plan)
      return fail(plan.error());
    for (auto& command : plan->commands)
      if (auto ok = write(command); !ok)
        return fail(ok.error());
    return plan->reply;
  }
  int uuids = 0;
  FreshIds fresh() {
    ++uuids;
    return {fmt::format("{}-peering-{}", context.datacenter, uuids),
            fmt::format("{}-secret-{}", context.datacenter, uuids)};
  }
  Result<std::string> token(const std::string& peer) {
    return carry_out<std::string>(generate_token(view(), context, {.peer_name = peer}, fresh()));
  }
  Result<EstablishPlan> plan(const std::string& peer, const std::string& token) {
    return plan_establish(view(), context, {.peer_name = peer, .peering_token = token}, fresh());
  }
  Result<std::string> exchange(const Token& token) {
    return carry_out<std::string>(
        accept_exchange(view(), context, token.peer_id, token.establishment_secret, fresh()));
  }
  tl::expected<std::string, Refusal> open(const Message& first) {
    auto admission = admit(view(), context, first);
    if (!admission)
      return tl::unexpected<Refusal>(admission.error());
    for (auto& command : admission->commands)
      REQUIRE(write(command));
    return admission->peering;
  }
  void remove(const std::string& peer) {
    auto commands = delete_peering(view(), peer, now).value();
    for (auto& command : commands)
      REQUIRE(write(command));
  }
  const model::PeeringSecrets& secrets(const std::string& peer) {
    return *view().find<model::PeeringSecrets>({"", peer});
  }
};

struct Two {
  Datacenter dc1{"dc1", td1}, dc2{"dc2", td2};
};

} // namespace

TEST_CASE_METHOD(Two, "a token leads to a peering on both sides, in Consul's steps") {
  auto token = dc2.token("one").value();
  auto decoded = decode_token(token).value();
  CHECK(decoded.server_name == peering_server_name("dc2", td2));
  CHECK(decoded.server_addresses == std::vector<std::string>{"127.0.0.1:8503"});
  CHECK(read_peering(dc2.view(), "ONE").value()->value.state == model::PeeringState::pending);

  auto plan = dc1.plan("two", token).value();
  CHECK(list_peerings(dc1.view()).empty()); // Nothing before the exchange.
  auto secret = dc2.exchange(plan.token).value();
  REQUIRE(dc1.write(finish_establish(plan, secret)));
  auto record = read_peering(dc1.view(), "two").value();
  CHECK(record->value.state == model::PeeringState::establishing);
  CHECK(record->value.remote_datacenter == "dc2");
  CHECK(dc1.secrets("two").active_stream == secret);

  Open open{decoded.peer_id, secret, {"", "dc1"}};
  CHECK(dc2.secrets("one").pending_stream == secret);
  CHECK(dc2.open(open) == "one");
  CHECK(dc2.secrets("one").active_stream == secret);
  CHECK(dc2.secrets("one").pending_stream.empty());
  CHECK(read_peering(dc2.view(), "one").value()->value.remote_datacenter == "dc1");
  CHECK(dc2.open(open) == "one"); // A reconnect.

  SECTION("a new token on a live peering keeps its id and does not disturb the stream") {
    auto again = decode_token(dc2.token("one").value()).value();
    CHECK(again.peer_id == decoded.peer_id);
    CHECK(again.establishment_secret != decoded.establishment_secret);
    CHECK(dc2.open(open) == "one");
    auto next = dc2.exchange(again).value();
    CHECK(dc2.open(open) == "one"); // Until the new one is used.
    CHECK(dc2.open(Open{decoded.peer_id, next, {"", "dc1"}}) == "one");
    CHECK(dc2.open(open).error().code == Code::permission_denied);
  }
}

TEST_CASE_METHOD(Two, "an establishment secret is used once, even by two at the same time") {
  auto token = decode_token(dc2.token("one").value()).value();
  // Both plan from the same view; only one is committed.
  auto first = accept_exchange(dc2.view(), dc2.context, token.peer_id, token.establishment_secret,
                               dc2.fresh());
  auto second = accept_exchange(dc2.view(), dc2.context, token.peer_id, token.establishment_secret,
                                dc2.fresh());
  CHECK(dc2.carry_out<std::string>(first));
  CHECK(dc2.carry_out<std::string>(second).error().code == Errc::conflict);
  auto replanned = dc2.exchange(token);
  CHECK(replanned.error() == Error{Errc::denied, "invalid peering establishment secret"});

  SECTION("and not after a newer token was made") {
    auto newer = decode_token(dc2.token("one").value()).value();
    CHECK(dc2.exchange(token).error().code == Errc::denied);
    CHECK(dc2.exchange(newer));
  }
  SECTION("nor for a peering that does not exist, or that is being deleted") {
    auto other = token;
    other.peer_id = "nobody";
    CHECK(dc2.exchange(other).error().code == Errc::denied);
    auto newer = decode_token(dc2.token("one").value()).value();
    dc2.remove("one");
    CHECK(dc2.exchange(newer).error().code == Errc::denied);
  }
}

TEST_CASE_METHOD(Two, "what cannot be established is refused before anything is written") {
  auto refused = [&](const std::string& peer, const std::string& token) {
    auto revision = dc1.view().revision;
    auto plan = dc1.plan(peer, token);
    REQUIRE_FALSE(plan);
    CHECK(dc1.view().revision == revision);
    return plan.error();
  };
  auto token = dc2.token("one").value();
  CHECK(refused("Bad_Name", token).code == Errc::invalid);
  CHECK(refused("two", "garbage").code == Errc::invalid);
  auto own = dc1.token("self").value();
  CHECK(refused("two", own).detail.starts_with("cannot create a peering within the same cluster"));
  auto taken = refused("self", token); // An acceptor has the name.
  CHECK(taken.code == Errc::conflict);
  CHECK(taken.detail.starts_with("cannot create peering with name: \"self\""));
  auto partition = plan_establish(
      dc1.view(), dc1.context, {.peer_name = "two", .peering_token = token, .partition = "other"},
      dc1.fresh());
  CHECK(partition.error().detail.find("partition") != std::string::npos);

  SECTION("a dialer's name is taken for a token") {
    auto plan = dc1.plan("two", token).value();
    REQUIRE(dc1.write(finish_establish(plan, "secret")));
    CHECK(dc1.token("two").error().code == Errc::conflict);
  }
  SECTION("an active peering with another datacenter is not replaced, a failing one is") {
    auto plan = dc1.plan("two", token).value();
    REQUIRE(dc1.write(finish_establish(plan, "secret")));
    REQUIRE(dc1.write(catalog::ReportPeering{.name = "two", .state = model::PeeringState::active}));
    auto other = dc2.token("another").value();
    CHECK(refused("two", other).code == Errc::conflict);
    REQUIRE(
        dc1.write(catalog::ReportPeering{.name = "two", .state = model::PeeringState::failing}));
    CHECK(dc1.plan("two", other));
  }
  SECTION("two that establish one name at the same time: one wins") {
    auto first = dc1.plan("two", token).value();
    auto second = dc1.plan("two", dc2.token("another").value()).value();
    REQUIRE(dc1.write(finish_establish(first, "a")));
    CHECK(dc1.write(finish_establish(second, "b")).error().code == Errc::conflict);
  }
}

TEST_CASE_METHOD(Two, "a token needs TLS, an authority, and sane parameters") {
  auto refused = [&](const GenerateTokenRequest& request) {
    return generate_token(dc1.view(), dc1.context, request, dc1.fresh()).error();
  };
  CHECK(refused({.peer_name = ""}).code == Errc::invalid);
  CHECK(refused({.peer_name = "a", .server_external_addresses = {"x"}}).detail ==
        "peering a: x is not a valid peering server address");
  model::StringMap meta;
  for (int i = 0; i < 65; ++i)
    meta[std::to_string(i)] = "v";
  CHECK(refused({.peer_name = "a", .meta = meta}).code == Errc::invalid);
  CHECK(refused({.peer_name = "a", .meta = {{"k", std::string(513, 'v')}}}).code == Errc::invalid);
  CHECK(refused({.peer_name = "a", .meta = {{std::string(129, 'k'), "v"}}}).code == Errc::invalid);
  CHECK(
      refused({.peer_name = "a", .server_external_addresses = std::vector<std::string>(65, "a:1")})
          .code == Errc::exhausted);
  FrontendLimits one;
  one.peerings_max = 1;
  REQUIRE(dc1.token("first"));
  CHECK(generate_token(dc1.view(), dc1.context, {.peer_name = "second"}, dc1.fresh(), one)
            .error()
            .code == Errc::exhausted);
  catalog::Catalog empty;
  CHECK(generate_token(*empty.view(), dc1.context, {.peer_name = "a"}, {}).error().detail ==
        "CA has not finished initializing");
  dc1.context.tls = false;
  CHECK(refused({.peer_name = "a"}).detail ==
        "TLS for gRPC must be enabled when generating peering tokens");
  dc1.context.tls = true;
  auto external =
      generate_token(dc1.view(), dc1.context,
                     {.peer_name = "a", .server_external_addresses = {"gw:443"}}, dc1.fresh())
          .value();
  CHECK(decode_token(external.reply)->manual_server_addresses ==
        std::vector<std::string>{"gw:443"});
}

TEST_CASE_METHOD(Two, "streams are judged in Consul's order") {
  auto token = decode_token(dc2.token("one").value()).value();
  auto secret = dc2.exchange(token).value();
  Open open{token.peer_id, secret, {"", "dc1"}};
  auto refused = [&](const Message& first) { return dc2.open(first).error(); };

  CHECK(refused(Heartbeat{}).message == "first message when initiating a peering must be: Open");
  CHECK(refused(Open{}).code == Code::invalid_argument);
  CHECK(refused(Open{"nobody", secret, {}}).message ==
        "initial subscription for unknown PeerID: nobody");
  CHECK(refused(Open{token.peer_id, "wrong", {}}).message == "invalid peering stream secret");
  CHECK(refused(Open{token.peer_id, "", {}}).code == Code::permission_denied);

  SECTION("another server owns the streams") {
    dc2.context.owns_streams = false;
    dc2.context.leader_address = "10.0.0.9:8503";
    auto refusal = refused(Heartbeat{});
    CHECK(refusal.code == Code::failed_precondition);
    CHECK(refusal.leader_address == "10.0.0.9:8503");
  }
  SECTION("the peering is being deleted") {
    dc2.remove("one");
    auto refusal = refused(open);
    CHECK(refusal.code == Code::aborted);
    CHECK(refusal.terminated);
    CHECK(refusal.message == "peering is marked as deleted: " + token.peer_id);
  }
  SECTION("it was terminated from the other side") {
    REQUIRE(dc2.write(catalog::ForgetPeering{"one", true}));
    CHECK(refused(open).code == Code::aborted);
    CHECK_FALSE(refused(open).terminated);
    // A new token makes it usable again, with a secret that is really stored.
    auto again = decode_token(dc2.token("one").value()).value();
    CHECK(dc2.exchange(again));
  }
  SECTION("the wrong end") {
    auto plan = dc1.plan("two", encode_token(token)).value();
    REQUIRE(dc1.write(finish_establish(plan, "secret")));
    auto id = read_peering(dc1.view(), "two").value()->value.id;
    CHECK(dc1.open(Open{id, "secret", {}}).error().message.find("wrong end") != std::string::npos);
  }
}

TEST_CASE_METHOD(Two, "reading, deleting and trust") {
  CHECK(read_peering(dc1.view(), "x").error() ==
        Error{Errc::not_found, "Peering not found for \"x\""});
  CHECK(delete_peering(dc1.view(), "x", now)->empty());
  CHECK_FALSE(delete_peering(dc1.view(), "", now));
  for (auto* name : {"a", "b", "c"}) {
    REQUIRE(dc1.token(name));
    REQUIRE(dc1.write(catalog::ImportTrust{{.peer = name, .trust_domain = td2}}));
  }
  model::ExportedServices entry;
  entry.services = {{"api", {"a"}}, {"*", {"b"}}};
  REQUIRE(dc1.write(catalog::Put{entry, {}}));
  auto peers = [&](auto service, auto kind) {
    std::vector<std::string> names;
    for (auto& record : list_trust_bundles(dc1.view(), service, kind))
      names.push_back(record->value.peer);
    return names;
  };
  CHECK(peers("api", "") == std::vector<std::string>{"a"}); // The exact name beats the wildcard.
  CHECK(peers("web", "") == std::vector<std::string>{"b"});
  CHECK(peers("", "mesh-gateway").size() == 3);
  CHECK(read_trust_bundle(dc1.view(), "A")->value.trust_domain == td2);
  CHECK_FALSE(read_trust_bundle(dc1.view(), "z"));

  dc1.remove("B");
  CHECK(read_peering(dc1.view(), "b").value()->value.state == model::PeeringState::deleting);
  CHECK(read_peering(dc1.view(), "b").value()->value.deleted_at == now);
  CHECK_FALSE(dc1.view().find<model::PeeringSecrets>({"", "b"}));
  CHECK(peers("web", "").empty());
  CHECK(delete_peering(dc1.view(), "b", now)->empty()); // Already on its way.
  CHECK(dc1.token("b").error().detail.find("marked for deletion") != std::string::npos);
}

TEST_CASE("an empty secret opens nothing") {
  CHECK_FALSE(exchange_secret({}, "", "next"));
  CHECK_FALSE(open_stream({}, ""));
}
