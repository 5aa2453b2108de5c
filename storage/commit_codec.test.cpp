#include "storage/commit_codec.hpp"

#include "storage/test_support.hpp"

#include <random>

using namespace strait;
using namespace strait::storage;
using namespace strait::storage::test;

TEST_CASE("revisions sort as their bytes do") {
  std::string before;
  for (Revision revision : {Revision{0}, Revision{1}, Revision{255}, Revision{256}, ~Revision{0}}) {
    auto bytes = encode_revision(revision);
    CHECK(decode_revision(bytes) == revision);
    CHECK(bytes.size() == 8);
    CHECK((before < bytes || revision == 0));
    before = bytes;
  }
  CHECK_FALSE(decode_revision("1234567"));
  CHECK_FALSE(decode_revision("123456789"));
}

TEST_CASE("a commit's writes are read as they were written") {
  std::mt19937 prng{1};
  for (int round = 0; round < 200; ++round) {
    Commit commit{prng(), {}};
    for (auto left = prng() % 5; left > 0; --left) {
      std::string key(prng() % 40, static_cast<char>(prng()));
      commit.writes.push_back(prng() % 2 ? erase(key) : set(key, std::string(prng() % 300, '\0')));
    }
    CHECK(decode_commit(commit.revision, encode_writes(commit)) == commit);
  }
}

TEST_CASE("bytes that no commit encodes to are refused with the offset") {
  auto bytes = encode_writes({1, {set("key", "value"), erase("gone")}});
  for (std::size_t size = 0; size < bytes.size(); ++size)
    CHECK(decode_commit(1, bytes.substr(0, size)).error().code == Errc::corrupt);
  CHECK_FALSE(decode_commit(1, bytes + "x"));
  auto kind = bytes;
  kind[4] = 2;
  auto error = decode_commit(9, kind).error();
  CHECK(error.detail == "commit 9: neither set nor erase at byte 5 of 30");
  CHECK_FALSE(decode_commit(1, "\xff\xff\xff\xff" + bytes.substr(4))); // No gigabytes reserved.
}
