#pragma once

#include "kubernetes/decode.hpp"

#include <catch2/catch.hpp>

/// For tests of documents with one mistake each.
namespace strait::kubernetes {

/// One mistake each: what stands in the document, and the one error that it must cause.
struct Row {
  std::string_view input, error;
};

inline std::string refused(const std::string& yaml) {
  auto decoded = decode_yaml(yaml, "f");
  INFO(yaml);
  CHECK(decoded.objects.empty());
  for (auto& error : decoded.errors)
    UNSCOPED_INFO(error.detail);
  REQUIRE(decoded.errors.size() == 1);
  auto& detail = decoded.errors.front().detail;
  // "f:line:column: " is the place; what follows is compared.
  auto colon = detail.find(": ");
  REQUIRE(detail.starts_with("f:"));
  return detail.substr(colon + 2);
}

template <class Wrap>
void check(std::initializer_list<Row> rows, const std::string& title, Wrap wrap) {
  for (auto& row : rows)
    CHECK(refused(wrap(std::string{row.input})) == title + std::string{row.error});
}

inline std::string repeat(std::size_t count, const std::string& item) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i)
    all += (i == 0 ? "" : ", ") + item;
  return "[" + all + "]";
}

inline std::string route(const std::string& spec) {
  return "{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: r}, spec: "
         "{" +
         spec + "}}";
}
inline std::string rule(const std::string& rest) { return route("rules: [{" + rest + "}]"); }

} // namespace strait::kubernetes
