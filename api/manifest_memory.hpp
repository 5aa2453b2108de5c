#pragma once

#include "base/log.hpp"
#include "catalog/model/object.hpp"

#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <string>

namespace strait::api {

/// Which objects each manifest file was carried out for, kept across restarts: what a file stops
/// saying while nobody watches it is removed when watching begins again. One small file per
/// manifest, "KIND<tab>NAMESPACE<tab>NAME" in each line. Any thread.
class ManifestMemory {
public:
  using Keys = std::set<model::ObjectKey>;

  /// An empty path: nothing is kept. What cannot be written is said in the log.
  ManifestMemory(std::filesystem::path folder, Log log);

  /// What was kept, by manifest file. A line that makes no sense is passed over.
  std::map<std::string, Keys> load() const;

  /// The file holds these objects now; those removed stay in memory until they are gone.
  void holds(const std::string& file, Keys now, const Keys& removed);
  /// The catalog has the object no more.
  void gone(const std::string& file, const model::ObjectKey& key);

private:
  struct Entry {
    Keys now, going;
  };
  void write(const std::string& file, const Entry& entry);

  std::filesystem::path folder_;
  Log log_;
  std::mutex mutex_;
  std::map<std::string, Entry> files_;
};

} // namespace strait::api
