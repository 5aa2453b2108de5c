#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Ordered bytes with revisions, told nothing of what they mean.
///
/// Current values and the change log (revision → what was written) go into one write batch, so a
/// reader that kept a revision can ask for what came after it. See docs/formats/storage.md.
namespace strait::storage {

/// Every commit has one; never zero, never going back, also across restarts.
using Revision = std::uint64_t;

/// One key set (value) or removed (no value).
struct Write {
  std::string key;
  std::string value;
  bool erase = false;

  friend bool operator==(const Write&, const Write&) = default;
};

/// What becomes visible together under one revision.
struct Commit {
  Revision revision = 0;
  std::vector<Write> writes;

  friend bool operator==(const Commit&, const Commit&) = default;
};

/// Named maxima of a store; a commit beyond one is refused with Errc::exhausted and leaves nothing.
struct Limits {
  std::size_t key_bytes_max = 4096;
  std::size_t value_bytes_max = 8U << 20U;
  std::size_t commit_bytes_max = 64U << 20U;
  /// How many of the newest commits changes_after() can still answer for.
  std::uint64_t log_commits_max = 200'000;
};

/// An open store has one owner and one writer thread; commit() blocks until the bytes are on disk,
/// so only a thread that exists for it may call. scan(), changes_after() and revision() may be
/// called from the same thread. watch() callbacks run on the thread that commits.
class Store {
public:
  virtual ~Store() = default;

  /// The newest committed revision; 0 for a store that was never written.
  virtual Revision revision() const = 0;

  /// A UUID made when the store was created: two stores are never mistaken for each other.
  virtual const std::string& id() const = 0;

  /// Writes all commits in one batch with one sync. Their revisions must be revision()+1,
  /// revision()+2, …. After success all are durable; after any error none is, and the store
  /// refuses every later commit (Errc::unavailable) until it is opened anew.
  virtual Status commit(std::span<const Commit> commits) = 0;

  /// Every current key with the prefix, in key order, until the visitor returns false.
  using Visitor = std::function<bool(std::string_view key, std::string_view value)>;
  virtual Status scan(std::string_view prefix, const Visitor& visit) const = 0;

  /// Every commit after the revision, oldest first. Errc::not_found if the log no longer reaches
  /// back that far: the caller must scan.
  using ChangeVisitor = std::function<bool(const Commit&)>;
  virtual Status changes_after(Revision after, const ChangeVisitor& visit) const = 0;

  /// Calls back after each later commit, in order, on the committing thread, until the returned
  /// handle is dropped.
  using Watcher = std::function<void(const Commit&)>;
  [[nodiscard]] virtual std::shared_ptr<void> watch(Watcher watcher) = 0;
};

/// Where a store lives.
struct RocksOptions {
  std::string path;
  /// Bound of the write-ahead log, hence of the time to recover.
  std::uint64_t wal_bytes_max = 256U << 20U;
  Limits limits = {};
};

/// Opens or creates a store in a directory. Errors name the directory and what is wrong with it:
/// locked by another process (unavailable), missing or not writable (not_found, denied), of another
/// format version (invalid), damaged (corrupt).
Result<std::unique_ptr<Store>> open_rocksdb(const RocksOptions& options);

/// A store that lives as long as its owner: for tests and for agents that keep nothing.
std::unique_ptr<Store> make_memory_store(Limits limits = {});

} // namespace strait::storage
