#pragma once

#include "catalog/model/object.hpp"
#include "cmd/cli/connection.hpp"

#include <span>

namespace strait::cli {

/// A kind of object that can be written as a document.
struct ObjectKind {
  model::Kind kind{};
  std::string_view short_name; ///< As kubectl has it, "svc"; may be empty.
  bool namespaced = true;
};

std::span<const ObjectKind> object_kinds();
/// "GatewayClass", …
std::vector<std::string> object_kind_names();

/// By name in any case, plural or short: "HTTPRoute", "httproutes", "gtw". The failure lists what
/// there is.
Outcome<ObjectKind> object_kind(std::string_view name);

/// "/strait/v1/objects/HTTPRoute/default/web"; without a name the list of the namespace, without a
/// namespace that of all.
std::string objects_path(const ObjectKind& kind, std::string_view ns, std::string_view name);

} // namespace strait::cli
