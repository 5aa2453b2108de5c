#include "catalog/recoverable.hpp"

#include "catalog/catalog.hpp"

#include <catch2/catch.hpp>

using namespace strait;
using namespace strait::catalog;

namespace {

const model::ObjectKey edge{model::Kind::gateway, {"default", "edge"}};

model::Gateway gateway(std::string uid) {
  model::Gateway object;
  object.meta.name = edge.name;
  object.meta.uid = std::move(uid);
  return object;
}

} // namespace

TEST_CASE(
    "what another server has is recoverable: its objects, their end, and what is said of them") {
  Catalog catalog;
  Command put = Put{gateway("2a1c9c0e-8f1b-4b57-9d5e-000000000001"), {}, true};
  CHECK(is_recoverable(put, *catalog.view()));
  Command report = ReportStatus{{.object = edge}};
  CHECK(!is_recoverable(report, *catalog.view()));
  CHECK(!is_recoverable(Remove{edge, {}}, *catalog.view()));
  REQUIRE(catalog.apply(put, {}));
  CHECK(is_recoverable(report, *catalog.view()));
  CHECK(is_recoverable(Remove{edge, {}}, *catalog.view()));
}

TEST_CASE("what is written here is had from nowhere else") {
  Catalog catalog;
  Command put = Put{gateway(""), {}, false};
  CHECK(!is_recoverable(put, *catalog.view()));
  CHECK(!is_recoverable(Put{gateway("2a1c9c0e-8f1b-4b57-9d5e-000000000001"), {}, false},
                        *catalog.view()));
  REQUIRE(catalog.apply(put, {}));
  CHECK(!is_recoverable(Remove{edge, {}}, *catalog.view()));
  CHECK(!is_recoverable(ReportStatus{{.object = edge}}, *catalog.view()));
  CHECK(!is_recoverable(Put{model::ExportedServices{}, {}, true}, *catalog.view()));
  CHECK(!is_recoverable(Register{.node = {.name = "n"}}, *catalog.view()));
  CHECK(!is_recoverable(WritePeering{}, *catalog.view()));
}
