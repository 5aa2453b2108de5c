#pragma once

#include "catalog/view.hpp"

#include <string>
#include <string_view>

/// How one record lies in the store: docs/formats/catalog.md. Pure functions; any thread.
namespace strait::catalog {

/// The store's key: the kind in one byte, the namespace with its end marked, the name. Keys sort as
/// (kind, namespace, name) do; names may hold any byte.
std::string encode_key(const model::ObjectKey& key);
/// Errc::corrupt with the key in hexadecimal.
Result<model::ObjectKey> decode_key(std::string_view key);
/// Every key of a kind, and of a kind in one namespace, begins with these.
std::string key_prefix(model::Kind kind);
std::string key_prefix(model::Kind kind, std::string_view ns);

/// A record as it is stored.
struct StoredRecord {
  AnyRecord value;
  Revision created = 0;
  Revision modified = 0;
  friend bool operator==(const StoredRecord&, const StoredRecord&) = default;
};
/// strait.records.v1.Record.
std::string encode_record(const AnyRecord& value, Revision created, Revision modified);
/// Errc::corrupt names the key if the bytes are not a record of that key's kind and name.
Result<StoredRecord> decode_record(const model::ObjectKey& key, std::string_view bytes);

/// The rows that hold a revision and no value: service_index and kind_index.
std::string encode_index(Revision modified);
Result<Revision> decode_index(const model::ObjectKey& key, std::string_view bytes);
constexpr bool is_index(model::Kind kind) {
  return kind == model::Kind::service_index || kind == model::Kind::kind_index;
}

} // namespace strait::catalog
