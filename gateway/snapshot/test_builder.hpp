#pragma once

#include "gateway/snapshot/snapshot.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

/// Few words for tests of what a SnapshotBuilder makes of deltas.
namespace strait::gateway::test {

inline std::shared_ptr<Listener> listener(std::string name, std::uint16_t port, Protocol protocol,
                                          std::string hostname = "") {
  return std::make_shared<Listener>(Listener{.name = std::move(name),
                                             .port = port,
                                             .protocol = protocol,
                                             .hostname = std::move(hostname)});
}
inline std::shared_ptr<BoundRoute> http(std::string id, Match match = {}) {
  return std::make_shared<BoundRoute>(BoundRoute{
      .id = std::move(id), .route = HttpRoute{.rules = {HttpRule{.matches = {std::move(match)}}}}});
}
inline std::shared_ptr<BoundRoute> tcp(std::string id, int created) {
  return std::make_shared<BoundRoute>(
      BoundRoute{std::move(id), WallTime{Millis{created}}, TcpRoute{}});
}

inline std::shared_ptr<BoundRoute> tls(std::string id, std::vector<std::string> hostnames,
                                       int created = 0) {
  return std::make_shared<BoundRoute>(
      BoundRoute{std::move(id), WallTime{Millis{created}}, TlsRoute{std::move(hostnames), {}}});
}
inline std::shared_ptr<BoundRoute> udp(std::string id, int created) {
  return std::make_shared<BoundRoute>(
      BoundRoute{std::move(id), WallTime{Millis{created}}, UdpRoute{}});
}

/// A builder that counts its epochs.
struct Built {
  SnapshotBuilder builder;
  Delta delta{.epoch = 1};

  Built& set(std::shared_ptr<Listener> value) {
    auto name = value->name;
    delta.listeners.emplace_back(name, std::move(value));
    return *this;
  }
  Built& set(const std::string& listener, std::shared_ptr<BoundRoute> route) {
    auto key = binding_key(listener, route->id);
    delta.routes.emplace_back(key, std::move(route));
    return *this;
  }
  Built& remove(const std::string& listener, const std::string& route) {
    delta.routes.emplace_back(binding_key(listener, route), nullptr);
    return *this;
  }
  SnapshotPtr apply() {
    auto made = builder.apply(delta);
    REQUIRE(made);
    delta = {.from = delta.epoch, .epoch = delta.epoch + 1};
    return *made;
  }
  std::string errors() const {
    std::string text;
    for (const auto& error : builder.errors())
      text += error.detail + "\n";
    return text;
  }
};

} // namespace strait::gateway::test
