#include "catalog/catalog.hpp"
#include "catalog/view_writer.hpp"

namespace strait::catalog {

Result<Catalog> Catalog::load(const storage::Store& store, CommandLimits limits) {
  ViewWriter writer{View{}};
  Status read;
  auto scanned = store.scan("", [&](std::string_view key, std::string_view value) {
    read = writer.read(key, value);
    return read.has_value();
  });
  if (!scanned)
    return fail(scanned.error());
  if (!read)
    return fail(read.error());
  writer.set_revision(store.revision());
  Catalog catalog{limits};
  catalog.view_ = writer.finish();
  return catalog;
}

} // namespace strait::catalog
