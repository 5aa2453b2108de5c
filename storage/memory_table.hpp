#pragma once

#include "storage/store.hpp"

#include <deque>
#include <functional>
#include <map>
#include <string>

namespace strait::storage {

/// Values and change log in memory: a plain value, so that a copy of it is a picture of a disk.
struct MemoryTable {
  std::map<std::string, std::string, std::less<>> values;
  std::deque<Commit> log; // Consecutive revisions.

  void apply(std::span<const Commit> commits, Revision keep_from);
  Status scan(std::string_view prefix, const Store::Visitor& visit) const;
  /// Visits the log from first to last; both must be in it.
  Status read_log(Revision first, Revision last, const Store::ChangeVisitor& visit) const;
};

} // namespace strait::storage
