#include "kubernetes/document.hpp"

#include <cmath>

namespace strait::kubernetes {

namespace {

/// A JSON string, which is also a double-quoted YAML one. Bytes that are not UTF-8 become U+FFFD:
/// fields that may hold such bytes are base64 in the API.
void quote(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    auto bad = invalid_utf8_at(text);
    for (char c : text.substr(0, bad)) {
      auto byte = static_cast<unsigned char>(c);
      if (c == '"' || c == '\\')
        (out += '\\') += c;
      else if (c == '\n')
        out += "\\n";
      else if (c == '\t')
        out += "\\t";
      else if (byte < 0x20 || byte == 0x7f)
        out += fmt::format("\\u{:04x}", byte);
      else
        out += c;
    }
    if (bad == std::string_view::npos)
      break;
    out += "\xef\xbf\xbd";
    text.remove_prefix(bad + 1);
  }
  out += '"';
}

std::string number(double value) {
  if (!std::isfinite(value))
    return std::isnan(value) ? ".nan" : value < 0 ? "-.inf" : ".inf";
  auto text = fmt::format("{}", value);
  return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

/// Only what no YAML reader, 1.1 or 1.2, takes for anything but this string.
bool is_safe_plain(std::string_view text) {
  auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (text.empty() || !(letter(text.front()) || text.front() == '/'))
    return false;
  for (char c : text)
    if (!letter(c) && !(c >= '0' && c <= '9') &&
        std::string_view{"-_./"}.find(c) == std::string_view::npos)
      return false;
  for (std::string_view word : {"y", "Y", "n", "N", "yes", "Yes", "YES", "no", "No", "NO", "on",
                                "On", "ON", "off", "Off", "OFF"})
    if (text == word)
      return false;
  return std::holds_alternative<std::string>(resolve_plain(text).value);
}

void yaml_text(std::string& out, std::string_view text) {
  if (is_safe_plain(text))
    out += text;
  else
    quote(out, text);
}

void yaml_value(std::string& out, const Node& node, std::size_t indent, bool in_list);

void yaml_members(std::string& out, const Node::Map& map, std::size_t indent, bool first_inline) {
  for (auto& member : map) {
    if (!first_inline)
      out.append(indent, ' ');
    first_inline = false;
    yaml_text(out, member.key);
    out += ':';
    yaml_value(out, member.value, indent, false);
  }
}

/// Writes what follows "key:" or "-", the line's end included.
void yaml_value(std::string& out, const Node& node, std::size_t indent, bool in_list) {
  if (auto* map = std::get_if<Node::Map>(&node.value); map && !map->empty()) {
    out += in_list ? ' ' : '\n';
    yaml_members(out, *map, indent + 2, in_list);
    return;
  }
  if (auto* list = std::get_if<Node::List>(&node.value); list && !list->empty()) {
    // Items stand at their key's own column, as kubectl prints them.
    if (in_list)
      indent += 2;
    bool first = in_list;
    out += in_list ? ' ' : '\n';
    for (auto& item : *list) {
      if (!first)
        out.append(indent, ' ');
      first = false;
      out += '-';
      yaml_value(out, item, indent, true);
    }
    return;
  }
  out += ' ';
  if (node.is_null())
    out += "null";
  else if (auto* flag = std::get_if<bool>(&node.value))
    out += *flag ? "true" : "false";
  else if (auto* integer = std::get_if<std::int64_t>(&node.value))
    out += std::to_string(*integer);
  else if (auto* real = std::get_if<double>(&node.value))
    out += number(*real);
  else if (auto* text = std::get_if<std::string>(&node.value))
    yaml_text(out, *text);
  else
    out += std::holds_alternative<Node::List>(node.value) ? "[]" : "{}";
  out += '\n';
}

struct JsonWriter {
  std::string out;
  std::size_t indent;

  void line(std::size_t depth) {
    if (indent != 0) {
      out += '\n';
      out.append(depth * indent, ' ');
    }
  }

  template <class Items, class Write>
  void items(const Items& all, char open, char close, std::size_t depth, Write write) {
    out += open;
    bool first = true;
    for (auto& item : all) {
      if (!first)
        out += ',';
      first = false;
      line(depth + 1);
      write(item);
    }
    if (!first)
      line(depth);
    out += close;
  }

  void value(const Node& node, std::size_t depth) {
    if (auto* map = std::get_if<Node::Map>(&node.value))
      items(*map, '{', '}', depth, [&](auto& member) {
        quote(out, member.key);
        out += indent != 0 ? ": " : ":";
        value(member.value, depth + 1);
      });
    else if (auto* list = std::get_if<Node::List>(&node.value))
      items(*list, '[', ']', depth, [&](auto& item) { value(item, depth + 1); });
    else if (auto* text = std::get_if<std::string>(&node.value))
      quote(out, *text);
    else if (auto* flag = std::get_if<bool>(&node.value))
      out += *flag ? "true" : "false";
    else if (auto* integer = std::get_if<std::int64_t>(&node.value))
      out += std::to_string(*integer);
    else if (auto* real = std::get_if<double>(&node.value); real && std::isfinite(*real))
      out += number(*real);
    else
      out += "null";
  }
};

} // namespace

std::string write_yaml(const Node& node) {
  std::string out;
  if (auto* map = std::get_if<Node::Map>(&node.value); map && !map->empty()) {
    yaml_members(out, *map, 0, false);
    return out;
  }
  yaml_value(out, node, 0, false);
  return out.substr(1); // Without the blank or line's end that would follow a key.
}

std::string write_json(const Node& node, std::size_t indent) {
  JsonWriter writer{{}, indent};
  writer.value(node, 0);
  return std::move(writer.out);
}

} // namespace strait::kubernetes
