#pragma once

#include "api/call.hpp"

#include <optional>

namespace strait::api {

/// Which endpoint serves a method and path. A pattern is a path whose segments may be ":name" (one
/// segment, also an empty one at the end) or, last, "*" (the rest, slashes included).
class Router {
public:
  /// The pattern is also the endpoint's name in metrics.
  void add(std::string_view method, std::string_view pattern, Endpoint endpoint);

  struct Match {
    const Endpoint* endpoint = nullptr; ///< Null: the path is known, the method is not.
    std::string pattern;
    std::vector<std::string> parts;
    std::string allow; ///< For 405 and OPTIONS: "OPTIONS,GET".
  };
  /// The path is as sent: its segments are decoded one by one. Nothing: no endpoint has that path.
  /// The first pattern added wins.
  std::optional<Match> find(std::string_view method, std::string_view path) const;

private:
  struct Route {
    std::string pattern;
    std::vector<std::string> segments;
    std::vector<std::pair<std::string, Endpoint>> methods;
  };
  std::vector<Route> routes_;
};

/// The endpoints, by what they serve.
void add_catalog_endpoints(Router& router);
void add_health_endpoints(Router& router);
void add_status_endpoints(Router& router);
void add_config_endpoints(Router& router);

} // namespace strait::api
