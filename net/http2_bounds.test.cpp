#include "net/http2_pair.test.hpp"

#include <catch2/catch.hpp>

namespace strait::net::http2::testing {

namespace {

/// One frame (RFC 9113 §4.1).
std::string frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
                  std::string_view payload = {}) {
  const auto byte = [](std::size_t value) { return static_cast<char>(value & 0xff); };
  std::string out{byte(payload.size() >> 16), byte(payload.size() >> 8), byte(payload.size()),
                  static_cast<char>(type), static_cast<char>(flags)};
  out.append({byte(stream >> 24), byte(stream >> 16), byte(stream >> 8), byte(stream)});
  return out.append(payload);
}

constexpr std::uint8_t data = 0, headers = 1, priority = 2, settings = 4, ping = 6,
                       continuation = 9;
const std::string some_ping = frame(ping, 0, 0, "12345678");
/// GET / of no host, in HPACK: all of it from the static table (RFC 7541 appendix A).
const std::string get_block = "\x82\x86\x84";

/// A server that has seen the preface, and what a raw client sends it.
struct Raw {
  explicit Raw(const Limits& limits = {}) : server{Role::server, limits} {
    send(std::string{preface} + frame(settings, 0, 0));
  }
  /// Its answers are written, or else are kept waiting.
  bool send(std::string_view bytes, bool read_answers = true) {
    const bool good = server.session.receive(now, bytes);
    if (read_answers)
      answers += server.output();
    return good;
  }
  Instant now{};
  Side server;
  std::string answers;
};

} // namespace

TEST_CASE("a bucket gives its burst, then its rate") {
  TokenBucket bucket{2, 10};
  Instant now{};
  CHECK(bucket.take(now));
  CHECK(bucket.take(now));
  CHECK_FALSE(bucket.take(now));
  now += Millis{99};
  CHECK_FALSE(bucket.take(now));
  now += Millis{1};
  CHECK(bucket.take(now));
  CHECK_FALSE(bucket.take(now));
  now += Millis{100'000'000'000};
  CHECK(bucket.take(now));
  CHECK(bucket.take(now));
  CHECK_FALSE(bucket.take(now));
}

TEST_CASE("streams that are opened and reset at once end the connection") {
  Limits limits;
  limits.resets_burst = 10;
  limits.resets_per_second = 1;
  Pair pair{limits};
  REQUIRE(pair.exchange());
  const auto open_and_reset = [&] {
    const auto id = pair.ask();
    const auto request = pair.client.output();
    pair.client.session.reset(id, ErrorCode::cancel);
    return pair.server.session.receive(pair.now, request + pair.client.output());
  };
  for (int i = 0; i < 10; ++i)
    REQUIRE(open_and_reset());
  CHECK_FALSE(open_and_reset());
  CHECK(pair.server.session.failure() == "too many streams are reset");
  REQUIRE(pair.client.session.receive(pair.now, pair.server.output())); // The end is told …
  CHECK(pair.client.goaway);
  CHECK(pair.server.session.finished()); // … and is one.
}

TEST_CASE("resets at the permitted rate go on for ever") {
  Limits limits;
  limits.resets_burst = 10;
  limits.resets_per_second = 10;
  Pair pair{limits};
  for (int i = 0; i < 100; ++i) {
    const auto id = pair.ask();
    REQUIRE(pair.exchange());
    pair.client.session.reset(id, ErrorCode::cancel);
    REQUIRE(pair.exchange());
    pair.now += Millis{100};
  }
}

TEST_CASE("a client that makes the server reset its streams is stopped like one that resets") {
  Limits limits;
  limits.resets_burst = 10;
  Pair pair{limits};
  bool good = true;
  int requests = 0;
  while (good && requests < 100) {
    ++requests;
    FieldList malformed;
    malformed.add(":method", "GET");
    malformed.add(":scheme", "http");
    malformed.add(":path", "/");
    malformed.add("connection", "close");
    REQUIRE(pair.client.session.request(malformed, true));
    good = pair.exchange();
  }
  CHECK(requests == 11);
}

TEST_CASE("frames that bring nothing are counted together") {
  Limits limits;
  limits.idle_frames_burst = 20;
  limits.idle_frames_per_second = 10;
  for (const auto& which :
       {some_ping, frame(settings, 0, 0), frame(priority, 0, 3, std::string(5, '\0'))}) {
    Raw raw{limits};
    int sent = 0;
    while (sent < 1'000 && raw.send(which))
      ++sent;
    CHECK(sent == 19); // The first SETTINGS was one of them.
    CHECK(raw.server.session.failure() == "too many frames that bring nothing");

    Raw patient{limits};
    for (int i = 0; i < 100; ++i) {
      patient.now += Millis{100};
      REQUIRE(patient.send(which));
    }
  }
}

TEST_CASE("empty DATA frames are frames that bring nothing") {
  Limits limits;
  limits.idle_frames_burst = 20;
  Raw raw{limits};
  REQUIRE(raw.send(frame(headers, 4, 1, get_block + std::string{"\x41\x01x", 3})));
  int sent = 0;
  while (sent < 1'000 && raw.send(frame(data, 0, 1)))
    ++sent;
  CHECK(sent == 19);
}

TEST_CASE("a peer that does not read what it asks for is given up") {
  Limits limits;
  limits.answers_queued_max = 50;
  Raw raw{limits};
  int sent = 0;
  while (sent < 1'000 && raw.send(some_ping, false))
    ++sent;
  CHECK(sent >= 49);
  CHECK(sent <= 51);
}

TEST_CASE("a head in endless CONTINUATION frames ends the connection") {
  Limits limits;
  limits.continuations_max = 4;
  const auto one_field = std::string{"\x40\x01x\x01y", 5};
  const auto with = [&](int frames) {
    Raw raw{limits};
    bool good = raw.send(frame(headers, 1, 1, get_block + std::string{"\x41\x01x", 3}));
    for (int i = 0; i < frames && good; ++i)
      good = raw.send(frame(continuation, i + 1 == frames ? 4 : 0, 1, one_field));
    return good && raw.server.heads.size() == 1;
  };
  CHECK(with(4));
  CHECK_FALSE(with(5));
  CHECK_FALSE(with(100));
}

TEST_CASE("a head above its maximum is told as too large, one far above ends the connection") {
  Limits limits;
  limits.head_bytes_max = 1'000;
  const auto ask_with = [&](Pair& pair, std::size_t bytes) {
    FieldList fields;
    fields.add(":method", "GET");
    fields.add(":scheme", "http");
    fields.add(":authority", "a");
    fields.add(":path", "/");
    fields.add("x", std::string(bytes, 'x'));
    const auto id = pair.client.session.request(fields, true);
    REQUIRE(id);
    return *id;
  };
  Pair pair{limits};
  const auto fits = ask_with(pair, 700), large = ask_with(pair, 1'000);
  REQUIRE(pair.exchange());
  CHECK(pair.server.heads == std::vector{fits});
  CHECK(pair.server.streams[large].too_large);
  ask_with(pair, 4'000);
  CHECK_FALSE(pair.exchange());
}

TEST_CASE("a head of too many fields is too large") {
  Limits limits;
  limits.fields_max = 10;
  for (const unsigned count : {6U, 7U}) {
    Pair pair{limits};
    FieldList fields;
    fields.add(":method", "GET");
    fields.add(":scheme", "http");
    fields.add(":authority", "a");
    fields.add(":path", "/");
    for (unsigned i = 0; i < count; ++i)
      fields.add("x", "y");
    const auto id = pair.client.session.request(fields, true);
    REQUIRE(id);
    REQUIRE(pair.exchange());
    CHECK(pair.server.streams[*id].too_large == (count == 7));
  }
}

TEST_CASE("a client opens no more streams than it was let") {
  Limits limits;
  limits.streams_max = 3;
  Pair pair{limits};
  REQUIRE(pair.exchange());
  CHECK(pair.client.session.peer_streams_max() == 3);
  for (int i = 0; i < 5; ++i)
    pair.ask();
  REQUIRE(pair.exchange());
  CHECK(pair.server.heads.size() == 3);
  pair.answer(1, "200", true);
  REQUIRE(pair.exchange());
  CHECK(pair.server.heads.size() == 4);
}

TEST_CASE("bytes that are no HTTP/2 are refused") {
  Side server{Role::server, {}};
  CHECK_FALSE(server.session.receive({}, "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"));
  CHECK_FALSE(server.session.failure().empty());
}

} // namespace strait::net::http2::testing
