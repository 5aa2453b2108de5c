#include "net/http1_head.hpp"

namespace strait::net::http1 {

const Field* Head::find(HeaderId id) const {
  if (!has(id))
    return nullptr;
  for (const auto& field : fields_)
    if (field.id == id)
      return &field;
  return nullptr;
}

const Field* Head::find(std::string_view wanted) const {
  if (auto id = header_id(wanted); id != HeaderId::other)
    return find(id);
  if (!has(HeaderId::other))
    return nullptr;
  for (const auto& field : fields_)
    if (field.id == HeaderId::other && equal_ignoring_case(name(field), wanted))
      return &field;
  return nullptr;
}

std::string_view Head::get(HeaderId id) const {
  const auto* field = find(id);
  return field ? value(*field) : std::string_view{};
}

std::string_view Head::get(std::string_view wanted) const {
  const auto* field = find(wanted);
  return field ? value(*field) : std::string_view{};
}

void Head::clear() {
  base_ = nullptr;
  fields_.clear();
  present_ = content_length_ = 0;
  bytes_ = 0;
  version_minor_ = 1;
  framing_ = Framing::none;
  keep_alive_ = true;
  upgrade_ = false;
}

std::string_view RequestHead::path() const {
  if (path_.size == 0 && target_form_ == TargetForm::absolute)
    return "/";
  return view(path_);
}

} // namespace strait::net::http1
