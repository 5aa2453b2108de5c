#pragma once

#include "base/time.hpp"
#include "catalog/model/object.hpp"
#include "cmd/cli/json.hpp"

namespace strait::cli {

/// One column of `strait get`: what stands there for an object as JSON.
struct Column {
  std::string header;
  std::function<std::string(const json::Node& object)> cell;
};

struct ColumnOptions {
  model::Kind kind{};
  bool with_namespace = false;
  bool wide = false;
  WallTime now{};
};
std::vector<Column> columns_of(const ColumnOptions& options);

/// "5s", "12m", "3h", "10d"; empty for a time that is not known.
std::string age(WallTime then, WallTime now);

} // namespace strait::cli
