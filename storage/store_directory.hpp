#pragma once

#include "storage/store.hpp"

#include <memory>
#include <string>

namespace strait::storage {

/// The directory of one store on disk, and everything in it that is not RocksDB's: the lock, the
/// format version and the floor. docs/formats/storage.md, "Files". One owner, one thread.
///
/// A new store is built in store.new and renamed to store when it is whole, so that a process
/// killed while it creates one leaves nothing that could be taken for a damaged store.
class StoreDirectory {
public:
  static constexpr unsigned format_version = 1;

  /// Makes the directory if only it is missing (unless it must exist already), and locks it for as
  /// long as the object lives. Errors as open_rocksdb().
  static Result<std::unique_ptr<StoreDirectory>> lock(const std::string& path,
                                                      bool must_exist = false);
  ~StoreDirectory();
  StoreDirectory(const StoreDirectory&) = delete;
  StoreDirectory& operator=(const StoreDirectory&) = delete;

  /// "store PATH": begins every error's text.
  const std::string& name() const { return name_; }
  bool has_store() const;

  /// Starts a new store; returns where its database is to be created.
  Result<std::string> begin();
  /// What begin() started is whole and closed: makes it the store.
  Status publish();

  /// Errc::invalid for the format of a later version, Errc::corrupt for no readable version.
  Status check_format() const;
  std::string database_path() const;

  /// A revision that the store is known to have reached; a store found below it has lost commits.
  Result<Revision> read_floor() const;
  Status write_floor(Revision floor);

private:
  StoreDirectory(std::string path, int lock) : path_{std::move(path)}, lock_{lock} {}

  std::string path_;
  std::string name_ = "store " + path_;
  int lock_;
};

} // namespace strait::storage
