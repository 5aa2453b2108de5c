#pragma once

#include "base/result.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace strait::api {

/// What a list holds: says which selectors a filter may use, and of which type they are.
enum class Element {
  node,               ///< catalog/nodes
  service_node,       ///< catalog/service
  node_service,       ///< catalog/node, the members of Services
  check_service_node, ///< health/service
  health_check,       ///< health/node, checks and state
  agent_service,      ///< agent/services
  config_entry,
};

struct FilterLimits {
  std::size_t text_bytes_max = 8 * 1024;
  std::size_t depth_max = 64; ///< Of parentheses and negations in one another.
};

/// Consul's filter language (reference/consul §2.3) over elements as JSON. Selectors are the names
/// in the JSON. A value, copied cheaply; any thread.
class Filter {
public:
  /// Errc::invalid with Consul's words: what is no expression, and selectors that the element does
  /// not have. Errc::exhausted beyond the limits.
  static Result<Filter> compile(std::string_view text, Element element,
                                const FilterLimits& limits = {});
  /// Whether it holds for the element, which must be JSON of the kind that it was compiled for.
  bool takes(std::string_view json) const;

  struct Expression;

private:
  std::shared_ptr<const Expression> expression_;
};

} // namespace strait::api
