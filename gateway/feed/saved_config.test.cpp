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
