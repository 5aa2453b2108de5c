#pragma once

#include "catalog/command.hpp"

namespace strait::catalog {

/// Whether what the command writes is another server's, and is had from there again should it be
/// lost: a mirrored object, its removal, or what is said of one. Before: the view that the command
/// is applied to. See storage::Commit::recoverable.
bool is_recoverable(const Command& command, const View& before);

} // namespace strait::catalog
