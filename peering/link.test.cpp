#include "peering/link.hpp"

#include "catalog/catalog.hpp"
#include "peering/authority.hpp"

#include <catch2/catch.hpp>

using namespace strait;
using namespace strait::peering;

namespace {

const std::string service_url{type_url(Resource::exported_service)};
const std::string list_url{type_url(Resource::exported_service_list)};

template <class T>
std::vector<T> all(const Link::Effects& effects) {
  std::vector<T> found;
  for (const auto& effect : effects)
    if (auto* one = std::get_if<T>(&effect))
      found.push_back(*one);
  return found;
}
template <class T>
std::vector<T> sent(const Link::Effects& effects) {
  std::vector<T> found;
  for (const auto& send : all<Link::Send>(effects))
    if (auto* one = std::get_if<T>(&send.message))
      found.push_back(*one);
  return found;
}

/// A dialing link with a catalog that exports some services.
struct Fixture {
  catalog::Catalog catalog;
  LinkOptions options{.peering = {.name = "dc2",
                                  .state = model::PeeringState::establishing,
                                  .peer_id = "peer",
                                  .peer_server_addresses = {"a:1", "b:1"}},
                      .stream_secret = "secret",
                      .store_id = "ours",
                      .exports = {.datacenter = "dc1"},
                      .backoff = {.first = Millis{1000}, .jitter_percent = 0}};
  std::optional<Link> link;
  Moment now{Instant{Millis{1'000'000}}, WallTime{Millis{1}}};

  void write(const catalog::Command& command) { REQUIRE(catalog.apply(command, now.wall)); }
  void service(const std::string& name, const std::string& text = "") {
    catalog::Register r{.node = {.name = "n", .address = "1.1.1.1"}};
    r.instance =
        model::ServiceInstance{.node = "n", .id = name, .service = name, .meta = {{"t", text}}};
    write(r);
  }
  void export_all() {
    model::ExportedServices entry;
    entry.services = {{"*", {"dc2"}}};
    write(catalog::Put{entry, {}});
  }
  Link::Effects changed() { return link->exports_changed(now, catalog.view()); }
  Link::Effects tick(Millis by) {
    now.instant += by;
    now.wall += by;
    return link->tick(now);
  }
  /// Dials, and is connected.
  Link::Effects live() {
    link.emplace(options);
    changed();
    tick(Millis{0});
    auto dial = all<Link::Dial>(tick(options.first_dial_delay));
    REQUIRE(dial.size() == 1);
    return link->connected(now, dial[0].stream);
  }
  Link::Effects receive(Message message) { return link->received(now, 1, std::move(message)); }
  Link::Effects subscribe() {
    receive(Request{.url = list_url});
    return receive(Request{.url = service_url});
  }
};

} // namespace

TEST_CASE_METHOD(Fixture, "the dialer opens, subscribes in Consul's order and beats at once") {
  auto effects = live();
  auto sends = all<Link::Send>(effects);
  REQUIRE(sends.size() == 6);
  CHECK(std::get<Open>(sends[0].message) == Open{"peer", "secret", {"", "dc1"}});
  for (int i = 0; i < resource_count; ++i) {
    auto request = std::get<Request>(sends[static_cast<std::size_t>(i) + 1].message);
    CHECK(request.url == type_url(static_cast<Resource>(i)));
    CHECK(request.peer_id == "peer");
    CHECK(request.nonce.empty());
    CHECK_FALSE(request.failure);
  }
  CHECK(std::holds_alternative<Heartbeat>(sends[5].message));
}

TEST_CASE_METHOD(Fixture, "the acceptor does not open, nor ask for server addresses") {
  options.peering.peer_server_addresses.clear();
  options.peering.peer_id.clear();
  link.emplace(options);
  auto effects = link->accepted(now, 77);
  CHECK(sent<Open>(effects).empty());
  auto requests = sent<Request>(effects);
  REQUIRE(requests.size() == 3);
  CHECK(requests[0].peer_id.empty());

  SECTION("nor does it take any: it would become a dialer") {
    std::string url{type_url(Resource::server_addresses)};
    auto bytes = std::make_shared<const std::string>(encode_payload(ServerAddresses{{"a:1"}}));
    auto answer = sent<Request>(link->received(now, 77, Response{"1", url, "x", url, bytes}));
    REQUIRE(answer.size() == 1);
    REQUIRE(answer[0].failure);
    CHECK(answer[0].failure->code == Code::invalid_argument);
  }
  SECTION("a newer stream takes the place of an older one") {
    auto next = link->accepted(now, 78);
    auto hang_up = all<Link::HangUp>(next);
    REQUIRE(hang_up.size() == 1);
    CHECK(hang_up[0].stream == 77);
    CHECK(link->phase() == Link::Phase::live);
    CHECK(link->received(now, 77, Terminated{}).empty()); // Of the old one: nobody listens.
    CHECK(link->phase() == Link::Phase::live);
  }
}

TEST_CASE_METHOD(Fixture, "responses are numbered, credited, and coalesced by resource") {
  for (int i = 0; i < 10; ++i)
    service("s" + std::to_string(i));
  export_all();
  options.export_limits.unacked_max = 3;
  live();
  auto first = sent<Response>(receive(Request{.url = service_url}));
  REQUIRE(first.size() == 3);
  CHECK(first[0].nonce == "00000001");
  CHECK(first[2].nonce == "00000003");
  CHECK(first[0].payload_url == service_url);

  // While nothing is acknowledged, changes wait, one for each resource, the latest wins.
  for (int i = 0; i < 5; ++i) {
    service("s0", std::to_string(i));
    tick(Millis{100});
    CHECK(sent<Response>(changed()).empty());
  }
  int responses = 3;
  std::vector<Response> open = first;
  while (!open.empty()) {
    auto ack = open.back();
    open.pop_back();
    for (auto& more : sent<Response>(receive(Request{.nonce = ack.nonce, .url = ack.url}))) {
      ++responses;
      open.push_back(more);
    }
  }
  CHECK(responses == 11); // Ten services, and the last change of s0.
  CHECK(link->status().exported.size() == 10);
}

TEST_CASE_METHOD(Fixture, "bytes that are not acknowledged are bounded") {
  for (int i = 0; i < 4; ++i)
    service("s" + std::to_string(i), std::string(1000, 'x'));
  export_all();
  options.export_limits.unacked_bytes_max = 2500;
  live();
  CHECK(sent<Response>(receive(Request{.url = service_url})).size() == 2);
}

TEST_CASE_METHOD(Fixture, "a refused resource is sent again after a while, and the operator told") {
  service("api");
  export_all();
  live();
  auto response = sent<Response>(subscribe());
  REQUIRE(response.size() == 1);
  auto effects = receive(Request{.nonce = response[0].nonce,
                                 .url = service_url,
                                 .failure = Request::Failure{Code::internal, "disk full"}});
  CHECK(sent<Response>(effects).empty());
  CHECK(link->status().last_error == "the peer refused api: disk full");
  CHECK(sent<Response>(tick(Millis{999})).empty());
  auto again = sent<Response>(tick(Millis{1}));
  REQUIRE(again.size() == 1);
  CHECK(again[0].id == "api");
  receive(Request{.nonce = again[0].nonce,
                  .url = service_url,
                  .failure = Request::Failure{Code::internal, "disk full"}});
  CHECK(sent<Response>(tick(Millis{1999})).empty()); // Twice as long.
  CHECK(sent<Response>(tick(Millis{1})).size() == 1);
}

TEST_CASE_METHOD(Fixture, "a resource that no peer could take is not sent") {
  service("big", std::string(5000, 'x'));
  service("small");
  export_all();
  options.export_limits.payload_bytes_max = 4000;
  live();
  auto responses = sent<Response>(receive(Request{.url = service_url}));
  REQUIRE(responses.size() == 1);
  CHECK(responses[0].id == "small");
}

TEST_CASE_METHOD(Fixture, "what cannot be imported is refused by name and code") {
  live();
  auto refused = [&](Response response) {
    auto requests = sent<Request>(receive(std::move(response)));
    REQUIRE(requests.size() == 1);
    REQUIRE(requests[0].failure);
    return *requests[0].failure;
  };
  auto bytes = [](std::string text) {
    return std::make_shared<const std::string>(std::move(text));
  };
  Response good{"1", service_url, "api", service_url, bytes("")};
  auto change = [&](auto edit) {
    auto bad = good;
    edit(bad);
    return refused(bad);
  };
  CHECK(change([](auto& r) { r.url = "type.googleapis.com/x"; }).code == Code::invalid_argument);
  CHECK(change([](auto& r) { r.nonce.clear(); }).code == Code::invalid_argument);
  CHECK(change([](auto& r) { r.upsert = false; }).code == Code::invalid_argument);
  CHECK(change([](auto& r) { r.payload = nullptr; }).code == Code::invalid_argument);
  CHECK(change([](auto& r) { r.payload_url = "other"; }).code == Code::internal);
  CHECK(change([&](auto& r) {
          r.payload = bytes("\xff");
        }).message.starts_with("upsert error, ResourceURL: "));

  auto effects = receive(good);
  CHECK(sent<Request>(effects).empty()); // Answered when it is committed, not before.
  auto apply = all<Link::Apply>(effects);
  REQUIRE(apply.size() == 1);
  SECTION("committed") {
    auto ack = sent<Request>(link->committed(now, apply[0].ticket, {}));
    REQUIRE(ack.size() == 1);
    CHECK(ack[0].nonce == "1");
    CHECK_FALSE(ack[0].failure);
    CHECK(link->committed(now, apply[0].ticket, {}).empty()); // Exactly once.
  }
  SECTION("refused by the catalog") {
    auto nack =
        sent<Request>(link->committed(now, apply[0].ticket, fail(Errc::exhausted, "disk full")));
    REQUIRE(nack.size() == 1);
    CHECK(nack[0].failure->code == Code::internal);
    CHECK(link->status().last_error.find("disk full") != std::string::npos);
  }
}

TEST_CASE_METHOD(Fixture, "reading pauses only while our own catalog is behind") {
  options.import_limits.uncommitted_max = 2;
  live();
  auto response = [&](std::string nonce) {
    return receive(Response{nonce, list_url, "exported-service-list", list_url,
                            std::make_shared<const std::string>()});
  };
  auto one = all<Link::Apply>(response("1"));
  CHECK(link->wants_read());
  response("2");
  CHECK_FALSE(link->wants_read());
  link->committed(now, one[0].ticket, {});
  CHECK(link->wants_read());
}

TEST_CASE_METHOD(Fixture,
                 "heartbeats go every 15 seconds, and two minutes of silence are the end") {
  live();
  CHECK(sent<Heartbeat>(tick(Millis{14'999})).empty());
  CHECK(sent<Heartbeat>(tick(Millis{1})).size() == 1);
  // Other messages are no sign of life.
  tick(Millis{100'000});
  receive(Request{.url = list_url});
  auto effects = tick(Millis{5'000});
  auto hang_up = all<Link::HangUp>(effects);
  REQUIRE(hang_up.size() == 1);
  CHECK(hang_up[0].why == "heartbeat timeout");
  CHECK(link->state() == model::PeeringState::failing);
  CHECK(link->status().last_error == "heartbeat timeout");
}

TEST_CASE_METHOD(Fixture, "a protocol error ends the stream with the code that Consul gives") {
  live();
  auto end = [&](Message message) {
    auto hang_up = all<Link::HangUp>(receive(std::move(message)));
    REQUIRE(hang_up.size() == 1);
    return hang_up[0];
  };
  SECTION("unknown resource") {
    CHECK(end(Request{.url = "x"}).why == "subscription request to unknown resource URL: x");
  }
  SECTION("a nonce in the first request") {
    CHECK(end(Request{.nonce = "1", .url = list_url}).code == Code::invalid_argument);
  }
  SECTION("open twice") { CHECK(end(Open{}).code == Code::invalid_argument); }
}

TEST_CASE_METHOD(Fixture, "dials go round the ring of addresses, later and later") {
  link.emplace(options);
  tick(Millis{0});
  CHECK(all<Link::Dial>(tick(Millis{149})).empty()); // ESTABLISHING can be seen.
  auto dial = all<Link::Dial>(tick(Millis{1}));
  std::vector<std::string> addresses;
  Millis wait{1000};
  for (int i = 0; i < 12; ++i) {
    REQUIRE(dial.size() == 1);
    addresses.push_back(dial[0].address);
    link->lost(now, dial[0].stream, Code::unavailable, "refused");
    CHECK(all<Link::Dial>(tick(wait - Millis{1})).empty());
    dial = all<Link::Dial>(tick(Millis{1}));
    wait = std::min(wait * 2, Millis{64'000});
  }
  CHECK(addresses[0] == "a:1");
  CHECK(addresses[1] == "b:1");
  CHECK(addresses[2] == "a:1");

  SECTION("the first heartbeat of a stream makes the wait short again") {
    link->connected(now, dial[0].stream);
    link->received(now, dial[0].stream, Heartbeat{});
    link->lost(now, dial[0].stream, Code::unavailable, "reset");
    CHECK(all<Link::Dial>(tick(Millis{1000})).size() == 1);
  }
  SECTION("a dial that hangs is given up") {
    auto effects = tick(options.dial_timeout);
    CHECK(all<Link::HangUp>(effects).size() == 1);
    CHECK(link->phase() == Link::Phase::idle);
  }
}

TEST_CASE("the wait before a dial follows the code, is capped, and never becomes zero") {
  Backoff backoff{{.jitter_percent = 25, .seed = 5}};
  std::vector<int> fast;
  for (int i = 0; i < 100; ++i)
    fast.push_back(static_cast<int>(backoff.next(Code::failed_precondition).count()));
  CHECK(std::vector<int>(fast.begin(), fast.begin() + 7) ==
        std::vector<int>{8, 8, 8, 8, 8, 16, 32});
  CHECK(fast.back() == 8192);
  CHECK(backoff.next(Code::resource_exhausted) <= Millis{8192});
  for (int i = 0; i < 200; ++i) {
    auto wait = backoff.next(Code::unavailable);
    CHECK(wait >= Millis{375});
    CHECK(wait <= Millis{64'000});
  }
  CHECK(backoff.next(Code::unavailable) >= Millis{48'000});
  backoff.reset();
  CHECK(backoff.next(Code::unavailable) <= Millis{500});
}

TEST_CASE_METHOD(Fixture,
                 "a peer that has deleted the peering ends it here, and nobody dials again") {
  live();
  SECTION("by Terminated") { receive(Terminated{}); }
  SECTION("by ABORTED, when Terminated was lost") {
    link->lost(now, 1, Code::aborted, "peering is marked as deleted");
  }
  CHECK(link->phase() == Link::Phase::terminated);
  CHECK(link->state() == model::PeeringState::terminated);
  CHECK(all<Link::Dial>(tick(Millis{3'600'000})).empty());

  auto peering = options.peering;
  peering.peer_id = "anew";
  link->peering_changed(now, peering, "other");
  tick(Millis{0});
  CHECK(all<Link::Dial>(tick(Millis{150})).size() == 1);
}

TEST_CASE_METHOD(Fixture, "deleting says Terminated, waits for the peer's end, and then forgets") {
  live();
  auto peering = options.peering;
  peering.state = model::PeeringState::deleting;
  auto effects = link->peering_changed(now, peering, "");
  CHECK(sent<Terminated>(effects).size() == 1);
  CHECK(all<Link::Drain>(effects).size() == 1);
  auto forgets = [](const Link::Effects& found) {
    auto applies = all<Link::Apply>(found);
    return applies.size() == 1 &&
           std::holds_alternative<catalog::ForgetPeering>(applies[0].command);
  };
  SECTION("the peer closes") { CHECK(forgets(link->lost(now, 1, Code::ok, ""))); }
  SECTION("the peer does not") { CHECK(forgets(tick(options.farewell_timeout))); }
  CHECK(link->phase() == Link::Phase::gone);
}

TEST_CASE_METHOD(Fixture, "the status is reported at most once a second, but a new state at once") {
  live();
  auto reports = [](const Link::Effects& effects) {
    int count = 0;
    for (const auto& apply : all<Link::Apply>(effects))
      count += std::holds_alternative<catalog::ReportPeering>(apply.command);
    return count;
  };
  tick(Millis{1000});
  int count = reports(receive(Heartbeat{}));
  for (int i = 0; i < 9; ++i) {
    count += reports(tick(Millis{100}));
    count += reports(receive(Heartbeat{}));
  }
  CHECK(count <= 1);
  CHECK(reports(link->lost(now, 1, Code::unavailable, "reset")) == 1);
}

TEST_CASE_METHOD(Fixture, "an ACTIVE from before a restart does not outlive the grace") {
  options.peering.state = model::PeeringState::active;
  options.peering.peer_server_addresses.clear(); // An acceptor: it can only wait.
  link.emplace(options);
  tick(Millis{0});
  tick(options.restart_grace - Millis{1});
  CHECK(link->state() == model::PeeringState::active);
  tick(Millis{1});
  CHECK(link->state() == model::PeeringState::failing);
}
