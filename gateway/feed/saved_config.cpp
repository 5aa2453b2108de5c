#include "gateway/feed/saved_config.hpp"

#include "gateway/feed/feed_codec.hpp"

#include <openssl/evp.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace strait::gateway::feed {
namespace {

constexpr std::string_view magic = "STRAITGW";
constexpr std::size_t hash_bytes = 32;
constexpr std::size_t header_bytes = magic.size() + 4 + 8 + hash_bytes;

void put(std::string& out, std::uint64_t number, std::size_t bytes) { // Little endian.
  for (std::size_t i = 0; i < bytes; ++i)
    out += static_cast<char>(number >> (8 * i));
}
std::uint64_t get(std::string_view bytes) {
  std::uint64_t number = 0;
  for (std::size_t i = bytes.size(); i > 0; --i)
    number = number << 8 | static_cast<unsigned char>(bytes[i - 1]);
  return number;
}
std::string sha256(std::string_view bytes) {
  std::string hash(hash_bytes, '\0');
  EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(hash.data()), nullptr,
             EVP_sha256(), nullptr);
  return hash;
}

/// A file descriptor, closed at the end.
class File {
public:
  explicit File(int fd) : fd_{fd} {}
  ~File() {
    if (fd_ >= 0)
      ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  explicit operator bool() const { return fd_ >= 0; }
  int get() const { return fd_; }

private:
  int fd_;
};

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

tl::unexpected<Error> disk_error(const std::filesystem::path& path, const char* what) {
  const int error = errno;
  return fail(Errc::unavailable, "saved config {}: {}: {}", path.string(), what,
              std::strerror(error));
}

} // namespace

std::string encode_saved(const Config& config) {
  const auto content = encode(whole(config));
  std::string bytes;
  bytes.reserve(header_bytes + content.size());
  bytes += magic;
  put(bytes, saved_config_version, 4);
  put(bytes, content.size(), 8);
  bytes += sha256(content);
  bytes += content;
  return bytes;
}

Result<Config> decode_saved(std::string_view bytes) {
  if (!bytes.starts_with(magic.substr(0, bytes.size())))
    return fail(Errc::corrupt, "is no saved config");
  if (bytes.size() < header_bytes)
    return fail(Errc::corrupt, "is cut off: {} bytes of a header of {}", bytes.size(),
                header_bytes);
  auto at = magic.size();
  if (const auto version = get(bytes.substr(at, 4)); version != saved_config_version)
    return fail(Errc::invalid, "has version {}, this program reads version {}", version,
                saved_config_version);
  at += 4;
  const auto length = get(bytes.substr(at, 8));
  at += 8;
  const auto hash = bytes.substr(at, hash_bytes);
  const auto content = bytes.substr(header_bytes);
  if (content.size() != length)
    return fail(Errc::corrupt, "is {}: {} bytes of content instead of {}",
                content.size() < length ? "cut off" : "too long", content.size(), length);
  if (sha256(content) != hash)
    return fail(Errc::corrupt, "is damaged: its checksum does not fit its content");
  auto delta = decode(content);
  if (!delta)
    return fail(std::move(delta.error()));
  if (delta->from != 0)
    return fail(Errc::corrupt, "is no whole config: it starts at epoch {}", delta->from);
  return apply(Config{}, *delta);
}

Status save(const std::filesystem::path& path, const Config& config) {
  const auto bytes = encode_saved(config);
  if (bytes.size() > max_delta_bytes)
    return fail(Errc::exhausted, "saved config {}: {} bytes are more than {}", path.string(),
                bytes.size(), max_delta_bytes);
  auto fresh = path;
  fresh += ".new";
  // What a crash left behind may have another mode or owner.
  ::unlink(fresh.c_str());
  {
    File file{::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
    if (!file)
      return disk_error(fresh, "cannot be made");
    if (!write_all(file.get(), bytes) || ::fsync(file.get()) != 0) {
      auto error = disk_error(fresh, "cannot be written");
      ::unlink(fresh.c_str());
      return error;
    }
  }
  if (::rename(fresh.c_str(), path.c_str()) != 0) {
    auto error = disk_error(path, "cannot be replaced");
    ::unlink(fresh.c_str());
    return error;
  }
  // The new name itself is on the disk only with its directory.
  const auto directory = path.has_parent_path() ? path.parent_path() : ".";
  File parent{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!parent || ::fsync(parent.get()) != 0)
    return disk_error(directory, "cannot be synced");
  return {};
}

Result<Config> load(const std::filesystem::path& path) {
  File file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file) {
    if (errno == ENOENT)
      return fail(Errc::not_found, "saved config {}: there is none", path.string());
    return disk_error(path, "cannot be opened");
  }
  struct stat info {};
  if (::fstat(file.get(), &info) != 0)
    return disk_error(path, "cannot be read");
  if (!S_ISREG(info.st_mode))
    return fail(Errc::invalid, "saved config {}: is no file", path.string());
  if (static_cast<std::uint64_t>(info.st_size) > max_delta_bytes)
    return fail(Errc::exhausted, "saved config {}: {} bytes are more than {}", path.string(),
                info.st_size, max_delta_bytes);
  std::string bytes(static_cast<std::size_t>(info.st_size), '\0');
  std::size_t at = 0;
  while (at < bytes.size()) {
    const auto read = ::read(file.get(), bytes.data() + at, bytes.size() - at);
    if (read < 0 && errno == EINTR)
      continue;
    if (read < 0)
      return disk_error(path, "cannot be read");
    if (read == 0)
      break;
    at += static_cast<std::size_t>(read);
  }
  bytes.resize(at);
  auto config = decode_saved(bytes);
  if (!config)
    return fail(config.error().code, "saved config {}: {}", path.string(), config.error().detail);
  return config;
}

} // namespace strait::gateway::feed
