#pragma once

#include "api/filter.hpp"

#include <optional>
#include <vector>

namespace strait::api {

/// What a selector of a filter names.
enum class Field { text, number, flag, texts, map, structure };

/// The type of the field that a selector names in an element; nothing: it has no such field.
std::optional<Field> field_type(Element element, const std::vector<std::string>& path);

} // namespace strait::api
