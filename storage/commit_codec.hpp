#pragma once

#include "storage/store.hpp"

#include <string>
#include <string_view>

/// Bytes of the change log: docs/formats/storage.md, "Encodings". Pure; any thread may call.
namespace strait::storage {

/// Eight bytes, most significant first, so that keys sort as revisions do.
std::string encode_revision(Revision revision);
/// Errc::corrupt unless there are eight bytes.
Result<Revision> decode_revision(std::string_view bytes);

/// The writes of a commit; its revision is the record's key.
std::string encode_writes(const Commit& commit);
/// Takes only what encode_writes() makes: each list of writes has one encoding. Errc::corrupt names
/// the offset of the first byte that is wrong.
Result<Commit> decode_commit(Revision revision, std::string_view bytes);

} // namespace strait::storage
