#pragma once

#include "base/result.hpp"
#include "catalog/model/object.hpp"
#include "kubernetes/document.hpp"

#include <string>
#include <string_view>

/// Where the API server keeps the objects that Strait makes itself. Pure.
namespace strait::kubernetes {

/// Which object a document is of.
struct ObjectId {
  std::string api_version; ///< "apps/v1", "v1"
  std::string kind;
  model::Name name; ///< Without namespace for cluster-wide kinds.
  friend auto operator<=>(const ObjectId&, const ObjectId&) = default;
  friend bool operator==(const ObjectId&, const ObjectId&) = default;
};
/// "Deployment shop/edge"
std::string to_string(const ObjectId& id);

/// invalid: apiVersion, kind or metadata.name is missing.
Result<ObjectId> id_of(const Node& document);

/// "/apis/apps/v1/namespaces/shop/deployments/edge". invalid: a kind that Strait does not make.
Result<std::string> path_of(const ObjectId& id);
/// The same without the name: for lists, watches and creation. Without a namespace it is that of
/// all namespaces, "/apis/apps/v1/deployments".
Result<std::string> collection_of(const ObjectId& id);

} // namespace strait::kubernetes
