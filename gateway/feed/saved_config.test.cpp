#include "gateway/feed/saved_config.hpp"

#include "gateway/feed/feed_codec.hpp"
#include "gateway/snapshot/random_config.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <fstream>
#include <random>
#include <sys/stat.h>

using namespace strait;
using namespace strait::gateway;
using namespace strait::gateway::feed;

namespace {

struct Directory {
  std::filesystem::path path;
  Directory() {
    auto name = (std::filesystem::temp_directory_path() / "strait-saved-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()));
    path = name;
  }
  ~Directory() { std::filesystem::remove_all(path); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
};

/// A config that the program saved before it knew filters, TLS and UDP routes.
constexpr std::string_view saved_by_0_1 =
    "535452414954475701000000ff0100000000000037cf6f522fa3ea3c7d268afcdecb5b0b309d4553911b4e74eb"
    "03b4cda76482f310041a180a046874747018512003320c0a056f7468657210032201411a1e0a046c6174651851"
    "20012a05612e636f6d320b0a046564676510042201412284010a06687474702d61121448545450526f75746520"
    "64656661756c742f3136180122620a00125e1233080112062f612f612f61220908021205782d656e7622080801"
    "1201781a01322a07080212037020712a0908021201711a022e2a1227080212032f2f61220d08021205782d656e"
    "761a022e2a2a0f080212037020711a065b302d395d2b22280a0468747470121348545450526f75746520646566"
    "61756c742f38180222090a052a2e636f6d0a0022400a056874747073121348545450526f757465206465666175"
    "6c742f3018022a200a1e102b18f403220c0a0a0a05782d7365741201322a090a070a05782d7365742a6b0a0c70"
    "6565722f6463322f617069120a0a033a3a3110ed1c1803120b0a033a3a311091e90118041a420a226170692e64"
    "656661756c742e64656661756c742e6463322e65787465726e616c2e78120c7370696666653a2f2f782f611a04"
    "726f6f7422086964656e746974792a250a16736572766963652f64656661756c742f7765622f3830120b0a033a"
    "3a3110ce9c03180332160a04656467651209636861696e2074776f1a036b657932120a056f7468657212096368"
    "61696e2074776f420e0a03646332120264311a0370656d";

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string{hex.substr(i, 2)}, nullptr, 16));
  return bytes;
}

Config random_config(std::uint64_t seed) {
  std::mt19937_64 random{seed};
  RandomConfig make{[&](std::size_t limit) { return random() % limit; }};
  Delta delta{.epoch = seed};
  for (int i = 0; i < 60; ++i)
    make.change_something(delta);
  return apply({}, delta);
}

} // namespace

TEST_CASE("a config that is saved is loaded the same, and the last one counts") {
  Directory directory;
  const auto file = directory.path / "config";
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    auto config = random_config(seed);
    REQUIRE(save(file, config));
    auto loaded = load(file);
    REQUIRE(loaded);
    CHECK(loaded->epoch == seed);
    CHECK(to_text(*loaded) == to_text(config));
    CHECK(digest(*loaded) == digest(config));
  }
  struct stat info {};
  REQUIRE(::stat(file.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
  CHECK_FALSE(std::filesystem::exists(directory.path / "config.new"));
}

TEST_CASE("what a crash left of an unfinished save is no hindrance") {
  Directory directory;
  const auto file = directory.path / "config";
  REQUIRE(save(file, random_config(1)));
  std::ofstream{directory.path / "config.new"} << "half";
  CHECK(load(file)->epoch == 1);
  REQUIRE(save(file, random_config(2)));
  CHECK(load(file)->epoch == 2);
}

TEST_CASE("a save that fails says why and leaves the old file") {
  Directory directory;
  auto failed = save(directory.path / "missing" / "config", random_config(1));
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code == Errc::unavailable);
  CHECK_THAT(failed.error().detail, Catch::Contains("missing/config.new: cannot be made"));

  const auto file = directory.path / "config";
  REQUIRE(save(file, random_config(1)));
  std::filesystem::create_directory(directory.path / "config.new"); // Nothing can be written there.
  CHECK_FALSE(save(file, random_config(2)));
  CHECK(load(file)->epoch == 1);
}

TEST_CASE("a missing, truncated, foreign or damaged file gives an error that says so") {
  Directory directory;
  const auto file = directory.path / "config";
  CHECK(load(file).error().code == Errc::not_found);
  CHECK(load(directory.path).error().code == Errc::invalid);

  const auto bytes = encode_saved(random_config(5));
  REQUIRE(decode_saved(bytes));
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    auto cut = decode_saved(std::string_view{bytes}.substr(0, length));
    REQUIRE_FALSE(cut);
    REQUIRE(cut.error().code == Errc::corrupt);
    REQUIRE_THAT(cut.error().detail, Catch::Contains("is cut off"));
  }
  CHECK_THAT(decode_saved(bytes + "x").error().detail, Catch::Contains("too long"));
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    auto flipped = bytes;
    flipped[at] ^= 1;
    REQUIRE_FALSE(decode_saved(flipped));
  }
  CHECK(decode_saved("#!/bin/sh\n").error().detail == "is no saved config");
  auto newer = bytes;
  newer[8] = 2;
  CHECK(decode_saved(newer).error() ==
        Error{Errc::invalid, "has version 2, this program reads version 1"});

  std::ofstream{file} << bytes.substr(0, bytes.size() / 2);
  auto loaded = load(file);
  REQUIRE_FALSE(loaded);
  CHECK_THAT(loaded.error().detail, Catch::Contains(file.string()));
  std::filesystem::resize_file(file, max_delta_bytes + 1); // Sparse.
  CHECK(load(file).error().code == Errc::exhausted);
}

TEST_CASE("the header of a saved config is as docs/formats/proxy_config.md draws it") {
  const auto bytes = encode_saved(Config{.epoch = 1});
  CHECK(bytes.substr(0, 8) == "STRAITGW");
  CHECK(bytes.substr(8, 4) == std::string({1, 0, 0, 0}));
  CHECK(bytes.substr(12, 8) == std::string({2, 0, 0, 0, 0, 0, 0, 0}));
  CHECK(bytes.size() == 8 + 4 + 8 + 32 + 2);
  CHECK(bytes.substr(52) == std::string({0x10, 1}));
}

TEST_CASE("a config that an older program saved is read, and would be saved as the same bytes") {
  const auto bytes = from_hex(saved_by_0_1);
  auto config = decode_saved(bytes);
  REQUIRE(config);
  CHECK(to_text(*config) == R"(listener "http"
  tcp "":81 hostname ""
  tls 1.2..any
    certificate "other"
    cipher suite "A"
listener "late"
  http "":81 hostname "a.com"
  tls 1.3..any
    certificate "edge"
    cipher suite "A"
route "http-a/HTTPRoute default/16"
  id "HTTPRoute default/16" created 1
  http
    hostname ""
    rule ""
      match exact "/a/a/a"
        header "x-env" regex ""
        header "x" exact "2"
        query "p q" regex ""
        query "q" regex ".*"
      match prefix "//a"
        header "x-env" regex ".*"
        query "p q" regex "[0-9]+"
route "http/HTTPRoute default/8"
  id "HTTPRoute default/8" created 2
  http
    hostname "*.com"
    hostname ""
route "https/HTTPRoute default/0"
  id "HTTPRoute default/0" created 2
  tcp
    backend refused 500 weight 43
      request header set "x-set": "2"
      response header set "x-set": ""
cluster "peer/dc2/api"
  endpoint "::1":3693 weight 3
  endpoint "::1":29841 weight 4
  tls sni "api.default.default.dc2.external.x" identity "identity"
    expects "spiffe://x/a"
    root 4 bytes a354fd1ff0c467c5
cluster "service/default/web/80"
  endpoint "::1":52814 weight 3
certificate "edge"
  chain 9 bytes 86596b4a3d453be0
  key 3 bytes
certificate "other"
  chain 9 bytes 86596b4a3d453be0
  key 0 bytes
trust "dc2"
  domain "d1"
  root 3 bytes 77bc7919566a9ac9
)");
  CHECK(encode_saved(*config) == bytes); // So its digest stays, and no agent sends it again.
}
