// links: strait_gateway_snapshot
//
// Routes and a request, both out of the input: the table must find what a scan of all routes finds.
#include "gateway/snapshot/http_table.hpp"
#include "gateway/snapshot/match_oracle.hpp"
#include "gateway/snapshot/random_config.hpp"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

using namespace strait;
using namespace strait::gateway;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input{reinterpret_cast<const char*>(data), size};
  // Up to the first 0xff bytes decide about routes; after it comes the text of a request.
  auto bytes = input.substr(0, input.find('\xff'));
  auto text = input.substr(std::min(size, bytes.size() + 1));
  RandomConfig make{[&](std::size_t limit) {
    if (bytes.empty())
      return std::size_t{0};
    auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    return byte % limit;
  }};

  HttpTable table;
  CopyCost cost;
  std::vector<std::shared_ptr<const BoundRoute>> kept;
  std::vector<const BoundRoute*> routes;
  for (auto count = 1 + make.below(6); count > 0; --count) {
    auto route = std::make_shared<BoundRoute>();
    route->id = std::to_string(count);
    route->created = WallTime{Millis{make.below(3)}};
    route->route = make.http_route();
    auto compiled = compile(route);
    assert(compiled);
    table = table.with(*compiled, cost);
    kept.push_back(route);
    routes.push_back(route.get());
  }
  auto request = make.request();
  auto line = [&] {
    auto taken = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), taken.size() + 1));
    return std::string{taken};
  };
  if (!text.empty()) {
    request.host = line();
    request.path = line();
    request.query = line();
    while (!text.empty()) {
      auto header = line();
      auto colon = std::min(header.find(':'), header.size());
      request.headers.emplace_back(header.substr(0, colon),
                                   header.substr(std::min(colon + 1, header.size())));
    }
  }
  auto view = request.view();
  auto actual = table.match(view);
  auto expected = oracle::match(routes, view);
  if (actual.route != expected.route || actual.match != expected.match)
    __builtin_trap();
  for (const auto& route : kept)
    table = table.without(*route, cost);
  if (!table.empty())
    __builtin_trap();
  return 0;
}
