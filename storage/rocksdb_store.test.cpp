// What goes wrong on a disk, and what the store says about it.

#include "storage/store_directory.hpp"
#include "storage/test_support.hpp"

#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <random>
#include <set>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace strait;
using namespace strait::storage;
using namespace strait::storage::test;
namespace fs = std::filesystem;

namespace {

Error error_of(const RocksOptions& options) {
  auto store = open_rocksdb(options);
  REQUIRE_FALSE(store);
  return store.error();
}

std::unique_ptr<Store> opened(const std::string& path) {
  auto store = open_rocksdb({.path = path});
  INFO((store ? "" : store.error().detail));
  REQUIRE(store);
  return std::move(*store);
}

void put_text(const fs::path& path, std::string_view text) {
  std::ofstream{path, std::ios::binary} << text;
}

std::string text_of(const fs::path& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

/// A closed store with table files, a manifest of several edits and a log that is not empty.
void fill(const std::string& path) {
  for (int round = 0; round < 3; ++round) {
    auto store = opened(path);
    for (int i = 0; i < 20; ++i)
      REQUIRE(write(*store, {set("key/" + std::to_string(i), std::string(50, 'a'))}));
  }
}

std::vector<fs::path> files_of(const std::string& path, std::string_view part) {
  std::vector<fs::path> files;
  for (auto& entry : fs::recursive_directory_iterator{path})
    if (entry.is_regular_file() && entry.path().filename().string().find(part) != std::string::npos)
      files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  REQUIRE_FALSE(files.empty());
  return files;
}

} // namespace

TEST_CASE("a store that is open cannot be opened again, and the error names the holder") {
  TemporaryDirectory directory;
  auto store = opened(directory.path());
  auto error = error_of({.path = directory.path()});
  CHECK(error.code == Errc::unavailable);
  CHECK(error.detail == "store " + directory.path() + ": locked by another process, pid " +
                            std::to_string(::getpid()));
  CHECK(dump_rocksdb(directory.path(), 10).error().code == Errc::unavailable);
  store.reset();
  CHECK(opened(directory.path())->revision() == 0);
}

TEST_CASE("a directory that cannot hold a store is named with the reason") {
  TemporaryDirectory directory;
  const auto& path = directory.path();
  put_text(path + "/file", "x");
  CHECK(error_of({.path = ""}).code == Errc::invalid);
  CHECK(error_of({.path = path + "/no/store"}) ==
        Error{Errc::not_found, "store " + path + "/no/store: its parent directory does not exist"});
  CHECK(error_of({.path = path + "/file"}) ==
        Error{Errc::invalid, "store " + path + "/file: not a directory"});
  CHECK(error_of({.path = path + "/file/store"}) ==
        Error{Errc::invalid, "store " + path + "/file/store: its parent is not a directory"});
  CHECK(
      error_of({.path = path}) ==
      Error{Errc::invalid,
            "store " + path + ": holds file and no store; expected a store or an empty directory"});
  CHECK(text_of(path + "/file") == "x");
  CHECK_FALSE(fs::exists(path + "/LOCK"));
}

TEST_CASE("a directory that may not be written is denied") {
  TemporaryDirectory directory;
  auto closed = directory.path() + "/closed";
  REQUIRE(::mkdir(closed.c_str(), 0500) == 0);
  // Root may write everywhere: for the length of this test, the thread is somebody else.
  bool root = ::geteuid() == 0;
  if (root)
    REQUIRE((::chown(directory.path().c_str(), 65534, 65534) == 0 &&
             ::chown(closed.c_str(), 65534, 65534) == 0 && ::seteuid(65534) == 0));
  auto inside = error_of({.path = closed + "/store"}), itself = error_of({.path = closed});
  if (root)
    REQUIRE(::seteuid(0) == 0);
  CHECK(inside.code == Errc::denied);
  CHECK(inside.detail ==
        "store " + closed + "/store: cannot create the directory: Permission denied");
  CHECK(itself.code == Errc::denied);
}

TEST_CASE("only the owner may look into a store") {
  TemporaryDirectory directory;
  auto path = directory.path() + "/made//";
  auto before = ::umask(0);
  auto store = open_rocksdb({.path = path});
  ::umask(before);
  REQUIRE(store);
  for (auto made : {path, path + "/store"}) {
    struct stat found {};
    REQUIRE(::stat(made.c_str(), &found) == 0);
    CHECK((found.st_mode & 07777) == 0700);
  }
}

TEST_CASE("what a killed creation left behind is replaced") {
  TemporaryDirectory directory;
  fs::create_directories(directory.path() + "/store.new/rocksdb");
  put_text(directory.path() + "/store.new/rocksdb/MANIFEST-000001", "half");
  put_text(directory.path() + "/LOCK", "1\n");
  CHECK(opened(directory.path())->revision() == 0);
  CHECK_FALSE(fs::exists(directory.path() + "/store.new"));
}

TEST_CASE("another format version is refused and left as it is") {
  TemporaryDirectory directory;
  fill(directory.path());
  auto format = directory.path() + "/store/FORMAT";
  CHECK(text_of(format) == "strait-store 1\n");
  put_text(format, "strait-store 2\n");
  auto error = error_of({.path = directory.path()});
  CHECK(error.code == Errc::invalid);
  CHECK_THAT(error.detail, Catch::Contains("format version 2, this program reads version 1"));
  for (auto damaged : {"", "strait-store 1", "strait-store 0\n", "strait-store one\n", "1\n"}) {
    put_text(format, damaged);
    CHECK(error_of({.path = directory.path()}).code == Errc::corrupt);
  }
  put_text(format, "strait-store 1\n");
  CHECK(opened(directory.path())->revision() == 60);
}

TEST_CASE("a store with a file missing is found to be corrupt") {
  for (auto part : {"FORMAT", "FLOOR", "CURRENT", "MANIFEST", ".sst", ".log"}) {
    TemporaryDirectory directory;
    fill(directory.path());
    INFO(part);
    fs::remove(files_of(directory.path(), part).back());
    auto error = error_of({.path = directory.path()});
    CHECK(error.code == Errc::corrupt);
    CHECK_THAT(error.detail, Catch::StartsWith("store " + directory.path() + ": "));
  }
  TemporaryDirectory directory;
  fill(directory.path());
  fs::remove_all(directory.path() + "/store/rocksdb");
  CHECK(error_of({.path = directory.path()}).code == Errc::corrupt);
}

TEST_CASE("a floor above the newest revision means that commits were lost") {
  TemporaryDirectory directory;
  fill(directory.path());
  fs::copy(directory.path(), directory.path() + ".old", fs::copy_options::recursive);
  fill(directory.path());
  fs::remove_all(directory.path() + "/store/rocksdb");
  fs::rename(directory.path() + ".old/store/rocksdb", directory.path() + "/store/rocksdb");
  fs::remove_all(directory.path() + ".old");
  auto error = error_of({.path = directory.path()});
  CHECK(error.code == Errc::corrupt);
  CHECK_THAT(error.detail, Catch::EndsWith("its newest revision is 60, but it had reached 120: "
                                           "commits were lost"));
}

TEST_CASE("a closed store that was truncated or changed anywhere is corrupt, or lost nothing") {
  TemporaryDirectory directory;
  auto whole = directory.path() + "/whole", copy = directory.path() + "/copy";
  fill(whole);
  Values values;
  std::vector<Commit> changes;
  fs::copy(whole, copy, fs::copy_options::recursive);
  {
    auto store = opened(copy); // Not the whole one: opening it would empty its log file.
    values = values_of(*store), changes = changes_of(*store, 0);
    REQUIRE(changes.size() == 60);
  }
  const char* rounds_given = std::getenv("STRAIT_DAMAGE_ROUNDS");
  int rounds = rounds_given ? std::atoi(rounds_given) : 12;
  std::mt19937 prng{11};
  std::map<std::string, int> found;
  for (auto part : {"FORMAT", "FLOOR", "CURRENT", "MANIFEST", ".sst", ".log"}) {
    for (int round = 0; round < rounds; ++round) {
      fs::remove_all(copy);
      fs::copy(whole, copy, fs::copy_options::recursive);
      auto files = files_of(copy, part);
      auto file = files[prng() % files.size()];
      auto text = text_of(file);
      if (text.empty())
        continue;
      auto at = prng() % text.size();
      bool cut = round % 3 == 0;
      if (cut)
        text.resize(at);
      else
        text[at] = static_cast<char>(text[at] ^ (1 << prng() % 8));
      put_text(file, text);
      INFO(file << (cut ? " cut at " : " changed at ") << at);
      auto store = open_rocksdb({.path = copy});
      if (store) {
        CHECK(values_of(**store) == values);
        CHECK(changes_of(**store, 0) == changes);
      } else {
        auto code = store.error().code;
        INFO(store.error().detail);
        CHECK((code == Errc::corrupt || (code == Errc::invalid && part == std::string{"FORMAT"})));
        ++found[part];
      }
    }
  }
  // Some bytes carry nothing (padding, properties), most do.
  CHECK(found.size() == 6);
  for (auto& [part, count] : found) {
    INFO(part << ": " << count << " of " << rounds);
    CHECK(count > rounds / 2);
  }
}

TEST_CASE("recoverable commits outlive a process that ends at once, under a new id") {
  TemporaryDirectory directory;
  auto id = opened(directory.path())->id();
  auto commit = [](Store& store, bool recoverable) {
    auto revision = store.revision() + 1;
    return store.commit(
        std::vector{Commit{revision, {set("key", std::to_string(revision))}, recoverable}});
  };
  auto end_at_once_after = [&](std::vector<bool> commits) {
    auto child = ::fork();
    if (child == 0) {
      auto store = open_rocksdb({.path = directory.path()});
      bool good = store.has_value();
      for (bool recoverable : commits)
        good = good && commit(**store, recoverable);
      ::_exit(good ? 0 : 1); // Nothing is closed.
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(status == 0);
  };
  end_at_once_after({false, false});
  CHECK(opened(directory.path())->id() == id); // All of it was synced.
  end_at_once_after({true, true, false, true});
  {
    auto store = opened(directory.path());
    CHECK(store->revision() == 6);
    CHECK(values_of(*store) == Values{{"key", "6"}});
    CHECK(store->id() != id);
    id = store->id();
    REQUIRE(commit(*store, true));
  }
  auto store = opened(directory.path()); // It was closed: nothing can be lost.
  CHECK(store->id() == id);
  CHECK(store->revision() == 7);
}

TEST_CASE("the floor is raised over recoverable commits too, and finds them after an end at once") {
  TemporaryDirectory directory;
  auto child = ::fork();
  if (child == 0) {
    auto store = open_rocksdb({.path = directory.path()});
    bool good = store.has_value();
    for (Revision revision = 1; good && revision <= 5000; ++revision)
      good = (*store)->commit(std::vector{Commit{revision, {}, true}}).has_value();
    ::_exit(good ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(status == 0);
  CHECK(text_of(directory.path() + "/store/FLOOR").starts_with("floor 4096 "));
  CHECK(opened(directory.path())->revision() == 5000);
}

TEST_CASE("the write-ahead log stays within its bound") {
  TemporaryDirectory directory;
  constexpr std::uint64_t bound = 2U << 20U;
  auto store = open_rocksdb({.path = directory.path(), .wal_bytes_max = bound});
  REQUIRE(store);
  std::uint64_t most = 0;
  for (int i = 0; i < 1000; ++i) { // 20 MB: each value is written twice, the log has it too.
    REQUIRE(write(**store, {set("key", std::string(10'000, static_cast<char>(i)))}));
    std::uint64_t bytes = 0;
    for (auto& entry : fs::directory_iterator{directory.path() + "/store/rocksdb"}) {
      std::error_code gone; // A log may be removed while we look.
      auto size = entry.path().extension() == ".log" ? fs::file_size(entry.path(), gone) : 0;
      bytes += gone ? 0 : size;
    }
    most = std::max(most, bytes);
  }
  UNSCOPED_INFO("at most " << most << " bytes of log");
  CHECK(most > bound / 16);
  CHECK(most <= bound);
}

TEST_CASE("a store whose file may not grow is exhausted until it is opened anew") {
  TemporaryDirectory directory;
  auto store = opened(directory.path());
  REQUIRE(write(*store, {set("a", "1")}));
  // The same as a full disk to the store, and possible without being root.
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small{1U << 20U, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  auto full = write(*store, {set("b", std::string(2U << 20U, 'b'))});
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  CHECK(code_of(full) == Errc::exhausted);
  CHECK_THAT(full.error().detail,
             Catch::StartsWith("store " + directory.path() + ": cannot commit: the disk is full"));
  auto after = write(*store, {set("c", "3")});
  CHECK(code_of(after) == Errc::unavailable);
  CHECK_THAT(after.error().detail, Catch::Contains("until it is opened anew"));
  CHECK(values_of(*store) == Values{{"a", "1"}});
  store.reset();
  store = opened(directory.path());
  CHECK(values_of(*store) == Values{{"a", "1"}});
  CHECK(write(*store, {set("c", "3")}));
}

TEST_CASE(
    "on a full disk no acknowledged commit is lost, and the store goes on after space is made") {
  TemporaryDirectory directory;
  auto mount = [&](const char* size, unsigned long flags) {
    return ::mount("strait-test", directory.path().c_str(), "tmpfs", flags, size);
  };
  if (mount("size=6m", 0) != 0) {
    WARN("skipped: mounting a small tmpfs needs CAP_SYS_ADMIN");
    return;
  }
  struct Unmount {
    std::string path;
    ~Unmount() { ::umount2(path.c_str(), MNT_DETACH); }
  } unmount{directory.path()};

  // With a short log, space runs out in the threads that flush and compact.
  auto wal_bytes_max = GENERATE(256U << 20U, 1U << 20U, 300'000U);
  RocksOptions options{.path = directory.path(), .wal_bytes_max = wal_bytes_max};
  auto store = std::move(*open_rocksdb(options));
  std::mt19937 prng{wal_bytes_max};
  Status last;
  do {
    std::string value(50'000, '\0');
    for (char& c : value)
      c = static_cast<char>(prng()); // No compression makes room.
    last = write(*store, {set("key/" + std::to_string(store->revision()), std::move(value))});
    REQUIRE(store->revision() < 1000);
  } while (last);
  INFO(last.error().detail);
  CHECK(code_of(last) == Errc::exhausted);
  auto acknowledged = store->revision();
  CHECK(acknowledged > 10);
  CHECK(code_of(write(*store, {})) == Errc::unavailable);
  CHECK(values_of(*store).size() == acknowledged);
  store.reset();

  // Still full: it may open, or say why not.
  if (auto again = open_rocksdb(options); !again)
    CHECK(again.error().code == Errc::exhausted);
  REQUIRE(mount("size=60m", MS_REMOUNT) == 0);
  store = opened(directory.path());
  CHECK(store->revision() >= acknowledged);
  CHECK(store->revision() <= acknowledged + 1); // The last one was written, not acknowledged.
  CHECK(values_of(*store).size() == store->revision());
  CHECK(write(*store, {set("more", "")}));
}

TEST_CASE(
    "a new store on a disk without space is refused as exhausted, and made when there is some") {
  TemporaryDirectory directory;
  auto mount = [&](const char* size, unsigned long flags) {
    return ::mount("strait-test", directory.path().c_str(), "tmpfs", flags, size);
  };
  if (mount("size=32k", 0) != 0) {
    WARN("skipped: mounting a small tmpfs needs CAP_SYS_ADMIN");
    return;
  }
  auto full = open_rocksdb({.path = directory.path()});
  auto grown = mount("size=60m", MS_REMOUNT);
  auto made = open_rocksdb({.path = directory.path()});
  auto good = made.has_value();
  made = fail(Errc::internal, "closed");
  ::umount2(directory.path().c_str(), MNT_DETACH);
  CHECK(grown == 0);
  REQUIRE_FALSE(full);
  INFO(full.error().detail);
  CHECK(full.error().code == Errc::exhausted);
  CHECK(good);
}
