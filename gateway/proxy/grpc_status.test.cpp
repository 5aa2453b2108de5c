#include "gateway/proxy/grpc_status.hpp"

#include <catch2/catch.hpp>

namespace strait::gateway::proxy {

TEST_CASE("HTTP statuses become those of gRPC") {
  CHECK(grpc_status(400) == 13);
  CHECK(grpc_status(401) == 16);
  CHECK(grpc_status(403) == 7);
  CHECK(grpc_status(404) == 12);
  CHECK(grpc_status(429) == 14);
  CHECK(grpc_status(502) == 14);
  CHECK(grpc_status(503) == 14);
  CHECK(grpc_status(504) == 4);
  CHECK(grpc_status(500) == 2);
  CHECK(grpc_status(413) == 2);
}

TEST_CASE("a gRPC message is visible ASCII, and bounded") {
  const auto encoded = [](std::string_view text) {
    std::string out;
    append_grpc_message(text, out);
    return out;
  };
  CHECK(encoded("no route: 100%") == "no route: 100%25");
  CHECK(encoded("a\r\n\xc3\xa9") == "a%0D%0A%C3%A9");
  CHECK(encoded(std::string(5'000, 'x')).size() == grpc_message_bytes_max);
}

} // namespace strait::gateway::proxy
