#pragma once

#include "base/log.hpp"
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
  /// Whoever wrote it can write it again from elsewhere: it needs no sync. Not kept with it.
  bool recoverable = false;

  friend bool operator==(const Commit&, const Commit&) = default;
};

/// Named maxima of a store; what goes beyond one is refused with Errc::exhausted and leaves
/// nothing.
struct Limits {
  std::size_t key_bytes_max = 4096;
  std::size_t value_bytes_max = 8U << 20U;
  /// As counted by bytes_of().
  std::size_t commit_bytes_max = 64U << 20U;
  /// What one call of commit() may carry: the writer cuts its queue into groups no larger.
  std::size_t group_commits_max = 4096;
  std::size_t group_bytes_max = 64U << 20U;
  /// How many of the newest commits changes_after() answers for; at least 1.
  std::uint64_t log_commits_max = 200'000;
  std::size_t watchers_max = 64;
};

/// What a commit counts against commit_bytes_max and group_bytes_max: its keys and values, and 16
/// bytes more for each write, so that the number of writes is bounded too.
std::size_t bytes_of(const Commit& commit);

/// Whether a store with these limits takes the writes of the commit: a caller that joins commits to
/// a group asks before, so that one bad commit does not refuse its neighbours. Errc::exhausted
/// beyond a limit; Errc::invalid for an empty key or an erase that carries a value.
Status check_commit(const Commit& commit, const Limits& limits);

/// An open store has one owner and one writer thread; commit() blocks until the bytes are on disk,
/// so only a thread that exists for it may call. scan(), changes_after() and revision() may be
/// called from the same thread. watch() callbacks run on the thread that commits.
class Store {
public:
  virtual ~Store() = default;

  /// The newest committed revision; 0 for a store that was never written.
  virtual Revision revision() const = 0;

  /// A UUID made when the store was created, and anew when a store is opened that may have lost
  /// recoverable commits: what two ids hold under one revision is never mistaken for the same.
  virtual const std::string& id() const = 0;

  virtual const Limits& limits() const = 0;

  /// Writes all commits in one batch with one sync. Their revisions must be revision()+1,
  /// revision()+2, …. After success all are durable and visible, and the watchers have been called.
  /// A group of recoverable commits alone is durable only against the end of the process: should
  /// the machine end before the next sync, then the store is opened as it was before some of them.
  ///
  /// A group that is refused before anything was written (Errc::invalid: revisions or writes that
  /// cannot be; Errc::exhausted: beyond a limit) leaves the store as it was and usable. When the
  /// disk fails (Errc::exhausted: full; Errc::corrupt; Errc::internal), nothing becomes visible,
  /// and every later commit is refused with Errc::unavailable until the store is opened anew;
  /// whoever opens it finds the group wholly or not at all, because a failed sync does not tell
  /// which.
  virtual Status commit(std::span<const Commit> commits) = 0;

  /// Every current key with the prefix, in key order, until the visitor returns false.
  using Visitor = std::function<bool(std::string_view key, std::string_view value)>;
  virtual Status scan(std::string_view prefix, const Visitor& visit) const = 0;

  /// Every commit after the revision, oldest first, until the visitor returns false.
  /// Errc::not_found if the log no longer reaches back that far, or if the revision is newer than
  /// the store (it was kept from another one): in both cases the caller must scan.
  using ChangeVisitor = std::function<bool(const Commit&)>;
  virtual Status changes_after(Revision after, const ChangeVisitor& visit) const = 0;

  /// Calls back after each later commit, in order, on the committing thread, until the returned
  /// handle is dropped. A watcher may watch and drop handles, its own too, but not commit
  /// (Errc::invalid). Errc::exhausted when limits().watchers_max handles are held. A handle may
  /// outlive the store.
  using Watcher = std::function<void(const Commit&)>;
  [[nodiscard]] virtual Result<std::shared_ptr<void>> watch(Watcher watcher) = 0;
};

/// Where a store lives.
struct RocksOptions {
  std::string path;
  /// Bound of the write-ahead log, hence of the time to recover; one group of commits that is
  /// larger is written all the same.
  std::uint64_t wal_bytes_max = 256U << 20U;
  Limits limits = {};
  /// Takes RocksDB's warnings, from its threads too.
  Log log = {};
};

/// Opens or creates a store in a directory, which is made with mode 0700 if only it is missing.
/// Checks every checksum, so that a damaged store is found now and not years later. Errors name the
/// directory and what is wrong with it:
///   unavailable  another process (or this one) has it open
///   not_found    its parent directory is missing
///   denied       not readable or not writable
///   invalid      not a directory, holds other files, or was written in another format version
///   corrupt      a file is missing, truncated or changed, or the newest commits are missing
///   exhausted    the disk is full
/// May be called from any thread; docs/formats/storage.md describes what is written.
Result<std::unique_ptr<Store>> open_rocksdb(const RocksOptions& options);

/// All that a store holds as text, one line per record and lines_max at most, for support and for
/// the test of the format's page. Takes the store's lock while it runs; errors as open_rocksdb(),
/// and not_found if there is no store.
Result<std::string> dump_rocksdb(const std::string& path, std::size_t lines_max);

/// A store that lives as long as its owner: for tests and for agents that keep nothing.
std::unique_ptr<Store> make_memory_store(Limits limits = {});

} // namespace strait::storage
