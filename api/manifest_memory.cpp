#include "api/manifest_memory.hpp"

#include <fstream>
#include <sstream>

namespace strait::api {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view suffix = ".objects";

std::optional<model::ObjectKey> key_from(const std::string& line) {
  std::istringstream fields{line};
  std::string kind, ns, name;
  std::getline(fields, kind, '\t');
  std::getline(fields, ns, '\t');
  std::getline(fields, name);
  auto known = model::kind_from(kind);
  if (!known || name.empty())
    return {};
  return model::ObjectKey{*known, {ns, name}};
}

} // namespace

ManifestMemory::ManifestMemory(fs::path folder, Log log)
    : folder_{std::move(folder)}, log_{std::move(log)} {}

std::map<std::string, ManifestMemory::Keys> ManifestMemory::load() const {
  std::map<std::string, Keys> files;
  std::error_code error;
  if (folder_.empty())
    return files;
  for (auto& entry : fs::directory_iterator{folder_, error}) {
    if (entry.path().extension() != suffix)
      continue;
    std::ifstream input{entry.path()};
    for (std::string line; std::getline(input, line);)
      if (auto key = key_from(line))
        files[entry.path().stem().string()].insert(*key);
  }
  return files;
}

void ManifestMemory::holds(const std::string& file, Keys now, const Keys& removed) {
  std::lock_guard lock{mutex_};
  auto& entry = files_[file];
  for (auto& key : now)
    entry.going.erase(key);
  entry.now = std::move(now);
  entry.going.insert(removed.begin(), removed.end());
  write(file, entry);
}

void ManifestMemory::gone(const std::string& file, const model::ObjectKey& key) {
  std::lock_guard lock{mutex_};
  auto found = files_.find(file);
  if (found == files_.end() || found->second.going.erase(key) == 0 || !found->second.going.empty())
    return;
  write(file, found->second);
  if (found->second.now.empty())
    files_.erase(found);
}

void ManifestMemory::write(const std::string& file, const Entry& entry) {
  if (folder_.empty())
    return;
  std::error_code error;
  fs::create_directories(folder_, error);
  auto path = folder_ / (file + std::string{suffix});
  if (entry.now.empty() && entry.going.empty()) {
    fs::remove(path, error);
    return;
  }
  auto fresh = folder_ / (file + ".new");
  std::ofstream output{fresh, std::ios::trunc};
  for (auto* keys : {&entry.now, &entry.going})
    for (auto& key : *keys)
      output << to_string(key.kind) << '\t' << key.name.ns << '\t' << key.name.name << '\n';
  output.close();
  if (output)
    fs::rename(fresh, path, error);
  if (!output || error)
    log_.error("{}: cannot be written: what {} stops saying while the agent is down will stay",
               path.string(), file);
}

} // namespace strait::api
