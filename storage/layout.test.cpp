// docs/formats/storage.md shows what a small store looks like on disk; it must be what is written.

#include "storage/test_support.hpp"

#include <fstream>
#include <sstream>

using namespace strait;
using namespace strait::storage;
using namespace strait::storage::test;

namespace {

std::string text_of(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  REQUIRE(file);
  return {std::istreambuf_iterator<char>{file}, {}};
}

std::string fenced_block(const std::string& page, const std::string& tag) {
  auto begin = page.find("```text " + tag + "\n");
  REQUIRE(begin != std::string::npos);
  begin = page.find('\n', begin) + 1;
  return page.substr(begin, page.find("```", begin) - begin);
}

} // namespace

TEST_CASE("the page on the storage format shows what a store really writes") {
  TemporaryDirectory directory;
  std::string id;
  {
    auto store = open_rocksdb({.path = directory.path()});
    REQUIRE(store);
    id = (*store)->id();
    REQUIRE((*store)->commit(std::vector<Commit>{
        {1, {set("node/a", "10.0.0.1"), set("node/b", "10.0.0.2")}}, {2, {erase("node/a")}}}));
    REQUIRE(write(**store, {set("service/web", std::string{"\x00\xff\\", 3})}));
  }
  auto records = dump_rocksdb(directory.path(), 100);
  REQUIRE(records);
  auto at = records->find(id);
  REQUIRE(at != std::string::npos);
  records->replace(at, id.size(), "ID");

  auto page = text_of(STRAIT_SOURCE_DIR "/docs/formats/storage.md");
  CHECK(fenced_block(page, "records") == *records);
  CHECK(fenced_block(page, "files") ==
        "store/FORMAT   " + text_of(directory.path() + "/store/FORMAT") + "store/FLOOR    " +
            text_of(directory.path() + "/store/FLOOR"));
}

TEST_CASE("a dump ends after as many lines as were asked for, and cuts long values") {
  TemporaryDirectory directory;
  auto store = open_rocksdb({.path = directory.path()});
  REQUIRE(store);
  REQUIRE(write(**store, {set("key", std::string(1000, 'v'))}));
  store = fail(Errc::internal, "closed");
  auto lines = [&](std::size_t most) {
    auto text = *dump_rocksdb(directory.path(), most);
    return std::count(text.begin(), text.end(), '\n');
  };
  CHECK(lines(3) == 3);
  CHECK(lines(100) == 4);
  CHECK(dump_rocksdb(directory.path(), 100)->size() < 1000);
}

TEST_CASE("a dump of what is no store is refused and makes none") {
  TemporaryDirectory directory;
  CHECK(dump_rocksdb(directory.path() + "/none", 10).error().code == Errc::not_found);
  CHECK(dump_rocksdb(directory.path(), 10).error().code == Errc::not_found);
  CHECK_FALSE(std::filesystem::exists(directory.path() + "/none"));
  CHECK_FALSE(std::filesystem::exists(directory.path() + "/store"));
}
