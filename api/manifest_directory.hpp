#pragma once

#include "api/manifest_memory.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "catalog/command.hpp"
#include "kubernetes/document_types.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>

/// The file edge: a directory of YAML manifests is the wish, the catalog follows it.
namespace strait::api {

/// What a directory's files say, against what they said before: a pure machine. A file with a
/// mistake keeps what it said before as a whole, so that nothing half-written takes effect. An
/// object that two files hold belongs to the first by name; the other is told of.
class ManifestSet {
public:
  struct Step {
    std::vector<kubernetes::Document> put;
    std::vector<model::ObjectKey> removed;
    std::vector<Error> errors;
  };
  /// The file's text now; nothing: the file is gone.
  Step changed(const std::string& file, const std::optional<std::string>& text);
  /// The file was carried out for these objects before this set was made.
  void remember(const std::string& file, const ManifestMemory::Keys& keys);
  /// What the file holds, as far as it has no mistakes.
  ManifestMemory::Keys keys(const std::string& file) const;

private:
  /// Without a document: remembered, not read yet.
  using Objects = std::map<model::ObjectKey, std::optional<kubernetes::Document>>;
  std::map<std::string, Objects> files_;
  std::map<model::ObjectKey, std::string> owner_;
};

struct ManifestDirectoryOptions {
  std::filesystem::path directory;
  std::size_t files_max = 10'000;
  std::size_t file_bytes_max = 64U << 20U;
  std::filesystem::path memory; ///< Where ManifestMemory keeps its files; empty: nowhere.
  /// Writes a command and calls back with what became of it; any thread.
  std::function<void(catalog::Command, std::function<void(const Status&)>)> apply;
  Log log;
};

/// Watches the directory's *.yaml, *.yml and *.json with inotify, on a thread of its own.
class ManifestDirectory {
public:
  /// Errors name the directory.
  static Result<std::unique_ptr<ManifestDirectory>> watch(ManifestDirectoryOptions options);
  ~ManifestDirectory();
  ManifestDirectory(const ManifestDirectory&) = delete;
  ManifestDirectory& operator=(const ManifestDirectory&) = delete;

private:
  ManifestDirectory(ManifestDirectoryOptions options, int inotify, int stop);
  void run();
  void read_all();
  void read(const std::string& file);
  void carry_out(const std::string& file, ManifestSet::Step step);

  ManifestDirectoryOptions options_;
  int inotify_, stop_;
  ManifestSet set_;
  std::shared_ptr<ManifestMemory> memory_; // Shared with commands under way.
  std::set<std::string> known_;
  std::thread thread_;
};

} // namespace strait::api
