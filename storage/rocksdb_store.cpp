#include "base/random.hpp"
#include "storage/checked_store.hpp"
#include "storage/commit_codec.hpp"
#include "storage/store_directory.hpp"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <exception>

namespace strait::storage {

namespace {

constexpr std::size_t write_buffer_bytes = 16U
                                           << 20U; // Of all families; recovery reads as much again.
constexpr std::size_t block_cache_bytes = 16U << 20U; // Readers live on the catalog, not on this.
constexpr int open_files_max = 512;
constexpr std::size_t warning_bytes_max = 1024;
/// How often the floor is raised while the store is open: two syncs more in so many commits.
constexpr Revision floor_step = 4096;
constexpr std::size_t shown_bytes_max = 200;

constexpr const char* values_family = "values";
constexpr const char* changes_family = "changes";
constexpr const char* id_key = "id";
constexpr const char* revision_key = "revision";
/// There while the store is open and may hold commits that no sync has followed yet.
constexpr const char* unsynced_key = "unsynced";

/// RocksDB's own text log goes to ours and never to a file: with the disk full, its file logger
/// ends the process by an assertion.
class Warnings final : public rocksdb::Logger {
public:
  explicit Warnings(Log log) : Logger{rocksdb::InfoLogLevel::WARN_LEVEL}, log_{std::move(log)} {}
  using Logger::Logv;
  void Logv(const char* format, va_list arguments) override {
    if (!log_.enabled(LogLevel::warn))
      return;
    char buffer[warning_bytes_max];
    if (std::vsnprintf(buffer, sizeof buffer, format, arguments) <= 0)
      return;
    std::string_view text{buffer};
    while (text.ends_with('\n'))
      text.remove_suffix(1);
    if (!is_expected(text))
      log_.warn("RocksDB: {}", text);
  }

private:
  /// VerifyChecksum() reads table files without their manifest, and warns that it did.
  static bool is_expected(std::string_view text) {
    return text.find("SST file opened without unique ID") != std::string_view::npos;
  }
  Log log_;
};

rocksdb::Options database_options(const RocksOptions& options) {
  rocksdb::Options database;
  database.paranoid_checks = true;
  // A record torn at the end of the log was never acknowledged; damage anywhere else is an error.
  database.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  database.track_and_verify_wals_in_manifest = true;
  // All families are flushed together, so that none of them keeps an old log file alive.
  database.atomic_flush = true;
  database.max_total_wal_size = options.wal_bytes_max;
  // RocksDB begins to flush at the log's bound but goes on writing meanwhile. What holds is that
  // the writer waits when two buffers are full; with as many logs waiting to be removed and one
  // being written, five buffers' worth of log can exist.
  auto buffer_bytes = std::min<std::size_t>(write_buffer_bytes, options.wal_bytes_max / 8);
  database.db_write_buffer_size = buffer_bytes;
  database.write_buffer_size = buffer_bytes;
  database.max_write_buffer_number = 2;
  database.max_background_jobs = 2;
  database.max_open_files = open_files_max;
  database.compression = rocksdb::kLZ4Compression;
  database.info_log = std::make_shared<Warnings>(options.log);
  database.stats_dump_period_sec = 0;
  database.stats_persist_period_sec = 0;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(block_cache_bytes);
  table.format_version = 5;
  table.checksum = rocksdb::kXXH3;
  database.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return database;
}

Errc code_of(const rocksdb::Status& status) {
  auto text = status.ToString();
  auto says = [&](const char* words) { return text.find(words) != std::string::npos; };
  // RocksDB has no code of its own for a file size limit or a quota.
  // A background flush that failed for it comes back as "Result incomplete".
  if (status.IsNoSpace() || says("No space left on device") || says("File too large") ||
      says("Disk quota exceeded"))
    return Errc::exhausted;
  // The directory was whole once: what is missing from it now was taken away.
  if (status.IsCorruption() || status.IsPathNotFound() || status.IsInvalidArgument() ||
      status.IsNotFound() || says("No such file"))
    return Errc::corrupt;
  if (says("Permission denied") || says("Read-only file system"))
    return Errc::denied;
  return Errc::internal;
}

tl::unexpected<Error> failed(std::string_view name, std::string_view what,
                             const rocksdb::Status& status) {
  auto code = code_of(status);
  return fail(code, "{}: {}{}: {}", name, what,
              code == Errc::corrupt     ? ": damaged"
              : code == Errc::exhausted ? ": the disk is full"
                                        : "",
              status.ToString());
}

/// An open database and its column families.
struct Database {
  std::unique_ptr<rocksdb::DB> db;
  rocksdb::ColumnFamilyHandle* meta = nullptr;
  rocksdb::ColumnFamilyHandle* values = nullptr;
  rocksdb::ColumnFamilyHandle* changes = nullptr;

  Database() = default;
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database() {
    for (auto* family : {meta, values, changes})
      if (family)
        db->DestroyColumnFamilyHandle(family);
    if (db)
      db->Close();
  }

  rocksdb::Status open(rocksdb::Options options, const std::string& path) {
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    for (const auto& family : {rocksdb::kDefaultColumnFamilyName, std::string{values_family},
                               std::string{changes_family}})
      families.emplace_back(family, options);
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* opened = nullptr;
    auto status = rocksdb::DB::Open(options, path, families, &handles, &opened);
    db.reset(opened);
    if (status.ok())
      meta = handles[0], values = handles[1], changes = handles[2];
    return status;
  }

  std::unique_ptr<rocksdb::Iterator> iterate(rocksdb::ColumnFamilyHandle* family) const {
    rocksdb::ReadOptions options;
    options.fill_cache = false;
    return std::unique_ptr<rocksdb::Iterator>{db->NewIterator(options, family)};
  }
};

rocksdb::Status create_database(const RocksOptions& options, const std::string& path) {
  Database database;
  auto fresh = database_options(options);
  fresh.create_if_missing = true;
  fresh.create_missing_column_families = true;
  fresh.error_if_exists = true;
  // RocksDB would make it, but not without a complaint that it is not there.
  if (auto made = fresh.env->CreateDirIfMissing(path); !made.ok())
    return made;
  if (auto status = database.open(fresh, path); !status.ok())
    return status;
  rocksdb::WriteBatch batch;
  batch.Put(database.meta, id_key, random_uuid());
  batch.Put(database.meta, revision_key, encode_revision(0));
  rocksdb::WriteOptions synced;
  synced.sync = true;
  return database.db->Write(synced, &batch);
}

class RocksStore final : public CheckedStore {
public:
  RocksStore(const RocksOptions& options, std::unique_ptr<StoreDirectory> directory)
      : CheckedStore{directory->name(), options.limits}, directory_{std::move(directory)} {}

  ~RocksStore() override {
    // A failure costs nothing but a floor that is lower than it could be, and a new id.
    if (!database_.db || (may_lose_ && !forget_unsynced().ok()))
      return;
    if (revision() > floor_)
      static_cast<void>(directory_->write_floor(revision()));
  }

  Status open(const RocksOptions& options) {
    if (auto good = directory_->check_format(); !good)
      return good;
    if (auto status = database_.open(database_options(options), directory_->database_path());
        !status.ok())
      return failed(name(), "cannot open its database", status);
    if (auto status = database_.db->VerifyChecksum(rocksdb::ReadOptions{}); !status.ok())
      return failed(name(), "cannot verify its files", status);
    return check_revisions();
  }

  Status scan(std::string_view prefix, const Visitor& visit) const override {
    auto at = database_.iterate(database_.values);
    rocksdb::Slice start{prefix.data(), prefix.size()};
    for (at->Seek(start); at->Valid() && at->key().starts_with(start); at->Next())
      if (!visit(at->key().ToStringView(), at->value().ToStringView()))
        return {};
    return at->status().ok() ? Status{} : failed(name(), "cannot read values", at->status());
  }

private:
  /// The last record of the log, the revision record and the floor must tell the same story.
  Status check_revisions() {
    std::string id, bytes;
    if (auto status = database_.db->Get({}, database_.meta, id_key, &id); !status.ok())
      return failed(name(), "cannot read its id", status);
    if (auto status = renew_id(id); !status.ok())
      return failed(name(), "cannot renew its id", status);
    if (auto status = database_.db->Get({}, database_.meta, revision_key, &bytes); !status.ok())
      return failed(name(), "cannot read its revision", status);
    auto newest = decode_revision(bytes);
    if (!newest)
      return fail(Errc::corrupt, "{}: revision record: {}", name(), newest.error().detail);
    auto first = check_log(*newest);
    if (!first)
      return fail(first.error());
    auto floor = directory_->read_floor();
    if (!floor)
      return fail(floor.error());
    if (*newest < *floor)
      return fail(Errc::corrupt,
                  "{}: its newest revision is {}, but it had reached {}: commits were lost", name(),
                  *newest, *floor);
    floor_ = *floor;
    start(std::move(id), *newest, *first);
    return raise_floor(*newest);
  }

  /// A store that was not closed may have lost commits that somebody has seen, and will give their
  /// revisions to others: from now on it is another store.
  rocksdb::Status renew_id(std::string& id) {
    std::string mark;
    auto status = database_.db->Get({}, database_.meta, unsynced_key, &mark);
    if (!status.ok())
      return status.IsNotFound() ? rocksdb::Status::OK() : status;
    id = random_uuid();
    rocksdb::WriteBatch batch;
    batch.Put(database_.meta, id_key, id);
    batch.Delete(database_.meta, unsynced_key);
    return database_.db->Write(synced(), &batch);
  }
  /// Syncs what came before, too: the log is one.
  rocksdb::Status forget_unsynced() {
    return database_.db->Delete(synced(), database_.meta, unsynced_key);
  }
  static rocksdb::WriteOptions synced() {
    rocksdb::WriteOptions options;
    options.sync = true;
    return options;
  }

  /// The first revision of the log, after going through all of it. Whole files can be lost without
  /// one wrong checksum, when the end of RocksDB's manifest is cut off: then commits are missing in
  /// the middle, while the newest are read from the write-ahead log.
  Result<Revision> check_log(Revision newest) const {
    auto at = database_.iterate(database_.changes);
    Revision first = newest + 1, expected = 0;
    for (at->SeekToFirst(); at->Valid(); at->Next(), ++expected) {
      auto found = decode_revision(at->key().ToStringView());
      if (!found)
        return fail(Errc::corrupt, "{}: change log: {}", name(), found.error().detail);
      if (expected == 0)
        first = expected = *found;
      if (*found != expected)
        return fail(Errc::corrupt, "{}: the change log has commit {} where {} is expected", name(),
                    *found, expected);
    }
    if (!at->status().ok())
      return failed(name(), "cannot read its change log", at->status());
    if (newest != 0 && expected != newest + 1)
      return fail(Errc::corrupt, "{}: the change log ends before revision {}, expected {}", name(),
                  expected, newest);
    if (newest == 0 && expected != 0)
      return fail(Errc::corrupt, "{}: the change log has commits, its revision is 0", name());
    return first;
  }

  Status raise_floor(Revision reached) {
    if (reached <= floor_)
      return {};
    if (may_lose_)
      if (auto status = database_.db->SyncWAL(); !status.ok())
        return failed(name(), "cannot sync its log", status);
    auto done = directory_->write_floor(reached);
    if (done)
      floor_ = reached;
    return done;
  }

  Status persist(std::span<const Commit> commits, Revision keep_from) override {
    // Before, not after: a floor that cannot be written must not fail commits that are durable.
    if (revision() >= floor_ + floor_step)
      if (auto done = raise_floor(revision()); !done)
        return done;
    rocksdb::WriteBatch batch;
    auto status = fill(batch, commits, keep_from);
    bool recoverable = std::all_of(commits.begin(), commits.end(),
                                   [](const Commit& commit) { return commit.recoverable; });
    // The mark must be on disk before anything that it warns of is acknowledged.
    bool first = recoverable && !may_lose_;
    if (first && status.ok())
      status = batch.Put(database_.meta, unsynced_key, "");
    if (status.ok())
      status =
          database_.db->Write(recoverable && !first ? rocksdb::WriteOptions{} : synced(), &batch);
    may_lose_ = may_lose_ || (first && status.ok());
    return status.ok() ? Status{} : failed(name(), "cannot commit", status);
  }

  rocksdb::Status fill(rocksdb::WriteBatch& batch, std::span<const Commit> commits,
                       Revision keep_from) {
    auto status = rocksdb::Status::OK();
    auto put = [&](const rocksdb::Status& done) { status = status.ok() ? done : status; };
    for (const Commit& commit : commits) {
      for (const Write& write : commit.writes)
        put(write.erase ? batch.Delete(database_.values, write.key)
                        : batch.Put(database_.values, write.key, write.value));
      put(batch.Put(database_.changes, encode_revision(commit.revision), encode_writes(commit)));
    }
    put(batch.Put(database_.meta, revision_key, encode_revision(commits.back().revision)));
    if (keep_from > first_logged())
      put(batch.DeleteRange(database_.changes, encode_revision(first_logged()),
                            encode_revision(keep_from)));
    return status;
  }

  Status read_log(Revision first, Revision last, const ChangeVisitor& visit) const override {
    auto at = database_.iterate(database_.changes);
    at->Seek(encode_revision(first));
    for (auto expected = first; expected <= last; ++expected, at->Next()) {
      if (!at->status().ok())
        return failed(name(), "cannot read its change log", at->status());
      if (!at->Valid() || at->key() != rocksdb::Slice{encode_revision(expected)})
        return fail(Errc::corrupt, "{}: commit {} is missing from the change log", name(),
                    expected);
      auto commit = decode_commit(expected, at->value().ToStringView());
      if (!commit)
        return fail(commit.error().code, "{}: change log: {}", name(), commit.error().detail);
      if (!visit(*commit))
        break;
    }
    return {};
  }

  std::unique_ptr<StoreDirectory> directory_; // Outlives the database: it holds the lock.
  Database database_;
  Revision floor_ = 0;
  bool may_lose_ = false; // Commits since the open were acknowledged without a sync.
};

Result<std::unique_ptr<Store>> open_or_create(const RocksOptions& options) {
  auto directory = StoreDirectory::lock(options.path);
  if (!directory)
    return fail(directory.error());
  if (!(*directory)->has_store()) {
    auto path = (*directory)->begin();
    if (!path)
      return fail(path.error());
    if (auto status = create_database(options, *path); !status.ok())
      return failed((*directory)->name(), "cannot create its database", status);
    if (auto done = (*directory)->publish(); !done)
      return fail(done.error());
  }
  auto store = std::make_unique<RocksStore>(options, std::move(*directory));
  if (auto opened = store->open(options); !opened)
    return fail(opened.error());
  return store;
}

std::string shown(const rocksdb::Slice& bytes) {
  std::string text;
  for (char c : bytes.ToStringView().substr(0, shown_bytes_max)) {
    if (c >= 0x20 && c < 0x7f && c != '\\')
      text += c;
    else
      text += fmt::format("\\{:02x}", static_cast<unsigned char>(c));
  }
  return bytes.size() > shown_bytes_max ? text + "..." : text;
}

Result<std::string> dump(const std::string& path, std::size_t lines_max) {
  auto directory = StoreDirectory::lock(path, true);
  if (!directory)
    return fail(directory.error());
  const auto& name = (*directory)->name();
  if (!(*directory)->has_store())
    return fail(Errc::not_found, "{}: holds no store", name);
  if (auto good = (*directory)->check_format(); !good)
    return fail(good.error());
  Database database;
  if (auto status = database.open(database_options({.path = path}), (*directory)->database_path());
      !status.ok())
    return failed(name, "cannot open its database", status);
  std::string text;
  std::size_t lines = 0;
  for (auto* family : {database.meta, database.values, database.changes}) {
    auto at = database.iterate(family);
    for (at->SeekToFirst(); at->Valid() && lines < lines_max; at->Next(), ++lines)
      text += fmt::format("{}  {} = {}\n", family->GetName(), shown(at->key()), shown(at->value()));
    if (!at->status().ok())
      return failed(name, "cannot read " + family->GetName(), at->status());
  }
  return text;
}

/// RocksDB reports by value, but the allocator and the threads under it throw.
template <class Call>
auto guarded(const std::string& path, Call call) -> decltype(call()) {
  try {
    return call();
  } catch (const std::exception& error) {
    return fail(Errc::internal, "store {}: {}", path, error.what());
  }
}

} // namespace

Result<std::unique_ptr<Store>> open_rocksdb(const RocksOptions& options) {
  return guarded(options.path, [&] { return open_or_create(options); });
}

Result<std::string> dump_rocksdb(const std::string& path, std::size_t lines_max) {
  return guarded(path, [&] { return dump(path, lines_max); });
}

} // namespace strait::storage
