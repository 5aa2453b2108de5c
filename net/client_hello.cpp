#include "net/client_hello.hpp"

#include <algorithm>
#include <utility>

namespace strait::net {

namespace {

constexpr std::uint8_t record_handshake = 22, message_client_hello = 1;
constexpr std::size_t record_payload_max = 16 * 1024;
constexpr unsigned extension_server_name = 0, extension_alpn = 16;

/// Reads big-endian fields; `ok` turns false at the first that is not there.
class Reader {
public:
  explicit Reader(std::string_view bytes) : bytes_{bytes} {}

  std::size_t number(std::size_t width) {
    std::size_t value = 0;
    for (auto c : take(width))
      value = value << 8 | static_cast<unsigned char>(c);
    return value;
  }
  std::string_view take(std::size_t count) {
    if (count > bytes_.size()) {
      ok_ = false;
      bytes_ = {};
      return {};
    }
    auto out = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return out;
  }
  /// A vector whose length is written before it.
  Reader vector(std::size_t width) {
    Reader inner{take(number(width))};
    inner.ok_ = ok_;
    return inner;
  }
  bool ok() const { return ok_; }
  bool empty() const { return bytes_.empty(); }

private:
  std::string_view bytes_;
  bool ok_ = true;
};

// RFC 6066 §3: a list that may hold one name of type host_name.
bool read_server_name(Reader extension, std::string& out) {
  auto list = extension.vector(2);
  if (!list.ok() || !extension.empty() || list.empty())
    return false;
  while (list.ok() && !list.empty()) {
    auto type = list.number(1);
    auto length = list.number(2);
    auto name = list.take(length);
    if (type != 0)
      continue;
    if (!list.ok() || name.empty() || name.size() > 255 || !out.empty())
      return false;
    for (auto c : name) {
      if (c <= 0x20 || c == 0x7f) // Negative is outside of ASCII.
        return false;
      out += c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    }
  }
  return list.ok();
}

// RFC 7301 §3.1.
bool read_alpn(Reader extension, std::vector<std::string>& out) {
  auto list = extension.vector(2);
  if (!list.ok() || !extension.empty() || list.empty())
    return false;
  while (list.ok() && !list.empty()) {
    auto length = list.number(1);
    auto name = list.take(length);
    if (name.empty())
      return false;
    out.emplace_back(name);
  }
  return list.ok();
}

// RFC 8446 §4.1.2; TLS 1.2 and below have the same shape.
bool read_hello(Reader hello, ClientHello& out) {
  hello.take(2 + 32); // Version, random.
  hello.vector(1);    // Session id.
  hello.vector(2);    // Cipher suites.
  hello.vector(1);    // Compression.
  if (!hello.ok())
    return false;
  if (hello.empty())
    return true; // No extensions: TLS 1.2 or older.
  auto extensions = hello.vector(2);
  if (!extensions.ok() || !hello.empty())
    return false;
  bool name_seen = false, alpn_seen = false;
  while (!extensions.empty()) {
    auto type = extensions.number(2);
    auto extension = extensions.vector(2);
    if (!extensions.ok())
      return false;
    if (type == extension_server_name &&
        (std::exchange(name_seen, true) || !read_server_name(extension, out.server_name)))
      return false;
    if (type == extension_alpn &&
        (std::exchange(alpn_seen, true) || !read_alpn(extension, out.alpn)))
      return false;
  }
  return true;
}

} // namespace

ClientHello peek_client_hello(std::string_view bytes) {
  ClientHello out;
  auto verdict = [&](ClientHello::State state) {
    out = {};
    out.state = state;
    return out;
  };
  using State = ClientHello::State;
  auto byte = [&](std::size_t at) { return static_cast<unsigned char>(bytes[at]); };
  auto need_more = [&, at_end = bytes.size() >= client_hello_wire_bytes_max] {
    return verdict(at_end ? State::too_large : State::need_more);
  };
  bytes = bytes.substr(0, client_hello_wire_bytes_max);
  std::string message; // The handshake message without its record headers.
  std::size_t needed = 4;
  while (message.size() < needed) {
    if (!bytes.empty() && byte(0) != record_handshake)
      return verdict(message.empty() ? State::not_tls : State::malformed);
    if (bytes.size() > 1 && byte(1) != 3)
      return verdict(State::not_tls);
    if (bytes.size() < 5)
      return need_more();
    auto length = byte(3) * std::size_t{256} + byte(4);
    if (length == 0 || length > record_payload_max)
      return verdict(State::malformed);
    bytes.remove_prefix(5);
    message += bytes.substr(0, length);
    if (message.size() >= 1 && message[0] != message_client_hello)
      return verdict(State::malformed);
    if (message.size() >= 4) {
      needed = 4 + Reader{std::string_view{message}.substr(1)}.number(3);
      if (needed > client_hello_bytes_max)
        return verdict(State::too_large);
    }
    if (bytes.size() < length && message.size() < needed)
      return need_more();
    bytes.remove_prefix(std::min(length, bytes.size()));
  }
  if (!read_hello(Reader{std::string_view{message}.substr(4, needed - 4)}, out))
    return verdict(State::malformed);
  out.state = State::complete;
  return out;
}

} // namespace strait::net
