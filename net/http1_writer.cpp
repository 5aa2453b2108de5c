#include "net/http1_writer.hpp"

#include "net/http1_scan.hpp"

#include <array>
#include <charconv>

namespace strait::net::http1 {

namespace {

void append_number(std::string& out, std::uint64_t number, int base) {
  std::array<char, 24> digits{};
  auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, base).ptr;
  out.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
}

} // namespace

HeadWriter& HeadWriter::request(std::string_view method, std::string_view target,
                                int version_minor) {
  if (!is_token(method) || target.empty() || find_not(char_target, target, 0) != target.size()) {
    ok_ = false;
    return *this;
  }
  out_.append(method).append(1, ' ').append(target);
  out_.append(version_minor == 0 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");
  return *this;
}

HeadWriter& HeadWriter::response(int status, std::string_view reason, int version_minor) {
  if (status < 100 || status > 599 || find_value_end(reason, 0) != reason.size()) {
    ok_ = false;
    return *this;
  }
  out_.append(version_minor == 0 ? "HTTP/1.0 " : "HTTP/1.1 ");
  append_number(out_, static_cast<std::uint64_t>(status), 10);
  out_.append(1, ' ').append(reason.empty() ? reason_phrase(status) : reason).append("\r\n");
  return *this;
}

HeadWriter& HeadWriter::field(std::string_view name, std::string_view value) {
  if (!is_token(name) || !is_field_value(value)) {
    ok_ = false;
    return *this;
  }
  out_.append(name).append(": ").append(value).append("\r\n");
  return *this;
}

HeadWriter& HeadWriter::field(std::string_view name, std::uint64_t value) {
  if (!is_token(name)) {
    ok_ = false;
    return *this;
  }
  out_.append(name).append(": ");
  append_number(out_, value, 10);
  out_.append("\r\n");
  return *this;
}

HeadWriter& HeadWriter::raw_line(std::string_view line) {
  out_.append(line);
  return *this;
}

void HeadWriter::end() { out_.append("\r\n"); }

void append_chunk_size(std::string& out, std::size_t size) {
  append_number(out, size, 16);
  out.append("\r\n");
}

} // namespace strait::net::http1
