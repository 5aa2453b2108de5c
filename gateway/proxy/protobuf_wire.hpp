#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace strait::gateway::proxy {

/// Appends fields in protobuf's wire format. What is empty or 0 is left out, as proto3 does.
class ProtobufWriter {
public:
  explicit ProtobufWriter(std::string& out) : out_{out} {}

  ProtobufWriter& number(std::uint32_t field, std::uint64_t value) {
    if (value != 0) {
      varint(std::uint64_t{field} << 3);
      varint(value);
    }
    return *this;
  }
  /// A string or bytes.
  ProtobufWriter& text(std::uint32_t field, std::string_view value) {
    return value.empty() ? *this : message(field, value);
  }
  /// A message that was written before; an empty one is there all the same.
  ProtobufWriter& message(std::uint32_t field, std::string_view value) {
    varint(std::uint64_t{field} << 3 | 2);
    varint(value.size());
    out_.append(value);
    return *this;
  }

private:
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7)
      out_.push_back(static_cast<char>(value | 0x80));
    out_.push_back(static_cast<char>(value));
  }
  std::string& out_;
};

/// Walks the fields of one message, in the order written; what is nested is a reader's own matter.
/// Never keeps or copies a byte.
class ProtobufReader {
public:
  explicit ProtobufReader(std::string_view message) : rest_{message} {}

  /// The next field; false at the end, or where the bytes are no message: see complete().
  bool next() {
    if (rest_.empty() || broken_)
      return false;
    std::uint64_t tag = 0;
    bytes_ = {};
    value_ = 0;
    broken_ = !varint(tag) || tag >> 3 == 0 || tag >> 32 != 0;
    if (broken_)
      return false;
    number_ = static_cast<std::uint32_t>(tag >> 3);
    type_ = static_cast<unsigned>(tag & 7);
    std::uint64_t size = 0;
    switch (type_) {
    case 0:
      broken_ = !varint(value_);
      break;
    case 1:
      broken_ = !skip(8);
      break;
    case 2:
      broken_ = !varint(size) || size > rest_.size();
      if (!broken_) {
        bytes_ = rest_.substr(0, static_cast<std::size_t>(size));
        rest_.remove_prefix(bytes_.size());
      }
      break;
    case 5:
      broken_ = !skip(4);
      break;
    default: // Groups, which proto3 has not.
      broken_ = true;
    }
    return !broken_;
  }

  std::uint32_t number() const { return number_; }
  bool is_bytes() const { return type_ == 2; }
  /// Of a string, bytes or message.
  std::string_view bytes() const { return bytes_; }
  /// Of an integer, bool or enumeration; else 0.
  std::uint64_t value() const { return value_; }
  /// Everything was read, and was a message.
  bool complete() const { return rest_.empty() && !broken_; }

private:
  bool varint(std::uint64_t& value) {
    value = 0;
    for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80)
        return true;
    }
    return false;
  }
  bool skip(std::size_t count) {
    if (rest_.size() < count)
      return false;
    rest_.remove_prefix(count);
    return true;
  }

  std::string_view rest_, bytes_;
  std::uint64_t value_ = 0;
  std::uint32_t number_ = 0;
  unsigned type_ = 0;
  bool broken_ = false;
};

} // namespace strait::gateway::proxy
