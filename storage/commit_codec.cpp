#include "storage/commit_codec.hpp"

namespace strait::storage {

namespace {

enum class Kind : std::uint8_t { set = 0, erase = 1 };

constexpr std::size_t length_bytes = 4;
constexpr std::size_t write_bytes_min = 1 + length_bytes; // An erase of an empty key.

template <std::size_t Bytes>
void put_number(std::string& out, std::uint64_t number) {
  for (std::size_t i = Bytes; i-- > 0;)
    out += static_cast<char>((number >> (8 * i)) & 0xffU);
}

void put_text(std::string& out, std::string_view text) {
  put_number<length_bytes>(out, text.size());
  out += text;
}

class Reader {
public:
  explicit Reader(std::string_view bytes) : bytes_{bytes} {}

  std::size_t offset() const { return offset_; }
  std::size_t left() const { return bytes_.size() - offset_; }

  bool number(std::size_t count, std::uint64_t& out) {
    if (left() < count)
      return false;
    out = 0;
    for (std::size_t i = 0; i < count; ++i)
      out = out << 8U | static_cast<unsigned char>(bytes_[offset_++]);
    return true;
  }

  bool text(std::string& out) {
    std::uint64_t length = 0;
    if (!number(length_bytes, length) || left() < length)
      return false;
    out = bytes_.substr(offset_, length);
    offset_ += length;
    return true;
  }

private:
  std::string_view bytes_;
  std::size_t offset_ = 0;
};

} // namespace

std::string encode_revision(Revision revision) {
  std::string bytes;
  put_number<sizeof revision>(bytes, revision);
  return bytes;
}

Result<Revision> decode_revision(std::string_view bytes) {
  Revision revision = 0;
  if (bytes.size() != sizeof revision || !Reader{bytes}.number(sizeof revision, revision))
    return fail(Errc::corrupt, "a revision has {} bytes, expected {}", bytes.size(),
                sizeof revision);
  return revision;
}

std::string encode_writes(const Commit& commit) {
  std::string bytes;
  bytes.reserve(length_bytes + bytes_of(commit));
  put_number<length_bytes>(bytes, commit.writes.size());
  for (const Write& write : commit.writes) {
    bytes += static_cast<char>(write.erase ? Kind::erase : Kind::set);
    put_text(bytes, write.key);
    if (!write.erase)
      put_text(bytes, write.value);
  }
  return bytes;
}

Result<Commit> decode_commit(Revision revision, std::string_view bytes) {
  Reader reader{bytes};
  auto wrong = [&](std::string_view what) {
    return fail(Errc::corrupt, "commit {}: {} at byte {} of {}", revision, what, reader.offset(),
                bytes.size());
  };
  std::uint64_t count = 0;
  if (!reader.number(length_bytes, count))
    return wrong("no number of writes");
  if (count > reader.left() / write_bytes_min)
    return wrong("more writes announced than bytes are left");
  Commit commit{revision, {}};
  commit.writes.reserve(count);
  for (; count > 0; --count) {
    std::uint64_t kind = 0;
    if (!reader.number(1, kind) || kind > static_cast<std::uint8_t>(Kind::erase))
      return wrong("neither set nor erase");
    Write& write = commit.writes.emplace_back();
    write.erase = kind == static_cast<std::uint8_t>(Kind::erase);
    if (!reader.text(write.key))
      return wrong("truncated key");
    if (!write.erase && !reader.text(write.value))
      return wrong("truncated value");
  }
  if (reader.left() != 0)
    return wrong("bytes after the last write");
  return commit;
}

} // namespace strait::storage
