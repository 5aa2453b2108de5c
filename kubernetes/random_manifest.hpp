#pragma once

#include "catalog/model/any_object.hpp"

#include <random>

/// Random objects for property tests and the simulation: valid by the API's rules, with few and
/// small names so that references often meet their targets. The same generator state makes the
/// same object.
namespace strait::kubernetes {

/// Kinds of model::Manifest only. `unsupported` is empty.
model::Manifest random_manifest(model::Kind kind, std::mt19937_64& prng);

/// The kinds that random_manifest makes.
const std::vector<model::Kind>& manifest_kinds();

} // namespace strait::kubernetes
