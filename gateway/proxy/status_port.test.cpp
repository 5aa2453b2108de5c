#include "gateway/proxy/status_port.hpp"

#include "net/http_client.hpp"

#include <catch2/catch.hpp>

using namespace strait;
using namespace strait::gateway::proxy;

TEST_CASE("the metrics port answers GET of its path alone") {
  auto port = open_status_port({"metrics port", "127.0.0.1", 0, "/numbers"},
                               [] { return prometheus_text("strait 1\n"); });
  REQUIRE(port);
  auto client = net::HttpClient::create("http://" + (*port)->address().to_string());
  REQUIRE(client);
  auto answer = client->get("/numbers");
  REQUIRE(answer);
  CHECK(answer->status == 200);
  CHECK(answer->body == "strait 1\n");
  CHECK(answer->fields.get("content-type") == "text/plain; version=0.0.4");
  CHECK(client->get("/metrics")->status == 404);
  CHECK(client->put("/numbers", "x")->status == 405);
}
