#pragma once

#include "catalog/kinds.hpp"
#include "catalog/record_codec.hpp"

namespace strait::catalog {

/// The rows of the store that hold a revision and no value (docs/formats/catalog.md).
model::ObjectKey service_index_key(const ServiceKey& service);
model::ObjectKey kind_index_key(model::Kind kind);
model::ObjectKey extinction_key();

/// Decodes one row of the store and hands it to the sink: set(RecordPtr<T>),
/// set_service(ServiceKey, Revision), set_kind_revision(Kind, Revision) or
/// set_extinction(Revision). Errc::corrupt.
template <class Sink>
Status read_row(Sink& sink, std::string_view key_bytes, std::string_view value) {
  auto key = decode_key(key_bytes);
  if (!key)
    return fail(key.error());
  if (!is_index(key->kind)) {
    auto record = decode_record(*key, value);
    if (!record)
      return fail(record.error());
    std::visit(
        [&]<class T>(T& it) {
          sink.set(std::make_shared<const Record<T>>(
              Record<T>{std::move(it), record->created, record->modified}));
        },
        record->value);
    return {};
  }
  auto modified = decode_index(*key, value);
  if (!modified)
    return fail(modified.error());
  if (key->kind == model::Kind::service_index)
    sink.set_service({key->name.ns, key->name.name}, *modified);
  else if (*key == extinction_key())
    sink.set_extinction(*modified);
  else if (auto kind = model::kind_from(key->name.name))
    sink.set_kind_revision(*kind, *modified);
  else
    return fail(Errc::corrupt, "stored {}: there is no such kind", model::to_string(*key));
  return {};
}

} // namespace strait::catalog
