#include "gateway/feed/feed_codec.hpp"

#include "gateway/snapshot/field_changes.hpp"
#include "gateway/snapshot/random_config.hpp"
#include "proto/proxy_config.pb.h"

#include <catch2/catch.hpp>
#include <google/protobuf/message.h>
#include <google/protobuf/unknown_field_set.h>

#include <functional>
#include <random>
#include <set>

using namespace strait;
using namespace strait::gateway;
using namespace strait::gateway::feed;

namespace {

Config random_config(std::uint64_t seed, int changes) {
  std::mt19937_64 random{seed};
  RandomConfig make{[&](std::size_t limit) { return random() % limit; }};
  Delta delta{.epoch = seed};
  for (int i = 0; i < changes; ++i)
    make.change_something(delta);
  return apply({}, delta);
}

template <class T>
bool same(const Resources<T>& a, const Resources<T>& b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](auto& x, auto& y) {
           return x.first == y.first && *x.second == *y.second;
         });
}
bool same(const Config& a, const Config& b) {
  return a.epoch == b.epoch && same(a.listeners, b.listeners) && same(a.routes, b.routes) &&
         same(a.clusters, b.clusters) && same(a.certificates, b.certificates) &&
         same(a.exports, b.exports) && same(a.trust, b.trust);
}

} // namespace

TEST_CASE("a delta that is encoded and decoded is the same delta") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    auto from = random_config(seed, 60);
    auto to = random_config(seed + 1000, 60);
    auto delta = difference(from, to);
    auto bytes = encode(delta);
    auto decoded = decode(bytes);
    REQUIRE(decoded);
    CHECK(decoded->from == seed);
    REQUIRE(same(apply(from, *decoded), to));
    REQUIRE(encode(*decoded) == bytes);
    auto everything = decode(encode(whole(to)));
    REQUIRE(everything);
    REQUIRE(same(apply({}, *everything), to));
  }
}

namespace {

/// Encodes one resource, checks that it is decoded the same, and gives the bytes.
template <class T>
std::string there_and_back(Changed<T> Delta::*member, const std::string& key, const T& value) {
  Delta delta{.epoch = 1};
  (delta.*member).emplace_back(key, std::make_shared<T>(value));
  auto bytes = encode(delta);
  auto decoded = decode(bytes);
  REQUIRE(decoded);
  REQUIRE((*decoded.*member).size() == 1);
  CHECK((*decoded.*member)[0].first == key);
  CHECK(*(*decoded.*member)[0].second == value);
  return bytes;
}

template <class T>
void each_change_is_carried(const T& full, const test::FieldChanges<T>& changes,
                            const std::function<std::string(const T&)>& carry) {
  std::set<std::string> seen{carry(full)};
  for (const auto& [field, change] : changes) {
    auto changed = full;
    change(changed);
    INFO(field);
    CHECK(seen.insert(carry(changed)).second);
  }
}

} // namespace

TEST_CASE("each field of each resource is carried") {
  const auto carry_route = [](const BoundRoute& route) {
    return there_and_back(&Delta::routes, binding_key("http", route.id), route);
  };
  each_change_is_carried<HttpRule>(
      test::full_rule(), test::rule_changes(),
      [&](const HttpRule& rule) { return carry_route(test::route_of(rule)); });
  std::set<std::string> seen;
  for (const auto& route : test::different_routes())
    CHECK(seen.insert(carry_route(route)).second);
  each_change_is_carried<Listener>(
      test::full_listener(), test::listener_changes(), [](const Listener& listener) {
        return there_and_back(&Delta::listeners, listener.name, listener);
      });
  each_change_is_carried<Cluster>(
      test::full_cluster(), test::cluster_changes(),
      [](const Cluster& cluster) { return there_and_back(&Delta::clusters, cluster.id, cluster); });
}

TEST_CASE("a delta may hold any byte, and the oldest time there is") {
  const std::string bytes{"\0\xff\xfe/\n", 5};
  auto route = std::make_shared<BoundRoute>(BoundRoute{
      .id = bytes,
      .created = WallTime{Millis{-5}},
      .route = HttpRoute{
          .rules = {HttpRule{.matches = {{.path = bytes, .headers = {{{}, bytes, bytes}}}}}}}});
  Delta delta{.epoch = 1};
  delta.routes.emplace_back(binding_key("http", bytes), route);
  auto decoded = decode(encode(delta));
  REQUIRE(decoded);
  REQUIRE(decoded->routes.size() == 1);
  CHECK(decoded->routes[0].first == "http/" + bytes);
  CHECK(*decoded->routes[0].second == *route);
}

TEST_CASE("bytes that are no delta give an error") {
  auto bytes = encode(whole(random_config(3, 60)));
  CHECK(decode("\x0f").error().code == Errc::corrupt);
  CHECK(decode("")); // Nothing changes from nothing: the caller judges its epoch.
  for (std::size_t length = 0; length < bytes.size(); length += 13)
    decode(std::string_view{bytes}.substr(0, length)); // Must not crash.
  std::mt19937_64 random{9};
  for (int i = 0; i < 500; ++i) {
    auto flipped = bytes;
    flipped[random() % flipped.size()] ^= static_cast<char>(1 << random() % 8);
    if (auto decoded = decode(flipped))
      encode(*decoded);
  }
}

TEST_CASE("values out of range name the resource and the field") {
  auto refused = [](auto change) {
    proxy::v1::Delta delta;
    delta.set_epoch(1);
    change(delta);
    auto decoded = decode(delta.SerializeAsString());
    REQUIRE_FALSE(decoded);
    CHECK(decoded.error().code == Errc::invalid);
    return decoded.error().detail;
  };
  CHECK(refused([](auto& delta) {
          auto& listener = *delta.add_listeners();
          listener.set_name("http");
          listener.set_port(65536);
          listener.set_protocol(proxy::v1::PROTOCOL_HTTP);
        }) == "delta: listener 'http': port: 65536 must be 0..65535");
  CHECK(refused([](auto& delta) {
          delta.add_listeners()->set_name("new");
          delta.mutable_listeners(0)->set_protocol(static_cast<proxy::v1::Protocol>(9));
        }) == "delta: listener 'new': protocol: 9 is unknown");
  CHECK(refused([](auto& delta) { delta.add_clusters(); }) ==
        "delta: cluster '': key: must not be empty");
  CHECK(refused([](auto& delta) {
          auto& cluster = *delta.add_clusters();
          cluster.set_id("web");
          for (std::size_t i = 0; i <= failover_max; ++i)
            cluster.add_failover("peer/dc2/web");
        }) == "delta: cluster 'web': failover: 9 clusters are more than 8");
  CHECK(refused([](auto& delta) {
          auto& route = *delta.add_routes();
          route.set_listener("http");
          route.set_id("web");
        }) == "delta: route 'http/web': route: is of an unknown kind");
  CHECK(refused([](auto& delta) {
          auto& route = *delta.add_routes();
          route.set_listener("http");
          route.set_id("web");
          route.mutable_http()->add_rules()->add_backends()->set_weight(1000001);
        }) == "delta: route 'http/web': weight: 1000001 must be 0..1000000");
  CHECK(refused([](auto& delta) {
          auto& route = *delta.add_routes();
          route.set_listener("http");
          route.set_id("web");
          route.mutable_http()->add_rules()->add_matches()->set_path("/");
        }) == "delta: route 'http/web': path_type: 0 must be 1..3");
}

namespace {

/// Calls visit(message) for the message and all that it holds.
template <class F>
void each_message(google::protobuf::Message& message, const F& visit) {
  visit(message);
  const auto& reflection = *message.GetReflection();
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const auto* field : fields) {
    if (field->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE)
      continue;
    if (!field->is_repeated()) {
      each_message(*reflection.MutableMessage(&message, field), visit);
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(message, field); ++i)
      each_message(*reflection.MutableRepeatedMessage(&message, field, i), visit);
  }
}

void add_types(const google::protobuf::Descriptor& type, std::set<std::string>& names) {
  if (!names.insert(type.full_name()).second)
    return;
  for (int i = 0; i < type.field_count(); ++i)
    if (const auto* of = type.field(i)->message_type())
      add_types(*of, names);
}

/// A delta with every kind of message in it.
proxy::v1::Delta full_delta() {
  Delta delta{.epoch = 1};
  const auto add = [](auto& changes, const std::string& key, auto value) {
    changes.emplace_back(key, std::make_shared<decltype(value)>(value));
  };
  add(delta.listeners, "https", test::full_listener());
  add(delta.clusters, "web", test::full_cluster());
  auto number = 0;
  for (auto route : test::different_routes()) {
    route.id = std::to_string(++number);
    add(delta.routes, binding_key("https", route.id), route);
  }
  add(delta.routes, binding_key("https", "full"), test::route_of(test::full_rule()));
  add(delta.certificates, "edge", Certificate{"edge", "chain", "key"});
  add(delta.exports, "api", PeeringExport{"api", "web", "dc2", {{"spiffe://a/b", true}}});
  add(delta.trust, "dc2", PeeringTrust{"dc2", "a", {"root"}});
  proxy::v1::Delta message;
  REQUIRE(message.ParseFromString(encode(delta)));
  return message;
}

} // namespace

TEST_CASE("a field that the program does not know is refused wherever it stands in a delta") {
  const auto full = full_delta();
  REQUIRE(decode(full.SerializeAsString()));
  std::set<std::string> wanted;
  add_types(*proxy::v1::Delta::descriptor(), wanted);
  std::set<std::string> seen;
  int messages = 0;
  auto copy = full;
  each_message(copy, [&](auto& message) {
    seen.insert(message.GetDescriptor()->full_name());
    ++messages;
  });
  CHECK(seen == wanted);
  for (int strange = 0; strange < messages; ++strange) {
    copy = full;
    int number = 0;
    std::string name;
    each_message(copy, [&](auto& message) {
      if (number++ != strange)
        return;
      name = message.GetDescriptor()->full_name();
      message.GetReflection()->MutableUnknownFields(&message)->AddVarint(1000, 1);
    });
    INFO(name);
    auto decoded = decode(copy.SerializeAsString());
    REQUIRE_FALSE(decoded);
    CHECK(decoded.error().code == Errc::invalid);
    CHECK_THAT(decoded.error().detail, Catch::Contains("holds a field that this program"));
  }
}

TEST_CASE("a filter with an unknown type or a number out of range is refused by name") {
  auto refused = [](auto change) {
    proxy::v1::Delta delta;
    auto& route = *delta.add_routes();
    route.set_listener("http");
    route.set_id("web");
    change(*route.mutable_http()->add_rules());
    auto decoded = decode(delta.SerializeAsString());
    REQUIRE_FALSE(decoded);
    CHECK(decoded.error().code == Errc::invalid);
    const std::string where = "delta: route 'http/web': ";
    REQUIRE(decoded.error().detail.starts_with(where));
    return decoded.error().detail.substr(where.size());
  };
  using Rule = proxy::v1::HttpRule;
  CHECK(refused([](Rule& rule) { rule.mutable_rewrite()->mutable_path(); }) ==
        "path edit type: 0 must be 1..2");
  CHECK(refused([](Rule& rule) {
          rule.mutable_redirect()->mutable_path()->set_type(
              static_cast<proxy::v1::PathEditType>(3));
        }) == "path edit type: 3 must be 1..2");
  CHECK(refused([](Rule& rule) { rule.add_jwt()->add_providers()->add_locations(); }) ==
        "jwt location type: 0 must be 1..3");
  CHECK(refused([](Rule& rule) {
          rule.add_jwt()->add_providers()->add_locations()->set_type(
              static_cast<proxy::v1::JwtLocationType>(4));
        }) == "jwt location type: 4 must be 1..3");
  CHECK(refused([](Rule& rule) { rule.mutable_redirect()->set_port(65536); }) ==
        "redirect.port: 65536 must be 0..65535");
  CHECK(refused([](Rule& rule) { rule.mutable_redirect()->set_status(600); }) ==
        "redirect.status: 600 must be 0..599");
  CHECK(refused([](Rule& rule) { rule.mutable_auth()->set_refusal(600); }) ==
        "auth.refusal: 600 must be 0..599");
  CHECK(refused([](Rule& rule) { rule.mutable_retry()->add_codes(600); }) ==
        "retry.codes: 600 must be 0..599");
  CHECK(refused([](Rule& rule) { rule.set_request_timeout_ms(-1); }) ==
        "request_timeout_ms: -1 must be 0..1000000000000");
  CHECK(refused([](Rule& rule) { rule.set_idle_timeout_ms(1'000'000'000'001); }) ==
        "idle_timeout_ms: 1000000000001 must be 0..1000000000000");
}

TEST_CASE("a delta has a maximum of bytes and of resources") {
  CHECK(decode(std::string(max_delta_bytes + 1, '\0')).error().code == Errc::exhausted);
  std::string many; // Field 9, removed_listeners, empty: two bytes each.
  for (std::size_t i = 0; i <= max_delta_resources; ++i)
    many += {'\x4a', '\0'};
  CHECK(decode(many).error().code == Errc::exhausted);
  many.resize(many.size() - 2);
  CHECK(decode(many));
}

TEST_CASE("frames that are encoded and decoded are the same frames") {
  const ProxyFrame proxy_frames[] = {Hello{"default", "edge", "p1", "0.1", 7, "abc", true, "b:1"},
                                     Ack{7, {"one", "two \xff"}, true},
                                     ProxyStatus{7, {{"requests", 12}}}};
  for (const auto& frame : proxy_frames)
    CHECK(decode_proxy_frame(encode(frame)).value() == frame);
  CHECK(std::get<Heartbeat>(*decode_config_frame(encode(ConfigFrame{Heartbeat{9}}))).epoch == 9);
  CHECK(std::get<Refuse>(*decode_config_frame(encode(ConfigFrame{Refuse{"no"}}))).why == "no");
  const std::string longest(max_address_bytes, 'a');
  const AgentRedirect redirect{longest};
  CHECK(std::get<AgentRedirect>(*decode_config_frame(encode(ConfigFrame{redirect}))) == redirect);
  for (const auto& address : {std::string{}, longest + "a"})
    CHECK_FALSE(decode_config_frame(encode(ConfigFrame{AgentRedirect{address}})));
  CHECK(decode_proxy_frame(encode(ProxyFrame{Hello{.unreachable = longest}})));
  CHECK_FALSE(decode_proxy_frame(encode(ProxyFrame{Hello{.unreachable = longest + "a"}})));
  auto delta = whole(random_config(4, 30));
  CHECK(encode(std::get<Delta>(*decode_config_frame(encode(ConfigFrame{delta})))) == encode(delta));

  CHECK(decode_proxy_frame("").error().code == Errc::corrupt);
  CHECK(decode_config_frame("").error().code == Errc::corrupt);
  CHECK(decode_config_frame("\x0a\x01\x0f").error().code == Errc::corrupt);
  CHECK(decode_proxy_frame(encode(ProxyFrame{Ack{1, std::vector<std::string>(66), false}}))
            .error()
            .code == Errc::exhausted);
  ProxyStatus status;
  for (std::size_t i = 0; i <= max_status_counters; ++i)
    status.counters[std::to_string(i)] = i;
  CHECK(decode_proxy_frame(encode(ProxyFrame{status})).error().code == Errc::exhausted);
}

TEST_CASE("a digest tells configs apart, but not their epochs") {
  auto config = random_config(5, 40);
  auto other = config;
  other.epoch = 77;
  CHECK(digest(config) == digest(other));
  CHECK(digest(config).size() == 64);
  other.trust = other.trust.with("dc9", std::make_shared<PeeringTrust>());
  CHECK(digest(config) != digest(other));
}
