#include "storage/checked_store.hpp"

#include <algorithm>

namespace strait::storage {

namespace {

constexpr std::size_t write_overhead_bytes = 16;
constexpr std::size_t shown_key_bytes_max = 64;

/// A key as it appears in an error: short, and without bytes that no terminal should see.
std::string shown(std::string_view key) {
  std::string text;
  for (char c : key.substr(0, shown_key_bytes_max))
    text += c >= 0x20 && c < 0x7f ? c : '?';
  return key.size() > shown_key_bytes_max ? text + "..." : text;
}

} // namespace

std::size_t bytes_of(const Commit& commit) {
  std::size_t bytes = 0;
  for (const Write& write : commit.writes)
    bytes += write.key.size() + write.value.size() + write_overhead_bytes;
  return bytes;
}

Status check_commit(const Commit& commit, const Limits& limits) {
  for (const Write& write : commit.writes) {
    if (write.key.empty())
      return fail(Errc::invalid, "commit {}: a key is empty", commit.revision);
    if (write.erase && !write.value.empty())
      return fail(Errc::invalid, "commit {}: key {}: an erase carries a value", commit.revision,
                  shown(write.key));
    if (write.key.size() > limits.key_bytes_max)
      return fail(Errc::exhausted, "commit {}: key {}: {} bytes, at most {} (key_bytes_max)",
                  commit.revision, shown(write.key), write.key.size(), limits.key_bytes_max);
    if (write.value.size() > limits.value_bytes_max)
      return fail(Errc::exhausted,
                  "commit {}: value of key {}: {} bytes, at most {} (value_bytes_max)",
                  commit.revision, shown(write.key), write.value.size(), limits.value_bytes_max);
  }
  if (auto bytes = bytes_of(commit); bytes > limits.commit_bytes_max)
    return fail(Errc::exhausted, "commit {}: {} bytes, at most {} (commit_bytes_max)",
                commit.revision, bytes, limits.commit_bytes_max);
  return {};
}

CheckedStore::CheckedStore(std::string name, Limits limits)
    : name_{std::move(name)}, limits_{limits} {
  limits_.log_commits_max = std::max<std::uint64_t>(limits_.log_commits_max, 1);
}

void CheckedStore::start(std::string id, Revision newest, Revision first_logged) {
  id_ = std::move(id);
  revision_ = newest;
  first_logged_ = first_logged;
}

Status CheckedStore::check_group(std::span<const Commit> commits) const {
  if (notifying_)
    return fail(Errc::invalid, "{}: a watcher must not commit", name_);
  if (!closed_.empty())
    return fail(Errc::unavailable, "{}: takes no commits until it is opened anew: {}", name_,
                closed_);
  if (commits.size() > limits_.group_commits_max)
    return fail(Errc::exhausted, "{}: a group of {} commits, at most {} (group_commits_max)", name_,
                commits.size(), limits_.group_commits_max);
  Revision expected = revision_;
  std::size_t bytes = 0;
  for (const Commit& commit : commits) {
    if (commit.revision != ++expected)
      return fail(Errc::invalid, "{}: commit has revision {}, expected {}", name_, commit.revision,
                  expected);
    if (auto good = check_commit(commit, limits_); !good)
      return fail(good.error().code, "{}: {}", name_, good.error().detail);
    bytes += bytes_of(commit);
  }
  if (bytes > limits_.group_bytes_max)
    return fail(Errc::exhausted, "{}: a group of {} bytes, at most {} (group_bytes_max)", name_,
                bytes, limits_.group_bytes_max);
  return {};
}

Revision CheckedStore::trimmed_start(Revision newest) const {
  auto kept = limits_.log_commits_max;
  auto slack = std::max(kept / 8, log_trim_slack_min);
  auto logged = newest + 1 - first_logged_;
  return logged >= kept + slack ? newest + 1 - kept : first_logged_;
}

Status CheckedStore::commit(std::span<const Commit> commits) {
  if (auto good = check_group(commits); !good)
    return good;
  if (commits.empty())
    return {};
  auto newest = commits.back().revision;
  auto keep_from = trimmed_start(newest);
  if (auto done = persist(commits, keep_from); !done) {
    if (closed_.empty())
      close_for_writing("an earlier commit failed: " + done.error().detail);
    return done;
  }
  revision_ = newest;
  first_logged_ = keep_from;
  notify(commits);
  return {};
}

Status CheckedStore::changes_after(Revision after, const ChangeVisitor& visit) const {
  if (after > revision_)
    return fail(Errc::not_found, "{}: revision {} is not of this store, whose newest is {}", name_,
                after, revision_);
  // The log may hold more than it must; what it answers for does not depend on when it was cut.
  auto kept = std::min(limits_.log_commits_max, revision_);
  auto first = std::max(first_logged_, revision_ + 1 - kept);
  if (after + 1 < first)
    return fail(Errc::not_found, "{}: the change log begins at revision {}, asked for {}", name_,
                first, after + 1);
  return after == revision_ ? Status{} : read_log(after + 1, revision_, visit);
}

Result<std::shared_ptr<void>> CheckedStore::watch(Watcher watcher) {
  std::erase_if(watchers_, [&](auto& held) { return !notifying_ && held.expired(); });
  auto held = std::count_if(watchers_.begin(), watchers_.end(),
                            [](auto& watching) { return !watching.expired(); });
  if (static_cast<std::size_t>(held) >= limits_.watchers_max)
    return fail(Errc::exhausted, "{}: {} watchers already (watchers_max)", name_, held);
  auto handle = std::make_shared<Watcher>(std::move(watcher));
  watchers_.push_back(handle);
  return handle;
}

void CheckedStore::notify(std::span<const Commit> commits) {
  struct Notifying {
    explicit Notifying(bool& on) : flag{on} { flag = true; }
    ~Notifying() { flag = false; }
    bool& flag;
  } notifying{notifying_};
  auto until = watchers_.size(); // Who begins to watch in a callback sees later commits only.
  for (const Commit& commit : commits)
    for (std::size_t i = 0; i < until; ++i)
      if (auto watcher = watchers_[i].lock())
        (*watcher)(commit);
}

} // namespace strait::storage
