#include "cmd/cli/object_columns.hpp"

#include "cmd/cli/object_kind.hpp"

#include <catch2/catch.hpp>

namespace strait::cli {

using namespace std::chrono_literals;

namespace {

std::string cell(const std::vector<Column>& columns, const std::string& header,
                 const json::Node& object) {
  for (const auto& column : columns)
    if (column.header == header)
      return column.cell(object);
  return "no column " + header;
}

} // namespace

TEST_CASE("a route that one of its parents refuses shows the reason, and wide the message") {
  auto route = *kubernetes::parse_json(R"({
    "metadata": {"name": "web", "namespace": "default",
                 "creationTimestamp": "2026-01-01T00:00:00Z"},
    "spec": {"hostnames": ["a.example", "b.example"],
             "parentRefs": [{"name": "edge", "sectionName": "http"},
                            {"name": "east", "namespace": "infra"}]},
    "status": {"parents": [
      {"conditions": [{"type": "Accepted", "status": "True", "reason": "Accepted"},
                      {"type": "ResolvedRefs", "status": "True", "reason": "ResolvedRefs"}]},
      {"conditions": [{"type": "Accepted", "status": "False", "reason": "NotAllowedByListeners",
                       "message": "no listener allows the namespace"}]}]}})",
                                       "");
  auto columns = columns_of({.kind = model::Kind::http_route,
                             .with_namespace = true,
                             .wide = true,
                             .now = from_rfc3339("2026-01-01T03:00:00Z")});
  CHECK(cell(columns, "NAMESPACE", route) == "default");
  CHECK(cell(columns, "HOSTNAMES", route) == "a.example,b.example");
  CHECK(cell(columns, "ACCEPTED", route) == "False (NotAllowedByListeners)");
  CHECK(cell(columns, "RESOLVED", route) == "True");
  CHECK(cell(columns, "AGE", route) == "3h");
  CHECK(cell(columns, "PARENTS", route) == "edge#http,infra/east");
  CHECK(cell(columns, "MESSAGE", route) == "no listener allows the namespace");
}

TEST_CASE("a policy shows what it is for and what its ancestors say of it") {
  auto policy = *kubernetes::parse_json(R"({
    "metadata": {"name": "p", "namespace": "default"},
    "spec": {"targetRefs": [{"group": "", "kind": "Service", "name": "web"}],
             "validation": {"hostname": "web.example.com"}},
    "status": {"ancestors": [
      {"conditions": [{"type": "Accepted", "status": "False", "reason": "NoValidCACertificate",
                       "message": "ConfigMap ca is missing"}]}]}})",
                                        "");
  auto columns = columns_of({.kind = model::Kind::backend_tls_policy, .wide = true});
  CHECK(cell(columns, "TARGETS", policy) == "web");
  CHECK(cell(columns, "HOSTNAME", policy) == "web.example.com");
  CHECK(cell(columns, "ACCEPTED", policy) == "False (NoValidCACertificate)");
  CHECK(cell(columns, "MESSAGE", policy) == "ConfigMap ca is missing");
  CHECK(object_kind("backendtlspolicies")->kind == model::Kind::backend_tls_policy);
}

TEST_CASE("an object without status shows that nothing is known of it") {
  auto gateway = *kubernetes::parse_json(R"({"metadata": {"name": "edge"}, "spec": {}})", "");
  auto columns = columns_of({.kind = model::Kind::gateway});
  CHECK(cell(columns, "PROGRAMMED", gateway) == "Unknown");
  CHECK(cell(columns, "AGE", gateway).empty());
}

TEST_CASE("every kind that can be written has columns, and is found by its names") {
  for (const auto& kind : object_kinds()) {
    CHECK(columns_of({.kind = kind.kind, .wide = true}).size() >= 2);
    auto name = std::string{to_string(kind.kind)};
    CHECK(object_kind(name)->kind == kind.kind);
    CHECK(object_kind(name + "s")->kind == kind.kind);
  }
  CHECK(object_kind("gatewayclasses")->kind == model::Kind::gateway_class);
  CHECK(object_kind("exportedservices")->kind == model::Kind::exported_services);
  CHECK(object_kind("gtw")->kind == model::Kind::gateway);
  auto unknown = object_kind("job");
  REQUIRE(!unknown);
  CHECK(unknown.error().code == ExitCode::usage);
  CHECK(unknown.error().text.find("HTTPRoute") != std::string::npos);
}

TEST_CASE("ages are short") {
  auto start = from_rfc3339("2026-01-01T00:00:00Z");
  CHECK(age(start, start + 119s) == "119s");
  CHECK(age(start, start + 2min) == "2m");
  CHECK(age(start, start + 47h) == "47h");
  CHECK(age(start, start + 48h) == "2d");
  CHECK(age(start, start - 5s) == "0s");
}

} // namespace strait::cli
