#pragma once

#include "catalog/view.hpp"

#include <set>

namespace strait::actors {

/// Secrets and ConfigMaps that gateways of our classes, their listener sets, and backend TLS
/// policies refer to: all that is read of them from Kubernetes. Whether a reference is allowed is
/// for resolution to say. Pure.
std::set<model::ObjectKey> kubernetes_references(const catalog::View& view);

} // namespace strait::actors
