#include "api/manifest_memory.hpp"

#include <catch2/catch.hpp>

#include <fstream>

using namespace strait;
using api::ManifestMemory;

namespace {
model::ObjectKey space(const std::string& name) { return {model::Kind::namespace_, {"", name}}; }
} // namespace

TEST_CASE("objects of a file stay in memory until the catalog has them no more") {
  char folder[] = "/tmp/strait-memory-XXXXXX";
  REQUIRE(mkdtemp(folder));
  auto path = std::filesystem::path{folder} / "etc" / "strait";
  auto kept = [&] { return ManifestMemory{path, Log{}}.load()["a.yaml"]; };
  ManifestMemory memory{path, Log{}};
  CHECK(memory.load().empty());
  model::ObjectKey route{model::Kind::http_route, {"default", "web"}};
  memory.holds("a.yaml", {space("one"), route}, {});
  CHECK(kept() == ManifestMemory::Keys{space("one"), route});
  memory.holds("a.yaml", {route}, {space("one")});
  CHECK(kept().contains(space("one")));
  memory.gone("a.yaml", space("one"));
  CHECK(kept() == ManifestMemory::Keys{route});
  // Written again before it was gone: it stays.
  memory.holds("a.yaml", {}, {route});
  memory.holds("a.yaml", {route}, {});
  memory.gone("a.yaml", route);
  CHECK(kept() == ManifestMemory::Keys{route});
  memory.holds("a.yaml", {}, {route});
  memory.gone("a.yaml", route);
  CHECK(std::filesystem::is_empty(path));
  std::ofstream{path / "b.yaml.objects"} << "Nonsense\n\n";
  CHECK(memory.load().empty());
  std::filesystem::remove_all(folder);
}

TEST_CASE("without a folder nothing is kept") {
  ManifestMemory memory{{}, Log{}};
  memory.holds("a.yaml", {space("one")}, {});
  CHECK(memory.load().empty());
}
