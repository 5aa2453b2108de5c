#pragma once

#include "catalog/view.hpp"

namespace strait::catalog {

/// All that a view says, one line each, sorted: records with their revisions and bytes, indexes,
/// revisions. Equal views give equal text. For comparisons in tests and for support; holds secrets.
std::string to_text(const View& view);

/// Whether both say the same, wherever it lies in memory.
bool same(const View& a, const View& b);

} // namespace strait::catalog
