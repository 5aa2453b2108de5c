#pragma once

#include "storage/store.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>

namespace strait::storage::test {

/// Removed with all that is in it.
class TemporaryDirectory {
public:
  TemporaryDirectory() {
    auto pattern = (std::filesystem::temp_directory_path() / "strait-store-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::string& path() const { return path_; }

private:
  std::string path_;
};

using Values = std::map<std::string, std::string>;

inline Values values_of(const Store& store, std::string_view prefix = "") {
  Values values;
  REQUIRE(store.scan(prefix, [&](std::string_view key, std::string_view value) {
    return values.emplace(key, value).second;
  }));
  return values;
}

inline std::vector<Commit> changes_of(const Store& store, Revision after) {
  std::vector<Commit> changes;
  REQUIRE(store.changes_after(after, [&](const Commit& commit) {
    changes.push_back(commit);
    return true;
  }));
  return changes;
}

inline Write set(std::string key, std::string value) { return {std::move(key), std::move(value)}; }
inline Write erase(std::string key) { return {std::move(key), "", true}; }

/// One commit more with these writes.
inline Status write(Store& store, std::vector<Write> writes) {
  return store.commit(std::vector{Commit{store.revision() + 1, std::move(writes)}});
}

inline Errc code_of(const Status& status) {
  REQUIRE_FALSE(status);
  return status.error().code;
}

/// Groups of empty commits up to and including the revision.
inline void advance_to(Store& store, Revision revision) {
  while (store.revision() < revision) {
    std::vector<Commit> group;
    auto size = std::min<std::uint64_t>(revision - store.revision(), 1000);
    for (std::uint64_t i = 1; i <= size; ++i)
      group.push_back({store.revision() + i, {}});
    REQUIRE(store.commit(group));
  }
}

} // namespace strait::storage::test
