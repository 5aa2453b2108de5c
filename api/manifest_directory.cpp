#include "api/manifest_directory.hpp"

#include "base/overload.hpp"
#include "kubernetes/decode.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <poll.h>
#include <sstream>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

namespace strait::api {

namespace {

namespace fs = std::filesystem;

bool is_manifest(const std::string& name) {
  auto extension = fs::path{name}.extension();
  return !name.starts_with(".") &&
         (extension == ".yaml" || extension == ".yml" || extension == ".json");
}

catalog::Command put_of(const kubernetes::Document& document) {
  return std::visit([](auto& it) -> catalog::Command { return catalog::Put{it, {}}; }, document);
}

} // namespace

ManifestSet::Step ManifestSet::changed(const std::string& file,
                                       const std::optional<std::string>& text) {
  Step step;
  Objects now;
  if (text) {
    auto decoded = kubernetes::decode_yaml(*text, file);
    if (!decoded.errors.empty()) {
      step.errors = std::move(decoded.errors);
      return step;
    }
    for (auto& object : decoded.objects) {
      auto key = kubernetes::key_of(object);
      if (auto other = owner_.find(key); other != owner_.end() && other->second != file)
        step.errors.push_back({Errc::conflict, fmt::format("{}: {} is in {} already", file,
                                                           to_string(key), other->second)});
      else
        now.insert_or_assign(key, std::move(object));
    }
  }
  auto& before = files_[file];
  for (auto& [key, object] : before)
    if (!now.contains(key)) {
      step.removed.push_back(key);
      owner_.erase(key);
    }
  for (auto& [key, object] : now) {
    auto old = before.find(key);
    if (old == before.end() || old->second != object)
      step.put.push_back(*object);
    owner_[key] = file;
  }
  before = std::move(now);
  if (before.empty())
    files_.erase(file);
  return step;
}

void ManifestSet::remember(const std::string& file, const ManifestMemory::Keys& keys) {
  for (auto& key : keys)
    if (owner_.emplace(key, file).second)
      files_[file].emplace(key, std::nullopt);
}

ManifestMemory::Keys ManifestSet::keys(const std::string& file) const {
  ManifestMemory::Keys keys;
  if (auto found = files_.find(file); found != files_.end())
    for (auto& [key, object] : found->second)
      keys.insert(key);
  return keys;
}

Result<std::unique_ptr<ManifestDirectory>>
ManifestDirectory::watch(ManifestDirectoryOptions options) {
  int inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (inotify < 0)
    return fail(Errc::exhausted, "inotify: {}", std::strerror(errno));
  auto path = options.directory.string();
  if (inotify_add_watch(inotify, path.c_str(),
                        IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR) <
      0) {
    auto error = fail(Errc::not_found, "manifests: {}: {}", path, std::strerror(errno));
    close(inotify);
    return error;
  }
  int stop = eventfd(0, EFD_CLOEXEC);
  return std::unique_ptr<ManifestDirectory>{
      new ManifestDirectory{std::move(options), inotify, stop}};
}

ManifestDirectory::ManifestDirectory(ManifestDirectoryOptions options, int inotify, int stop)
    : options_{std::move(options)}, inotify_{inotify}, stop_{stop},
      memory_{std::make_shared<ManifestMemory>(options_.memory, options_.log)} {
  for (auto& [file, keys] : memory_->load()) {
    set_.remember(file, keys);
    known_.insert(file);
  }
  thread_ = std::thread{[this] { run(); }};
}

ManifestDirectory::~ManifestDirectory() {
  eventfd_write(stop_, 1);
  thread_.join();
  close(inotify_);
  close(stop_);
}

void ManifestDirectory::run() {
  read_all();
  alignas(inotify_event) char buffer[16 << 10];
  for (;;) {
    pollfd ready[] = {{inotify_, POLLIN, 0}, {stop_, POLLIN, 0}};
    if (poll(ready, 2, -1) < 0 && errno != EINTR)
      return;
    if (ready[1].revents != 0)
      return;
    auto length = ::read(inotify_, buffer, sizeof buffer);
    std::set<std::string> files; // Several events of one file are one.
    bool overflow = false;
    for (char* at = buffer; length > 0 && at < buffer + length;) {
      auto* event = reinterpret_cast<inotify_event*>(at);
      at += sizeof(inotify_event) + event->len;
      overflow |= (event->mask & IN_Q_OVERFLOW) != 0;
      if (event->len > 0)
        files.insert(event->name);
    }
    if (overflow) {
      read_all();
      continue;
    }
    for (auto& file : files)
      read(file);
  }
}

void ManifestDirectory::read_all() {
  std::set<std::string> files = known_; // What is gone by now is read as gone.
  std::error_code error;
  for (auto& entry : fs::directory_iterator{options_.directory, error})
    files.insert(entry.path().filename().string());
  for (auto& file : files)
    read(file);
}

void ManifestDirectory::read(const std::string& file) {
  if (!is_manifest(file))
    return;
  auto path = options_.directory / file;
  std::ifstream input{path, std::ios::binary};
  if (!input) {
    known_.erase(file);
    return carry_out(file, set_.changed(file, {}));
  }
  if (known_.insert(file).second && known_.size() > options_.files_max) {
    known_.erase(file);
    return options_.log.error("{}: more than {} files: not read", path.string(),
                              options_.files_max);
  }
  std::error_code error;
  if (fs::file_size(path, error) > options_.file_bytes_max)
    return options_.log.error("{}: larger than {} bytes: not read", path.string(),
                              options_.file_bytes_max);
  std::ostringstream text;
  text << input.rdbuf();
  carry_out(file, set_.changed(file, text.str()));
}

void ManifestDirectory::carry_out(const std::string& file, ManifestSet::Step step) {
  for (auto& error : step.errors)
    options_.log.error("{}", error.detail);
  if (!step.errors.empty() && step.put.empty() && step.removed.empty())
    return;
  auto log = options_.log;
  auto told = [log, file](const model::ObjectKey& key, const Status& status) {
    if (!status)
      log.error("{}: {}: {}", file, to_string(key), status.error().detail);
  };
  memory_->holds(file, set_.keys(file), {step.removed.begin(), step.removed.end()});
  for (auto& document : step.put)
    options_.apply(put_of(document), [told, key = kubernetes::key_of(document)](
                                         const Status& status) { told(key, status); });
  for (auto& key : step.removed)
    options_.apply(catalog::Remove{key, {}},
                   [told, key, file, memory = memory_](const Status& status) {
                     bool gone = status || status.error().code == Errc::not_found;
                     if (gone)
                       memory->gone(file, key);
                     else
                       told(key, status);
                   });
  log.info("{}: {} objects written, {} removed", file, step.put.size(), step.removed.size());
}

} // namespace strait::api
