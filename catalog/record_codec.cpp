#include "catalog/record_codec.hpp"

#include "catalog/record_fields.hpp"

namespace strait::catalog {

namespace {

constexpr char escape = '\0'; // Before a zero byte of the namespace, and before its end:
constexpr char end_of_namespace = '\1';
constexpr char zero_byte = '\xff';

/// The field of Record that holds a value of the kind.
constexpr std::uint32_t value_field(model::Kind kind) {
  return 10 + static_cast<std::uint32_t>(kind);
}

std::string hexadecimal(std::string_view bytes) {
  std::string text;
  for (unsigned char byte : bytes)
    text += fmt::format("{:02x}", byte);
  return text;
}

/// Decodes the alternative of AnyRecord whose kind is asked for.
template <std::size_t I = 0>
bool decode_value(model::Kind kind, std::string_view bytes, AnyRecord& value) {
  if constexpr (I < std::variant_size_v<AnyRecord>) {
    using T = std::variant_alternative_t<I, AnyRecord>;
    if (T::kind == kind)
      return wire::Decoder::message(bytes, value.emplace<I>());
    return decode_value<I + 1>(kind, bytes, value);
  } else {
    return false;
  }
}

} // namespace

std::string key_prefix(model::Kind kind) { return std::string(1, static_cast<char>(kind)); }

std::string key_prefix(model::Kind kind, std::string_view ns) {
  auto prefix = key_prefix(kind);
  prefix.reserve(ns.size() + 3);
  for (char byte : ns) {
    prefix += byte;
    if (byte == escape)
      prefix += zero_byte;
  }
  prefix += escape;
  prefix += end_of_namespace;
  return prefix;
}

std::string encode_key(const model::ObjectKey& key) {
  return key_prefix(key.kind, key.name.ns) + key.name.name;
}

Result<model::ObjectKey> decode_key(std::string_view key) {
  auto bad = [&](std::string_view why) {
    return fail(Errc::corrupt, "catalog key {}: {}", hexadecimal(key.substr(0, 64)), why);
  };
  if (key.empty())
    return bad("is empty");
  model::ObjectKey decoded;
  decoded.kind = static_cast<model::Kind>(key[0]);
  if (!wire::StoredAsNumber<model::Kind>::exists(static_cast<unsigned char>(key[0])))
    return bad("is of a kind that this version does not know");
  for (std::size_t i = 1; i < key.size(); ++i) {
    if (key[i] != escape) {
      decoded.name.ns += key[i];
      continue;
    }
    if (++i == key.size())
      break;
    if (key[i] == end_of_namespace) {
      decoded.name.name = key.substr(i + 1);
      return decoded;
    }
    if (key[i] != zero_byte)
      break;
    decoded.name.ns += escape;
  }
  return bad("its namespace has no end");
}

std::string encode_record(const AnyRecord& value, Revision created, Revision modified) {
  std::string bytes;
  wire::Encoder encoder{bytes};
  encoder(1, created);
  encoder(2, modified);
  std::visit([&](auto& it) { encoder.present(value_field(std::decay_t<decltype(it)>::kind), it); },
             value);
  return bytes;
}

Result<StoredRecord> decode_record(const model::ObjectKey& key, std::string_view bytes) {
  auto bad = [&](std::string_view why) {
    return fail(Errc::corrupt, "stored {}: {}", model::to_string(key), why);
  };
  StoredRecord record;
  bool found = false;
  wire::FieldReader reader{bytes};
  for (wire::Field field; reader.next(field);) {
    if (field.number == 1 && !field.is_bytes)
      record.created = field.varint;
    else if (field.number == 2 && !field.is_bytes)
      record.modified = field.varint;
    else if (field.number == value_field(key.kind)) {
      if (!field.is_bytes || !decode_value(key.kind, field.bytes, record.value))
        return bad("a field's value is not what its type allows");
      found = true;
    }
  }
  if (reader.bad())
    return bad("is not a protobuf message");
  if (!found)
    return bad("holds no value of this kind");
  if (record.created == 0 || record.modified < record.created)
    return bad("its revisions are not in order");
  if (key_of(record.value) != key)
    return bad("holds the value of another name");
  return record;
}

std::string encode_index(Revision modified) {
  std::string bytes;
  wire::Encoder{bytes}(2, modified);
  return bytes;
}

Result<Revision> decode_index(const model::ObjectKey& key, std::string_view bytes) {
  Revision modified = 0;
  wire::FieldReader reader{bytes};
  for (wire::Field field; reader.next(field);)
    if (field.number == 2 && !field.is_bytes)
      modified = field.varint;
  if (reader.bad() || modified == 0)
    return fail(Errc::corrupt, "stored {}: holds no revision", model::to_string(key));
  return modified;
}

} // namespace strait::catalog
