#include "gateway/proxy/cookies.hpp"

#include <catch2/catch.hpp>

namespace strait::gateway::proxy {

TEST_CASE("a cookie is found by its whole name") {
  CHECK(cookie_value("a=1; b=2", "b") == "2");
  CHECK(cookie_value("a=1;b=2;  a=3", "a") == "1");
  CHECK(cookie_value("ab=1; b=x=y", "b") == "x=y");
  CHECK(cookie_value("b=\"quoted\"", "b") == "quoted");
  CHECK(cookie_value("b=", "b") == "");
  CHECK_FALSE(cookie_value("ab=1; B=2; b", "b"));
  CHECK_FALSE(cookie_value("", "b"));
}

TEST_CASE("a cookie is taken out and the others stay") {
  const auto without = [](std::string_view field) {
    std::string out;
    append_without_cookie(field, "b", out);
    return out;
  };
  CHECK(without("a=1; b=2; c=3") == "a=1; c=3");
  CHECK(without("b=2;b=3") == "");
  CHECK(without("ab=1") == "ab=1");
}

TEST_CASE("a query's parameter is found, and taken out") {
  CHECK(query_value("a=1&token=x=y&token=z", "token") == "x=y");
  CHECK(query_value("token", "token") == "");
  CHECK_FALSE(query_value("mytoken=1", "token"));
  std::string out;
  append_without_parameter("a=1&token=2&b&token=3", "token", out);
  CHECK(out == "a=1&b");
}

} // namespace strait::gateway::proxy
