#include "net/base64.hpp"

#include <catch2/catch.hpp>

#include <random>

using strait::net::from_base64;
using strait::net::to_base64;

TEST_CASE("base64 is that of RFC 4648") {
  CHECK(to_base64("").empty());
  CHECK(to_base64("f") == "Zg==");
  CHECK(to_base64("fo") == "Zm8=");
  CHECK(to_base64("foobar") == "Zm9vYmFy");
  CHECK(from_base64("Zm9v\nYmE=\n") == "fooba");
  CHECK(from_base64(" \n") == "");
  CHECK(from_base64(" Zg\r\n==\n") == "f");
}

TEST_CASE("what is not base64 is refused") {
  for (auto text : {"Z", "Zg", "Zg=", "Zg===", "Z===", "====", "Zg==Zg==", "Zg=a", "Zm 9v", "Zm9-"})
    CHECK_FALSE(from_base64(text));
}

TEST_CASE("any bytes come back from base64") {
  std::mt19937_64 prng{3};
  for (std::size_t size = 0; size < 100; ++size) {
    std::string bytes;
    for (std::size_t i = 0; i < size; ++i)
      bytes += static_cast<char>(prng());
    CHECK(from_base64(to_base64(bytes)) == bytes);
  }
}
