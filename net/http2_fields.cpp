#include "net/http2_fields.hpp"

namespace strait::net::http2 {

void FieldList::add(std::string_view name, std::string_view value) {
  slices_.push_back({static_cast<std::uint32_t>(text_.size()),
                     static_cast<std::uint32_t>(name.size()),
                     static_cast<std::uint32_t>(value.size())});
  for (char c : name)
    text_.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  text_.append(value);
}

void FieldList::clear() {
  text_.clear();
  slices_.clear();
}

FieldList::Field FieldList::operator[](std::size_t i) const {
  const auto& [begin, name, value] = slices_[i];
  const std::string_view text{text_};
  return {text.substr(begin, name), text.substr(begin + name, value)};
}

std::string_view FieldList::get(std::string_view name) const {
  for (std::size_t i = 0; i < size(); ++i)
    if ((*this)[i].name == name)
      return (*this)[i].value;
  return {};
}

bool FieldList::has(std::string_view name) const {
  for (std::size_t i = 0; i < size(); ++i)
    if ((*this)[i].name == name)
      return true;
  return false;
}

} // namespace strait::net::http2
