// docs/formats/catalog.md shows what a few commands leave in the store; it must be what is written.

#include "catalog/catalog.hpp"
#include "catalog/kinds.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <set>

using namespace strait;
using namespace strait::catalog;

namespace {

std::string fenced_block(const std::string& page, const std::string& tag) {
  auto begin = page.find("```text " + tag + "\n");
  REQUIRE(begin != std::string::npos);
  begin = page.find('\n', begin) + 1;
  return page.substr(begin, page.find("```", begin) - begin);
}

/// Printable ASCII as it is, the rest as \xx.
std::string readable(std::string_view bytes) {
  std::string text;
  for (unsigned char byte : bytes)
    text += byte > 0x20 && byte < 0x7f && byte != '\\' ? std::string(1, static_cast<char>(byte))
                                                       : fmt::format("\\{:02x}", byte);
  return text;
}

} // namespace

TEST_CASE("the page on the catalog's format shows what commands really write") {
  std::ifstream file{STRAIT_SOURCE_DIR "/docs/formats/catalog.md"};
  REQUIRE(file);
  std::string page{std::istreambuf_iterator<char>{file}, {}};

  auto store = storage::make_memory_store();
  Catalog catalog;
  auto done = [&](const Command& command) {
    auto outcome = catalog.apply(command, WallTime{});
    REQUIRE(outcome);
    REQUIRE(store->commit(std::vector{outcome->commit}));
  };
  done(Register{.node = {.name = "n1", .address = "10.0.0.1"},
                .instance = model::ServiceInstance{.service = "web", .port = 8080},
                .checks = {{.id = "c", .name = "http", .service_id = "web"}}});
  done(Register{.node = {.name = "n1", .address = "10.0.0.1"},
                .instance = model::ServiceInstance{.service = "db"}});
  done(Put{model::ExportedServices{.services = {{"web", {"east"}}}}});
  done(Deregister{"n1", "db", ""});

  std::string rows;
  REQUIRE(store->scan("", [&](std::string_view key, std::string_view value) {
    rows += fmt::format("{} = {}\n", readable(key), readable(value));
    return true;
  }));
  CHECK(fenced_block(page, "rows") == rows);

  std::set<model::Kind> all{model::Kind::service_index, model::Kind::kind_index};
  each_kind([&]<class T>() { all.insert(T::kind); });
  std::string kinds;
  for (auto kind : all)
    kinds += fmt::format("{:02x}  {}\n", static_cast<unsigned>(kind), model::to_string(kind));
  CHECK(fenced_block(page, "kinds") == kinds);
}
