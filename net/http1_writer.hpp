#pragma once

#include "net/http1_names.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace strait::net::http1 {

/// Writes one head at the end of a string that the caller keeps and reuses, so that the steady
/// state allocates nothing. What would break the framing (a line end in a value, a blank in a name)
/// is never written: ok() turns false and the head must not be sent.
class HeadWriter {
public:
  explicit HeadWriter(std::string& out) : out_{out} {}

  HeadWriter& request(std::string_view method, std::string_view target, int version_minor = 1);
  /// An empty reason stands for the code's own.
  HeadWriter& response(int status, std::string_view reason = {}, int version_minor = 1);
  HeadWriter& field(std::string_view name, std::string_view value);
  HeadWriter& field(std::string_view name, std::uint64_t value);
  /// A field line as it was parsed (Field::line), CRLF included.
  HeadWriter& raw_line(std::string_view line);
  /// The blank line that ends the head.
  void end();

  bool ok() const { return ok_; }

private:
  std::string& out_;
  bool ok_ = true;
};

/// "1a2b\r\n": what goes before the data of a chunk; "\r\n" goes behind it.
void append_chunk_size(std::string& out, std::size_t size);
/// The last chunk without trailer fields.
inline constexpr std::string_view last_chunk = "0\r\n\r\n";
inline constexpr std::string_view continue_head = "HTTP/1.1 100 Continue\r\n\r\n";

} // namespace strait::net::http1
