#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace strait::net::http2 {

/// A header section as HTTP/2 knows it: pairs in order, names in lower case, pseudo-header fields
/// (":path") first. Keeps its memory from one section to the next.
class FieldList {
public:
  struct Field {
    std::string_view name, value; ///< Good until the next add() or clear().
  };

  /// The name is put in lower case.
  void add(std::string_view name, std::string_view value);
  void clear();

  std::size_t size() const { return slices_.size(); }
  bool empty() const { return slices_.empty(); }
  Field operator[](std::size_t i) const;
  /// The first of that name; empty if there is none.
  std::string_view get(std::string_view name) const;
  bool has(std::string_view name) const;
  /// As RFC 9113 §6.5.2 counts: names, values and 32 bytes for each field.
  std::size_t counted_bytes() const { return text_.size() + slices_.size() * 32; }

private:
  struct Slices {
    std::uint32_t begin, name, value; // Offset, then sizes: the value lies behind the name.
  };
  std::string text_;
  std::vector<Slices> slices_;
};

} // namespace strait::net::http2
