#pragma once

#include "gateway/snapshot/config.hpp"

#include <string>
#include <string_view>

namespace strait::gateway::proxy {

/// Appends the path that an edit makes of a request's path (Gateway API, HTTPPathModifier). A
/// prefix is replaced by element: the part of `path` that `match` matched gives way to the edit's
/// value, with one slash between both, and nothing left becomes "/". Under a match that is no
/// prefix, which resolution refuses, the whole path gives way. Pure.
void append_edited_path(const PathEdit& edit, const Match& match, std::string_view path,
                        std::string& out);

/// Appends the target that a rewrite makes of a request's: its path edited, its query kept. Without
/// a path edit the path stays.
void append_rewritten_target(const Rewrite& rewrite, const Match& match, std::string_view path,
                             bool has_query, std::string_view query, std::string& out);

} // namespace strait::gateway::proxy
