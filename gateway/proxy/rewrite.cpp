#include "gateway/proxy/rewrite.hpp"

namespace strait::gateway::proxy {

namespace {

std::string_view without_slash_at_end(std::string_view path) {
  return path.ends_with('/') ? path.substr(0, path.size() - 1) : path;
}

} // namespace

void append_edited_path(const PathEdit& edit, const Match& match, std::string_view path,
                        std::string& out) {
  const auto begin = out.size();
  if (!edit.value.empty() && !edit.value.starts_with('/'))
    out.append(1, '/');
  if (edit.type == PathEdit::Type::full || match.path_type != PathType::prefix) {
    out.append(edit.value);
  } else {
    // What is left begins with a slash or is empty: prefixes match by element.
    const auto prefix = without_slash_at_end(match.path);
    const auto rest = path.size() >= prefix.size() ? path.substr(prefix.size()) : path;
    out.append(rest.empty() ? std::string_view{edit.value} : without_slash_at_end(edit.value));
    out.append(rest);
  }
  if (out.size() == begin)
    out.append(1, '/');
}

void append_rewritten_target(const Rewrite& rewrite, const Match& match, std::string_view path,
                             bool has_query, std::string_view query, std::string& out) {
  if (rewrite.path)
    append_edited_path(*rewrite.path, match, path, out);
  else
    out.append(path);
  if (has_query)
    out.append(1, '?').append(query);
}

} // namespace strait::gateway::proxy
