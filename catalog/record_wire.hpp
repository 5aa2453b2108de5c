#pragma once

#include "base/time.hpp"

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

/// Protobuf's wire format for plain structs, from one list of fields per struct (record_fields.hpp)
/// that serves both directions, so that they cannot drift apart. Only record_codec.cpp includes it.
///
/// proto3's rules: zero, empty and absent are the same; fields may come in any order; of a field
/// that is not repeated the last one counts; unknown fields are skipped. Strings are `bytes`.
namespace strait::catalog::wire {

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};
template <class T>
struct IsMap : std::false_type {};
template <class K, class T>
struct IsMap<std::map<K, T>> : std::true_type {};
template <class T>
struct IsVariant : std::false_type {};
template <class... Ts>
struct IsVariant<std::variant<Ts...>> : std::true_type {};

template <class T>
concept IsTime = std::is_same_v<T, WallTime> || std::is_same_v<T, Millis>;
/// What is one varint.
template <class T>
concept Scalar = std::is_integral_v<T> || std::is_enum_v<T> || IsTime<T>;

inline std::int64_t millis(WallTime time) { return time.time_since_epoch().count(); }
inline std::int64_t millis(Millis time) { return time.count(); }

/// How an enumeration is stored: by number; the specialisation says which numbers exist …
template <class E>
struct StoredAsNumber; // static bool exists(std::uint64_t);
/// … or by the text that names it.
template <class E>
struct StoredAsText : std::false_type {}; // static bool parse(std::string_view, E&);

class Encoder {
public:
  explicit Encoder(std::string& out) : out_{out} {}

  template <class T>
  void operator()(std::uint32_t number, const T& value) {
    if constexpr (IsOptional<T>::value) {
      if (value)
        present(number, *value);
    } else if constexpr (IsVector<T>::value) {
      for (auto& item : value)
        present(number, item);
    } else if constexpr (IsMap<T>::value) {
      for (auto& entry : value)
        nested(number, [&] {
          (*this)(1, entry.first);
          (*this)(2, entry.second);
        });
    } else if constexpr (std::is_same_v<T, std::string>) {
      if (!value.empty())
        present(number, value);
    } else if constexpr (StoredAsText<T>::value) {
      present(number, std::string{to_string(value)});
    } else if constexpr (Scalar<T>) {
      if (value != T{})
        present(number, value);
    } else {
      present(number, value);
    }
  }

  /// A field that means `absent` when it is not there, instead of zero.
  template <Scalar T>
  void operator()(std::uint32_t number, const T& value, T absent) {
    if (value != absent)
      present(number, value);
  }

  /// Written even if it is zero or empty.
  template <class T>
  void present(std::uint32_t number, const T& value) {
    if constexpr (std::is_same_v<T, std::string>) {
      varint(number << 3U | 2U);
      varint(value.size());
      out_ += value;
    } else if constexpr (Scalar<T>) {
      varint(number << 3U);
      varint(as_varint(value));
    } else if constexpr (IsVariant<T>::value) {
      nested(number, [&] {
        std::visit(
            [&](auto& chosen) { present(static_cast<std::uint32_t>(value.index() + 1), chosen); },
            value);
      });
    } else {
      // The list of fields is shared with the decoder, which needs them writable; nothing here
      // writes to them.
      nested(number, [&] { fields(*this, const_cast<T&>(value)); });
    }
  }

private:
  template <Scalar T>
  static std::uint64_t as_varint(T value) {
    if constexpr (IsTime<T>)
      return static_cast<std::uint64_t>(millis(value));
    else if constexpr (std::is_enum_v<T>)
      return static_cast<std::uint64_t>(value);
    else if constexpr (std::is_signed_v<T>)
      return static_cast<std::uint64_t>(static_cast<std::int64_t>(value));
    else
      return value;
  }
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7U)
      out_ += static_cast<char>(value | 0x80U);
    out_ += static_cast<char>(value);
  }
  template <class Body>
  void nested(std::uint32_t number, Body&& body) {
    varint(number << 3U | 2U);
    auto start = out_.size();
    body();
    auto length = out_.size() - start;
    std::string prefix;
    Encoder{prefix}.varint(length);
    out_.insert(start, prefix);
  }

  std::string& out_;
};

/// Sets every listed field to zero or empty: what an absent field means, whatever the struct's own
/// default is.
struct Clearer {
  template <class T>
  void operator()(std::uint32_t, T& value) {
    if constexpr (Scalar<T>)
      value = T{};
    else if constexpr (IsOptional<T>::value)
      value.reset();
    else if constexpr (requires { value.clear(); })
      value.clear();
    else if constexpr (!IsVariant<T>::value)
      fields(*this, value);
  }
  template <Scalar T>
  void operator()(std::uint32_t, T& value, T absent) {
    value = absent;
  }
};

/// One field as it lies on the wire.
struct Field {
  std::uint32_t number = 0;
  bool is_bytes = false;
  std::uint64_t varint = 0;
  std::string_view bytes;
};

/// Splits a message into its fields, in their order.
class FieldReader {
public:
  explicit FieldReader(std::string_view in) : in_{in} {}

  /// False at the end and at the first thing that is not protobuf; bad() tells which.
  bool next(Field& field) {
    while (!in_.empty() && !bad_) {
      std::uint64_t tag = varint();
      field.number = static_cast<std::uint32_t>(tag >> 3U);
      if (bad_ || tag >> 3U == 0 || tag >> 3U > 0x1FFFFFFF)
        return !(bad_ = true);
      switch (tag & 7U) {
      case 0:
        field.is_bytes = false;
        field.varint = varint();
        return !bad_;
      case 1:
        take(8); // A fixed-size field is none of ours: skipped.
        break;
      case 2:
        field.is_bytes = true;
        field.bytes = take(varint());
        return !bad_;
      case 5:
        take(4);
        break;
      default:
        bad_ = true;
      }
    }
    return false;
  }
  bool bad() const { return bad_; }

private:
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < 10 && i < in_.size(); ++i) {
      auto byte = static_cast<unsigned char>(in_[i]);
      value |= static_cast<std::uint64_t>(byte & 0x7FU) << (7 * i);
      if (byte < 0x80) {
        in_.remove_prefix(i + 1);
        return value;
      }
    }
    bad_ = true;
    return 0;
  }
  std::string_view take(std::uint64_t count) {
    if (bad_ || count > in_.size()) {
      bad_ = true;
      return {};
    }
    auto taken = in_.substr(0, static_cast<std::size_t>(count));
    in_.remove_prefix(static_cast<std::size_t>(count));
    return taken;
  }

  std::string_view in_;
  bool bad_ = false;
};

/// Takes one wire field into whichever listed field has its number.
class Decoder {
public:
  /// Fills the whole message; false if the bytes are not one, or a value is out of its range.
  template <class T>
  static bool message(std::string_view in, T& value) {
    Clearer clearer;
    fields(clearer, value);
    FieldReader reader{in};
    Decoder decoder;
    while (decoder.ok_ && reader.next(decoder.field_))
      fields(decoder, value);
    return decoder.ok_ && !reader.bad();
  }

  template <class T>
  void operator()(std::uint32_t number, T& value) {
    if (number == field_.number)
      ok_ = ok_ && take(value);
  }
  template <Scalar T>
  void operator()(std::uint32_t number, T& value, T) {
    (*this)(number, value);
  }

private:
  template <class T>
  bool take(T& value) {
    if constexpr (IsOptional<T>::value) {
      return take(value.emplace());
    } else if constexpr (IsVector<T>::value) {
      return take(value.emplace_back());
    } else if constexpr (StoredAsText<T>::value) {
      return field_.is_bytes && StoredAsText<T>::parse(field_.bytes, value);
    } else if constexpr (Scalar<T>) {
      return !field_.is_bytes && scalar(value);
    } else {
      if (!field_.is_bytes)
        return false;
      if constexpr (std::is_same_v<T, std::string>) {
        value = field_.bytes;
        return true;
      } else if constexpr (IsMap<T>::value) {
        return entry(value);
      } else if constexpr (IsVariant<T>::value) {
        return chosen(value);
      } else {
        return message(field_.bytes, value);
      }
    }
  }
  template <Scalar T>
  bool scalar(T& value) {
    auto raw = field_.varint;
    if constexpr (IsTime<T>) {
      value = T{Millis{static_cast<std::int64_t>(raw)}};
    } else if constexpr (std::is_enum_v<T>) {
      if (!StoredAsNumber<T>::exists(raw))
        return false;
      value = static_cast<T>(raw);
    } else if constexpr (std::is_same_v<T, bool>) {
      value = raw != 0;
    } else if constexpr (std::is_signed_v<T>) {
      auto wide = static_cast<std::int64_t>(raw);
      if (wide < std::numeric_limits<T>::min() || wide > std::numeric_limits<T>::max())
        return false;
      value = static_cast<T>(wide);
    } else {
      if (raw > std::numeric_limits<T>::max())
        return false;
      value = static_cast<T>(raw);
    }
    return true;
  }
  template <class K, class T>
  bool entry(std::map<K, T>& value) {
    FieldReader reader{field_.bytes};
    Decoder decoder;
    K key{};
    T item{};
    while (decoder.ok_ && reader.next(decoder.field_)) {
      decoder(1, key);
      decoder(2, item);
    }
    if (!decoder.ok_ || reader.bad())
      return false;
    value.insert_or_assign(std::move(key), std::move(item));
    return true;
  }
  template <class... Ts>
  bool chosen(std::variant<Ts...>& value) {
    FieldReader reader{field_.bytes};
    Decoder decoder;
    bool found = false;
    while (decoder.ok_ && reader.next(decoder.field_)) {
      std::uint32_t number = 0;
      (void)((++number == decoder.field_.number &&
              (found = true, decoder.ok_ = decoder.take(value.template emplace<Ts>()), true)) ||
             ...);
    }
    return found && decoder.ok_ && !reader.bad();
  }

  Field field_;
  bool ok_ = true;
};

} // namespace strait::catalog::wire
