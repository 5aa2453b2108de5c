// kill -9 of a writer at random moments: what was acknowledged is there, and no revision goes back.
// STRAIT_KILL_ROUNDS sets how often (10 by default), STRAIT_SEED the moments.

#include "storage/test_support.hpp"

#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <random>
#include <sys/wait.h>
#include <unistd.h>

using namespace strait;
using namespace strait::storage;
using namespace strait::storage::test;

namespace {

constexpr int report_descriptor = 3;
constexpr Limits limits{.log_commits_max = 10'000'000};

unsigned number_from(const char* variable, unsigned otherwise) {
  const char* text = std::getenv(variable);
  return text ? static_cast<unsigned>(std::strtoul(text, nullptr, 10)) : otherwise;
}

/// What every writer commits under a revision, so that any reader can tell what must be there.
Commit commit_at(Revision revision) {
  std::mt19937_64 prng{revision};
  Commit commit{revision, {}};
  for (auto left = prng() % 4; left > 0; --left) {
    auto key = "key/" + std::to_string(prng() % 500);
    commit.writes.push_back(
        prng() % 4 ? set(key, std::to_string(revision) + std::string(prng() % 2000, 'v'))
                   : erase(key));
  }
  return commit;
}

std::vector<Commit> group_after(Revision revision) {
  std::vector<Commit> group;
  for (auto size = std::mt19937_64{~revision}() % 8 + 1; size > 0; --size)
    group.push_back(commit_at(revision + group.size() + 1));
  return group;
}

/// Another process, running this program's hidden test below.
class Writer {
public:
  explicit Writer(const std::string& path) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    auto where = "STRAIT_STORE=" + path;
    char* arguments[] = {const_cast<char*>("writer"), const_cast<char*>("[store-writer]"), nullptr};
    char* environment[] = {where.data(), nullptr};
    child_ = ::fork();
    if (child_ == 0) {
      ::dup2(ends[1], report_descriptor);
      ::close(::open("/dev/null", O_RDONLY));
      int null = ::open("/dev/null", O_WRONLY);
      ::dup2(null, STDOUT_FILENO);
      ::execve("/proc/self/exe", arguments, environment);
      ::_exit(127);
    }
    ::close(ends[1]);
    reports_ = ends[0];
    REQUIRE(child_ > 0);
  }
  ~Writer() {
    kill();
    ::close(reports_);
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  using Deadline = std::chrono::steady_clock::time_point;

  /// Reads acknowledgements until the deadline or the end; true if there may be more.
  bool read_until(Deadline deadline) {
    while (wait_until(deadline))
      if (!take())
        return false;
    return true;
  }
  /// True if one came in time.
  bool read_one(Deadline deadline) { return wait_until(deadline) && take(); }

  void kill() {
    if (child_ > 0) {
      ::kill(child_, SIGKILL);
      ::waitpid(child_, &status_, 0);
      child_ = -1;
    }
  }
  bool was_killed() const { return WIFSIGNALED(status_) && WTERMSIG(status_) == SIGKILL; }
  Revision acknowledged() const { return acknowledged_; }
  int reports_read() const { return reports_read_; }

private:
  bool wait_until(Deadline deadline) {
    auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(
                    deadline - std::chrono::steady_clock::now())
                    .count();
    constexpr long second = 1'000'000'000;
    timespec wait{std::max(0L, left) / second, std::max(0L, left) % second};
    pollfd readable{reports_, POLLIN, 0};
    return ::ppoll(&readable, 1, &wait, nullptr) > 0;
  }
  bool take() {
    Revision revision = 0;
    if (::read(reports_, &revision, sizeof revision) != sizeof revision)
      return false;
    CHECK(revision >= acknowledged_);
    acknowledged_ = revision;
    ++reports_read_;
    return true;
  }

  pid_t child_ = -1;
  int reports_ = -1;
  int status_ = 0;
  Revision acknowledged_ = 0;
  int reports_read_ = 0;
};

} // namespace

TEST_CASE("process: writes groups to a store until it is killed", "[.][store-writer]") {
  const char* path = std::getenv("STRAIT_STORE");
  REQUIRE(path);
  auto report = [](Revision revision) {
    if (::write(report_descriptor, &revision, sizeof revision) != sizeof revision)
      ::_exit(3);
  };
  // Small log files: the kill also meets flushes and compactions.
  auto store = open_rocksdb({.path = path, .wal_bytes_max = 1U << 20U, .limits = limits});
  if (!store)
    ::_exit(4);
  report((*store)->revision());
  for (;;) {
    if (!(*store)->commit(group_after((*store)->revision())))
      ::_exit(5);
    report((*store)->revision());
  }
}

TEST_CASE("a killed writer loses nothing that it acknowledged, and no revision goes back") {
  TemporaryDirectory directory;
  std::mt19937 prng{number_from("STRAIT_SEED", 1)};
  Revision reached = 0, checked = 0, boundary = 0;
  Values expected;
  int reports = 0;
  for (auto rounds = number_from("STRAIT_KILL_ROUNDS", 10); rounds > 0; --rounds) {
    Writer writer{directory.path()};
    auto now = [] { return std::chrono::steady_clock::now(); };
    // Every other one is killed wherever it is, be it creating or opening the store.
    if (rounds % 2 == 0)
      REQUIRE(writer.read_one(now() + std::chrono::seconds{60}));
    CHECK(writer.read_until(now() + std::chrono::microseconds{prng() % 100'000}));
    writer.kill();
    CHECK(writer.was_killed());
    // What it had written into the pipe before it died.
    CHECK_FALSE(writer.read_until(now() + std::chrono::seconds{60}));
    reports += writer.reports_read();

    auto store = open_rocksdb({.path = directory.path(), .limits = limits});
    INFO((store ? "" : store.error().detail));
    REQUIRE(store);
    auto found = (*store)->revision();
    INFO("acknowledged " << writer.acknowledged() << ", found " << found << " after " << reached);
    REQUIRE(found >= writer.acknowledged());
    REQUIRE(found >= reached);
    reached = found;
    REQUIRE((*store)->changes_after(checked, [&](const Commit& commit) {
      if (commit != commit_at(++checked))
        return false;
      for (const Write& one : commit.writes)
        one.erase ? void(expected.erase(one.key)) : void(expected[one.key] = one.value);
      return true;
    }));
    CHECK(checked == reached);
    CHECK((values_of(**store) == expected));
    while (boundary < reached)
      boundary = group_after(boundary).back().revision;
    CHECK(boundary == reached); // Never a part of a group.
  }
  CHECK(reports > 20); // They were killed at work.
}
