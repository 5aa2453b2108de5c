#include "gateway/proxy/metrics_text.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <sstream>

using namespace strait;
using namespace strait::gateway::proxy;

TEST_CASE("counters are written as Prometheus reads them") {
  Counters counters;
  counters.values[static_cast<std::size_t>(Counter::downstream_connections)] = 5;
  counters.values[static_cast<std::size_t>(Counter::downstream_closed)] = 2;
  counters.listeners = {{"http", 7, 1}};
  counters.clusters = {{"service/a\"b\\c\nd/80", 3, 0}};
  auto text = metrics_text(counters);
  CHECK_THAT(text, Catch::StartsWith("# HELP strait_gateway_connections Connections of clients "
                                     "that are open\n"
                                     "# TYPE strait_gateway_connections gauge\n"
                                     "strait_gateway_connections 3\n"));
  CHECK_THAT(text, Catch::Contains("\n# TYPE strait_gateway_downstream_connections_total counter\n"
                                   "strait_gateway_downstream_connections_total 5\n"));
  CHECK_THAT(text,
             Catch::Contains("\nstrait_gateway_listener_requests_total{listener=\"http\"} 7\n"));
  CHECK_THAT(text,
             Catch::Contains("\nstrait_gateway_listener_failures_total{listener=\"http\"} 1\n"));
  CHECK_THAT(text, Catch::EndsWith("strait_gateway_cluster_failures_total"
                                   "{cluster=\"service/a\\\"b\\\\c\\nd/80\"} 0\n"));
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);)
    CHECK((line.starts_with("# ") || line.starts_with("strait_gateway_")));
}

TEST_CASE("what is written does not grow with the names that are counted") {
  WorkerCounters worker{4};
  for (int i = 0; i < 100; ++i)
    worker.clusters.find_or_add("cluster " + std::to_string(i)).requests.add();
  Counters sum;
  worker.add_to(sum);
  auto text = metrics_text(sum);
  CHECK_THAT(text, Catch::Contains("{cluster=\"other\"} 97\n"));
  std::size_t series = 0;
  for (auto at = text.find("{cluster="); at != std::string::npos;
       at = text.find("{cluster=", at + 1))
    ++series;
  CHECK(series == 8);
}
