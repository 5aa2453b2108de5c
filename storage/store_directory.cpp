#include "storage/store_directory.hpp"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace strait::storage {

namespace {

namespace fs = std::filesystem;

constexpr mode_t directory_mode = 0700; // The store holds private keys.
constexpr mode_t file_mode = 0600;
constexpr std::size_t small_file_bytes_max = 256;
constexpr std::string_view format_prefix = "strait-store ";
constexpr std::string_view floor_prefix = "floor ";

Errc code_of(int error) {
  switch (error) {
  case EACCES:
  case EPERM:
  case EROFS:
    return Errc::denied;
  case ENOENT:
    return Errc::not_found;
  case ENOTDIR:
  case ENAMETOOLONG:
  case ELOOP:
    return Errc::invalid;
  case ENOSPC:
  case EDQUOT:
  case EFBIG:
    return Errc::exhausted;
  default:
    return Errc::internal;
  }
}

tl::unexpected<Error> failed(std::string_view name, std::string_view what, int error) {
  return fail(code_of(error), "{}: cannot {}: {}", name, what, std::strerror(error));
}

class File {
public:
  explicit File(int descriptor) : descriptor_{descriptor} {}
  ~File() {
    if (descriptor_ >= 0)
      ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int get() const { return descriptor_; }
  int release() { return std::exchange(descriptor_, -1); }

private:
  int descriptor_;
};

Status sync_directory(std::string_view name, const std::string& path) {
  File directory{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (directory.get() < 0 || ::fsync(directory.get()) != 0)
    return failed(name, "sync directory " + path, errno);
  return {};
}

/// The old text or the new one is there after a crash, never a mixture.
Status replace_file(std::string_view name, const std::string& path, std::string_view text) {
  auto fresh = path + ".new";
  File file{::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, file_mode)};
  if (file.get() < 0)
    return failed(name, "create " + fresh, errno);
  auto written = ::write(file.get(), text.data(), text.size());
  if (written != static_cast<ssize_t>(text.size()))
    return failed(name, "write " + fresh, written < 0 ? errno : ENOSPC);
  if (::fsync(file.get()) != 0)
    return failed(name, "sync " + fresh, errno);
  if (::rename(fresh.c_str(), path.c_str()) != 0)
    return failed(name, "rename " + fresh, errno);
  return sync_directory(name, fs::path{path}.parent_path());
}

/// Of a file that must be there.
Result<std::string> read_small_file(std::string_view name, const std::string& path) {
  File file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.get() < 0 && errno == ENOENT)
    return fail(Errc::corrupt, "{}: {} is missing", name, path);
  if (file.get() < 0)
    return failed(name, "open " + path, errno);
  std::string text(small_file_bytes_max, '\0');
  auto count = ::read(file.get(), text.data(), text.size());
  if (count < 0)
    return failed(name, "read " + path, errno);
  text.resize(static_cast<std::size_t>(count));
  return text;
}

template <class Number>
bool parse(std::string_view text, Number& number) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

/// FNV-1a, 64 bits: the floor is one line, and a changed digit must not go unseen.
std::uint64_t checksum(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (unsigned char c : text)
    hash = (hash ^ c) * 0x100000001b3U;
  return hash;
}

std::string floor_text(Revision floor) {
  auto head = fmt::format("{}{} ", floor_prefix, floor);
  return fmt::format("{}{:016x}\n", head, checksum(head));
}

Status make_directory(const std::string& name, const std::string& path) {
  if (::mkdir(path.c_str(), directory_mode) == 0)
    return sync_directory(name, fs::path{path}.has_parent_path()
                                    ? fs::path{path}.parent_path().string()
                                    : std::string{"."});
  auto error = errno;
  if (error == ENOENT)
    return fail(Errc::not_found, "{}: its parent directory does not exist", name);
  if (error == ENOTDIR)
    return fail(Errc::invalid, "{}: its parent is not a directory", name);
  if (error != EEXIST)
    return failed(name, "create the directory", error);
  return {};
}

/// A directory that somebody else uses must not be filled by a mistyped option.
Status check_entries(const std::string& name, const std::string& path) {
  std::error_code error;
  if (!fs::is_directory(path, error))
    return error && error.value() != ENOTDIR ? failed(name, "look at it", error.value())
                                             : fail(Errc::invalid, "{}: not a directory", name);
  if (fs::exists(path + "/store", error))
    return {};
  fs::directory_iterator at{path, error};
  for (; !error && at != fs::directory_iterator{}; at.increment(error)) {
    auto entry = at->path().filename();
    if (entry != "LOCK" && entry != "store.new" && entry != "lost+found")
      return fail(Errc::invalid,
                  "{}: holds {} and no store; expected a store or an empty directory", name,
                  entry.string());
  }
  if (error)
    return failed(name, "list the directory", error.value());
  return {};
}

} // namespace

Result<std::unique_ptr<StoreDirectory>> StoreDirectory::lock(const std::string& given,
                                                             bool must_exist) {
  auto path = given;
  while (path.size() > 1 && path.back() == '/')
    path.pop_back();
  auto name = "store " + path;
  if (path.empty())
    return fail(Errc::invalid, "store: its path is empty");
  if (must_exist && ::access(path.c_str(), F_OK) != 0)
    return failed(name, "open the directory", errno);
  if (auto made = make_directory(name, path); !made)
    return fail(made.error());
  if (auto good = check_entries(name, path); !good)
    return fail(good.error());

  File file{::open((path + "/LOCK").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, file_mode)};
  if (file.get() < 0)
    return failed(name, "open its LOCK file", errno);
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK)
      return failed(name, "lock it", errno);
    auto holder = read_small_file(name, path + "/LOCK").value_or("");
    return fail(Errc::unavailable, "{}: locked by another process{}{}", name,
                holder.empty() ? "" : ", pid ", holder.substr(0, holder.find('\n')));
  }
  // The process id is there for the error above; without it the lock holds all the same.
  auto pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(file.get(), 0) == 0 && ::pwrite(file.get(), pid.data(), pid.size(), 0) < 0 &&
      ::ftruncate(file.get(), 0) != 0)
    return failed(name, "write its LOCK file", errno);
  return std::unique_ptr<StoreDirectory>{new StoreDirectory{std::move(path), file.release()}};
}

StoreDirectory::~StoreDirectory() { ::close(lock_); }

bool StoreDirectory::has_store() const { return ::access((path_ + "/store").c_str(), F_OK) == 0; }

std::string StoreDirectory::database_path() const { return path_ + "/store/rocksdb"; }

Result<std::string> StoreDirectory::begin() {
  auto fresh = path_ + "/store.new";
  std::error_code error;
  fs::remove_all(fresh, error); // Left by a process that was killed here.
  if (error)
    return failed(name_, "remove " + fresh, error.value());
  if (::mkdir(fresh.c_str(), directory_mode) != 0)
    return failed(name_, "create " + fresh, errno);
  auto format = fmt::format("{}{}\n", format_prefix, format_version);
  if (auto done = replace_file(name_, fresh + "/FORMAT", format); !done)
    return fail(done.error());
  if (auto done = replace_file(name_, fresh + "/FLOOR", floor_text(0)); !done)
    return fail(done.error());
  return fresh + "/rocksdb";
}

Status StoreDirectory::publish() {
  auto fresh = path_ + "/store.new", store = path_ + "/store";
  if (auto done = sync_directory(name_, fresh); !done)
    return done;
  if (::rename(fresh.c_str(), store.c_str()) != 0)
    return failed(name_, "rename " + fresh, errno);
  return sync_directory(name_, path_);
}

Status StoreDirectory::check_format() const {
  auto text = read_small_file(name_, path_ + "/store/FORMAT");
  if (!text)
    return fail(text.error());
  std::string_view line = *text;
  std::uint64_t version = 0;
  if (!line.starts_with(format_prefix) || !line.ends_with('\n') ||
      !parse(line.substr(format_prefix.size(), line.size() - format_prefix.size() - 1), version) ||
      version == 0)
    return fail(Errc::corrupt, "{}: store/FORMAT is not \"{}N\"", name_, format_prefix);
  if (version != format_version)
    return fail(Errc::invalid,
                "{}: written in format version {}, this program reads version {}; use the program "
                "that wrote it",
                name_, version, format_version);
  return {};
}

Result<Revision> StoreDirectory::read_floor() const {
  auto text = read_small_file(name_, path_ + "/store/FLOOR");
  if (!text)
    return fail(text.error());
  std::string_view line = *text;
  Revision floor = 0;
  auto digits = line.substr(0, line.rfind(' '));
  if (!line.starts_with(floor_prefix) || digits.size() < floor_prefix.size() ||
      !parse(digits.substr(floor_prefix.size()), floor) || floor_text(floor) != line)
    return fail(Errc::corrupt, "{}: store/FLOOR does not match its checksum", name_);
  return floor;
}

Status StoreDirectory::write_floor(Revision floor) {
  return replace_file(name_, path_ + "/store/FLOOR", floor_text(floor));
}

} // namespace strait::storage
