#include "catalog/record_codec.hpp"

#include "catalog/random_records.hpp"
#include "proto/records.pb.h"

#include <catch2/catch.hpp>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

using namespace strait;
using namespace strait::catalog;
using namespace std::literals;

namespace strait::catalog::wire {

/// Fits wherever a member is initialised, so that an aggregate's members can be counted. Never run.
struct Any {
  template <class T>
  operator T() const;
};

namespace {

template <class T, class... Members>
constexpr std::size_t members() {
  if constexpr (requires { T{Members{}..., Any{}}; })
    return members<T, Members..., Any>();
  else
    return sizeof...(Members);
}
/// Counts the listed fields of a struct and checks those of every struct inside.
struct Counter {
  std::size_t count = 0;
  template <class T>
  void operator()(std::uint32_t number, T&) {
    ++count;
    CHECK(number == count); // Numbers without gaps, as long as nothing was ever removed.
    check<T>();
  }
  template <class T>
  void operator()(std::uint32_t number, T& value, T) {
    (*this)(number, value);
  }
  template <class T>
  static void check() {
    if constexpr (wire::IsOptional<T>::value || wire::IsVector<T>::value)
      check<typename T::value_type>();
    else if constexpr (wire::IsMap<T>::value)
      check<typename T::mapped_type>();
    else if constexpr (!wire::Scalar<T> && !wire::IsVariant<T>::value &&
                       !std::is_same_v<T, std::string>) {
      T value;
      Counter counter;
      fields(counter, value);
      INFO(typeid(T).name());
      CHECK(counter.count == members<T>());
    }
  }
};

} // namespace
} // namespace strait::catalog::wire

namespace {

StoredRecord random_record(wire::Filler& filler, std::size_t kind) {
  StoredRecord record;
  std::size_t index = 0;
  each_kind([&]<class T>() {
    if (index++ == kind)
      filler.fill(record.value.emplace<T>());
  });
  record.created = 1 + filler.below(1000);
  record.modified = record.created + filler.below(1000);
  return record;
}

void no_unknown_fields(const google::protobuf::Message& message) {
  auto* reflection = message.GetReflection();
  CHECK(reflection->GetUnknownFields(message).empty());
  std::vector<const google::protobuf::FieldDescriptor*> present;
  reflection->ListFields(message, &present);
  for (auto* field : present) {
    if (field->message_type() == nullptr)
      continue;
    if (!field->is_repeated())
      no_unknown_fields(reflection->GetMessage(message, field));
    else
      for (int i = 0; i < reflection->FieldSize(message, field); ++i)
        no_unknown_fields(reflection->GetRepeatedMessage(message, field, i));
  }
}

} // namespace

TEST_CASE("every member of every record is in the list of fields") {
  each_kind([]<class T>() { wire::Counter::check<T>(); });
  wire::Counter::check<model::RequestHeaderModifier>();
  wire::Counter::check<model::ResponseHeaderModifier>();
  wire::Counter::check<model::UnsupportedFilter>();
  wire::Counter::check<model::RequestMirror>();
  wire::Counter::check<model::RequestRedirect>();
  wire::Counter::check<model::UrlRewrite>();
  wire::Counter::check<model::Cors>();
  wire::Counter::check<model::ExternalAuth>();
  wire::Counter::check<model::ExtensionRef>();
}

TEST_CASE("decoding what was encoded gives the same record") {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    wire::Filler filler{seed};
    for (std::size_t kind = 0; kind < std::variant_size_v<AnyRecord>; ++kind) {
      auto record = random_record(filler, kind);
      auto key = key_of(record.value);
      auto bytes = encode_record(record.value, record.created, record.modified);
      auto decoded = decode_record(key, bytes);
      INFO("seed " << seed << " " << model::to_string(key.kind));
      REQUIRE(decoded);
      CHECK(*decoded == record);
      CHECK(decode_key(encode_key(key)) == key);
      CHECK(encode_record(decoded->value, decoded->created, decoded->modified) == bytes);
    }
  }
}

TEST_CASE("a record is the message that proto/records.proto describes") {
  for (std::uint64_t seed = 100; seed < 120; ++seed) {
    wire::Filler filler{seed};
    for (std::size_t kind = 0; kind < std::variant_size_v<AnyRecord>; ++kind) {
      auto record = random_record(filler, kind);
      records::v1::Record message;
      auto bytes = encode_record(record.value, record.created, record.modified);
      INFO("seed " << seed << " " << model::to_string(key_of(record.value).kind));
      REQUIRE(message.ParseFromString(bytes));
      no_unknown_fields(message);
      CHECK(message.modified() == record.modified);
      CHECK(message.value_case() == 10 + static_cast<int>(key_of(record.value).kind));
      // What another writer of the same schema makes of it is the same record.
      auto again = decode_record(key_of(record.value), message.SerializeAsString());
      REQUIRE(again);
      CHECK(*again == record);
    }
  }
}

TEST_CASE("fields of a later version are skipped") {
  wire::Filler filler{7};
  for (std::size_t kind = 0; kind < std::variant_size_v<AnyRecord>; ++kind) {
    auto record = random_record(filler, kind);
    auto key = key_of(record.value);
    std::string later{"\x98\x3f\x05"             // Field 1011: a varint.
                      "\x9a\x3f\x02hi"           // Field 1011: bytes.
                      "\x9d\x3f\x01\x02\x03\x04" // Field 1011: four fixed bytes.
                      "\x99\x3f\x01\x02\x03\x04\x05\x06\x07\x08",
                      24};
    auto bytes = encode_record(record.value, record.created, record.modified);
    auto decoded = decode_record(key, later + bytes + later);
    REQUIRE(decoded);
    CHECK(*decoded == record);
  }
}

TEST_CASE("what an older version stored reads with new fields as not given") {
  // Written before allowedListeners, tls and infrastructure were fields: Gateway default/edge.
  std::string gateway = std::string{"\x08\x03\x10\x04\x6a\x1b\x0a\x11\x0a\x0f\x0a\x07"
                                    "default\x12\x04"
                                    "edge\x12\x06strait"sv};
  auto decoded = decode_record({model::Kind::gateway, {"default", "edge"}}, gateway);
  REQUIRE(decoded);
  auto& edge = std::get<model::Gateway>(decoded->value);
  CHECK(edge.class_name == "strait");
  CHECK(edge.listener_sets == model::FromNamespaces::none); // Not the first value, Same.
  CHECK(edge.tls == model::GatewayTls{});
  CHECK(edge.infrastructure == model::Infrastructure{});

  // Written when a URLRewrite was no more than its type: HTTPRoute default/web.
  std::string route = std::string{"\x08\x03\x10\x04\x72\x26\x0a\x10\x0a\x0e\x0a\x07"
                                  "default\x12\x03"
                                  "web\x22\x12\x12\x00\x1a\x0e\x1a\x0c\x0a\x0aURLRewrite"sv};
  decoded = decode_record({model::Kind::http_route, {"default", "web"}}, route);
  REQUIRE(decoded);
  auto& rule = std::get<model::HttpRoute>(decoded->value).rules.at(0);
  CHECK(rule.filters == std::vector<model::Filter>{model::UnsupportedFilter{"URLRewrite"}});
  CHECK(rule.timeouts == model::Timeouts{});
  CHECK_FALSE(rule.retry);
  CHECK_FALSE(rule.session);
}

TEST_CASE("bytes that are no record are refused with the name of the record") {
  model::Gateway gateway;
  gateway.meta.name = {"default", "edge"};
  auto key = model::key_of(gateway);
  auto bytes = encode_record(AnyRecord{gateway}, 3, 4);
  auto detail = [&](std::string_view hostile, model::ObjectKey of) {
    auto decoded = decode_record(of, hostile);
    REQUIRE_FALSE(decoded);
    CHECK(decoded.error().code == Errc::corrupt);
    return decoded.error().detail;
  };
  CHECK(detail("", key) == "stored Gateway default/edge: holds no value of this kind");
  CHECK(detail("\xff", key) == "stored Gateway default/edge: is not a protobuf message");
  CHECK(detail(bytes, {key.kind, {"default", "other"}}) ==
        "stored Gateway default/other: holds the value of another name");
  CHECK(detail(bytes, {model::Kind::secret, key.name}) ==
        "stored Secret default/edge: holds no value of this kind");
  CHECK(detail(encode_record(AnyRecord{gateway}, 5, 4), key) ==
        "stored Gateway default/edge: its revisions are not in order");
  for (std::size_t size = 0; size < bytes.size(); ++size)
    detail(std::string_view{bytes}.substr(0, size), key);

  model::HealthCheck check{.node = "n", .id = "c"};
  auto good = encode_record(AnyRecord{check}, 1, 1);
  auto at = good.find(std::string{"\x28\x02", 2}); // Field 5, status: critical.
  REQUIRE(at != std::string::npos);
  good[at + 1] = 9;
  CHECK(detail(good, model::key_of(check)) ==
        "stored HealthCheck /n/c: a field's value is not what its type allows");
}

TEST_CASE("keys sort as kind, namespace and name do, whatever bytes they hold") {
  wire::Filler filler{11};
  std::vector<model::ObjectKey> keys;
  for (int i = 0; i < 300; ++i)
    keys.push_back({filler.chance(2) ? model::Kind::gateway : model::Kind::node,
                    {filler.text().substr(0, 3), filler.text().substr(0, 3)}});
  for (auto& a : keys) {
    CHECK(decode_key(encode_key(a)) == a);
    CHECK(encode_key(a).substr(0, 1) == key_prefix(a.kind));
    for (auto& b : keys) {
      if ((a < b) != (encode_key(a) < encode_key(b)))
        FAIL(model::to_string(a) << " and " << model::to_string(b));
      bool same_namespace = a.kind == b.kind && a.name.ns == b.name.ns;
      if (encode_key(a).starts_with(key_prefix(b.kind, b.name.ns)) != same_namespace)
        FAIL(model::to_string(a) << " and the prefix of " << model::to_string(b));
    }
  }
}

TEST_CASE("bytes that are no key are refused") {
  for (std::string hostile : {std::string{},
                              std::string{"\x63"
                                          "a\0\1b",
                                          5},
                              std::string{"\x03"
                                          "abc"},
                              std::string{"\x03"
                                          "a\0",
                                          3},
                              std::string{"\x03"
                                          "a\0\7b",
                                          5}}) {
    auto key = decode_key(hostile);
    REQUIRE_FALSE(key);
    CHECK(key.error().code == Errc::corrupt);
  }
  CHECK(decode_key("\x63").error().detail ==
        "catalog key 63: is of a kind that this version does not know");
}
