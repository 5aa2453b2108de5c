#include "api/manifest_directory.hpp"

#include <catch2/catch.hpp>

#include <condition_variable>
#include <fstream>
#include <mutex>

using namespace strait;
using api::ManifestSet;

namespace {
std::string namespaces(std::vector<std::string> names) {
  std::string text;
  for (auto& name : names)
    text += "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: " + name + "}\n";
  return text;
}
} // namespace

TEST_CASE("a file's objects come, change and go with the file") {
  ManifestSet set;
  CHECK(set.changed("a.yaml", namespaces({"one", "two"})).put.size() == 2);
  CHECK(set.changed("a.yaml", namespaces({"one", "two"})).put.empty());
  auto step = set.changed("a.yaml", namespaces({"two", "three"}));
  CHECK(step.put.size() == 1);
  REQUIRE(step.removed.size() == 1);
  CHECK(step.removed[0].name.name == "one");
  CHECK(set.changed("a.yaml", {}).removed.size() == 2);
}

TEST_CASE("a file with a mistake keeps what it said before, whole") {
  ManifestSet set;
  set.changed("a.yaml", namespaces({"one"}));
  auto step = set.changed("a.yaml", namespaces({"two"}) + "---\nkind: [\n");
  CHECK_FALSE(step.errors.empty());
  CHECK(step.put.empty());
  CHECK(step.removed.empty());
}

TEST_CASE("an object in two files belongs to the first, and the other is told of") {
  ManifestSet set;
  set.changed("a.yaml", namespaces({"one"}));
  auto step = set.changed("b.yaml", namespaces({"one", "two"}));
  REQUIRE(step.errors.size() == 1);
  CHECK(step.errors[0].detail == "b.yaml: Namespace one is in a.yaml already");
  CHECK(step.put.size() == 1);
}

TEST_CASE("what a file said before a restart is removed when it says so no more") {
  ManifestSet before;
  before.changed("a.yaml", namespaces({"one", "two"}));
  before.changed("b.yaml", namespaces({"three"}));
  ManifestSet after;
  after.remember("a.yaml", before.keys("a.yaml"));
  after.remember("b.yaml", before.keys("b.yaml"));
  auto step = after.changed("a.yaml", namespaces({"two"}));
  CHECK(step.put.size() == 1); // It may have changed meanwhile.
  REQUIRE(step.removed.size() == 1);
  CHECK(step.removed[0].name.name == "one");
  // A mistake keeps also what was remembered.
  CHECK(after.changed("b.yaml", "kind: [").removed.empty());
  CHECK(after.changed("b.yaml", {}).removed.size() == 1);
}

TEST_CASE("a watched directory is followed: what is there, what comes, what goes") {
  char directory[] = "/tmp/strait-manifests-XXXXXX";
  REQUIRE(mkdtemp(directory));
  auto write = [&](const std::string& name, const std::string& text) {
    std::ofstream{std::filesystem::path{directory} / name} << text;
  };
  write("a.yaml", namespaces({"one"}));
  std::mutex mutex;
  std::condition_variable came;
  std::vector<std::string> seen;
  api::ManifestDirectoryOptions options;
  options.directory = directory;
  options.apply = [&](catalog::Command command, std::function<void(const Status&)> told) {
    std::lock_guard lock{mutex};
    if (auto* put = std::get_if<catalog::Put>(&command))
      seen.push_back("put " + catalog::key_of(put->object).name.name);
    if (auto* remove = std::get_if<catalog::Remove>(&command))
      seen.push_back("remove " + remove->key.name.name);
    came.notify_all();
    told({});
  };
  auto watching = api::ManifestDirectory::watch(std::move(options));
  REQUIRE(watching);
  auto expect = [&](const std::string& text) {
    std::unique_lock lock{mutex};
    return came.wait_for(lock, std::chrono::seconds{10},
                         [&] { return std::find(seen.begin(), seen.end(), text) != seen.end(); });
  };
  CHECK(expect("put one"));
  write("b.yaml", namespaces({"two"}));
  CHECK(expect("put two"));
  std::filesystem::remove(std::filesystem::path{directory} / "a.yaml");
  CHECK(expect("remove one"));
  watching->reset();
  std::filesystem::remove_all(directory);
  CHECK_FALSE(api::ManifestDirectory::watch({.directory = directory}));
}
