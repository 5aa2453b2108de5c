#include "api/json_writer.hpp"

#include <array>

namespace strait::api {

namespace {

/// Bytes of the UTF-8 sequence at the beginning (RFC 3629); 0: there is none.
std::size_t sequence_length(std::string_view text) {
  auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  auto first = at(0);
  if (first < 0x80)
    return 1;
  std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length)
    return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((at(i) & 0xc0U) != 0x80)
      return 0;
  bool overlong = (first == 0xe0 && at(1) < 0xa0) || (first == 0xf0 && at(1) < 0x90);
  bool beyond = (first == 0xed && at(1) > 0x9f) || (first == 0xf4 && at(1) > 0x8f);
  return overlong || beyond ? 0 : length;
}

void quote(std::string& out, std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  out += '"';
  while (!text.empty()) {
    auto c = static_cast<unsigned char>(text.front());
    auto length = sequence_length(text);
    if (c == '"' || c == '\\')
      (out += '\\') += static_cast<char>(c);
    else if (c == '\n')
      out += "\\n";
    else if (c == '\r')
      out += "\\r";
    else if (c == '\t')
      out += "\\t";
    else if (c < 0x20)
      ((out += "\\u00") += digits[c >> 4U]) += digits[c & 15U];
    else if (length == 0)
      out += "\\ufffd";
    else
      out += text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  out += '"';
}

} // namespace

void JsonWriter::separate() {
  if (!first_)
    out_ += ',';
  first_ = false;
}

JsonWriter& JsonWriter::open(char bracket) {
  separate();
  out_ += bracket;
  first_ = true;
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  out_ += bracket;
  first_ = false;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  quote(out_, name);
  out_ += ':';
  first_ = true;
  return *this;
}

JsonWriter& JsonWriter::text(std::string_view value) {
  separate();
  quote(out_, value);
  return *this;
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

JsonWriter& JsonWriter::text_unless_empty(std::string_view name, std::string_view value) {
  return value.empty() ? *this : text(name, value);
}

JsonWriter& JsonWriter::texts(std::string_view name, const std::vector<std::string>& values) {
  key(name).begin_array();
  for (auto& value : values)
    text(value);
  return end_array();
}

JsonWriter& JsonWriter::texts_or_null(std::string_view name,
                                      const std::vector<std::string>& values) {
  return values.empty() ? null(name) : texts(name, values);
}

JsonWriter& JsonWriter::map(std::string_view name,
                            const std::map<std::string, std::string>& values) {
  key(name).begin_object();
  for (auto& [k, v] : values)
    text(k, v);
  return end_object();
}

JsonWriter& JsonWriter::map_or_null(std::string_view name,
                                    const std::map<std::string, std::string>& values) {
  return values.empty() ? null(name) : map(name, values);
}

JsonWriter& JsonWriter::time_or_null(std::string_view name, WallTime value) {
  return value == WallTime{} ? null(name) : text(name, to_rfc3339(value));
}

std::string pretty_json(std::string_view compact) {
  std::string out;
  std::size_t depth = 0;
  auto line = [&] {
    out += '\n';
    out.append(depth * 4, ' ');
  };
  for (std::size_t i = 0; i < compact.size(); ++i) {
    char c = compact[i];
    if (c == '"') {
      auto start = i;
      for (++i; i < compact.size() && compact[i] != '"'; ++i)
        i += compact[i] == '\\';
      out += compact.substr(start, i + 1 - start);
    } else if (c == '{' || c == '[') {
      out += c;
      if (i + 1 < compact.size() && (compact[i + 1] == '}' || compact[i + 1] == ']')) {
        out += compact[++i];
        continue;
      }
      ++depth;
      line();
    } else if (c == '}' || c == ']') {
      --depth;
      line();
      out += c;
    } else if (c == ',') {
      out += c;
      line();
    } else if (c == ':') {
      out += ": ";
    } else {
      out += c;
    }
  }
  return out + '\n';
}

} // namespace strait::api
