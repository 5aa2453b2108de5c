#pragma once

#include "base/time.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace strait::api {

/// Writes JSON in the order of the calls, on one line. Bytes that are no UTF-8 become U+FFFD, so
/// that whatever a check or a peer said, the answer can be read.
class JsonWriter {
public:
  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);

  JsonWriter& text(std::string_view value);
  JsonWriter& flag(bool value) { return raw(value ? "true" : "false"); }
  JsonWriter& number(std::uint64_t value) { return raw(std::to_string(value)); }
  JsonWriter& number(std::int64_t value) { return raw(std::to_string(value)); }
  JsonWriter& null() { return raw("null"); }
  /// A value that is JSON already.
  JsonWriter& raw(std::string_view json);

  /// Members; the names say what becomes of an empty value.
  JsonWriter& text(std::string_view name, std::string_view value) { return key(name).text(value); }
  JsonWriter& text_unless_empty(std::string_view name, std::string_view value);
  JsonWriter& flag(std::string_view name, bool value) { return key(name).flag(value); }
  template <class Integer>
  JsonWriter& number(std::string_view name, Integer value) {
    if constexpr (std::is_signed_v<Integer>)
      return key(name).number(static_cast<std::int64_t>(value));
    else
      return key(name).number(static_cast<std::uint64_t>(value));
  }
  JsonWriter& raw(std::string_view name, std::string_view json) { return key(name).raw(json); }
  JsonWriter& null(std::string_view name) { return key(name).null(); }
  JsonWriter& texts(std::string_view name, const std::vector<std::string>& values);
  JsonWriter& texts_or_null(std::string_view name, const std::vector<std::string>& values);
  JsonWriter& map(std::string_view name, const std::map<std::string, std::string>& values);
  JsonWriter& map_or_null(std::string_view name, const std::map<std::string, std::string>& values);
  /// RFC 3339; null for the epoch, which means never.
  JsonWriter& time_or_null(std::string_view name, WallTime value);

  std::string take() { return std::move(out_); }
  const std::string& view() const { return out_; }

private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void separate();

  std::string out_;
  bool first_ = true; // No comma before what comes next.
};

/// The same JSON with an indent of four blanks and a newline at the end, as Consul's ?pretty.
std::string pretty_json(std::string_view compact);

} // namespace strait::api
