#include "cmd/cli/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace strait::cli::json {

namespace {

bool same_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

bool blank(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

/// Walks over JSON text, value by value, without judging what is inside one.
class Cutter {
public:
  explicit Cutter(std::string_view text) : text_{text} {}

  char next() {
    while (at_ < text_.size() && blank(text_[at_]))
      ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool take(char c) { return next() == c && ++at_; }
  /// One value, to the comma or bracket behind it. Empty when there is none.
  std::string_view value() {
    next();
    auto begin = at_;
    int depth = 0;
    for (; at_ < text_.size(); ++at_) {
      char c = text_[at_];
      if (c == '"') {
        if (!skip_string())
          break;
        continue;
      }
      if (depth == 0 && (c == ',' || c == ']' || c == '}' || c == ':'))
        break;
      depth += c == '[' || c == '{' ? 1 : c == ']' || c == '}' ? -1 : 0;
    }
    auto end = at_;
    while (end > begin && blank(text_[end - 1]))
      --end;
    return text_.substr(begin, end - begin);
  }
  std::size_t at() const { return at_; }

private:
  bool skip_string() { // Ends on the closing quote.
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_)
      if (text_[at_] == '\\')
        ++at_;
    return at_ < text_.size();
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

Status malformed(std::string_view what, std::size_t at) {
  return fail(Errc::corrupt, "the answer is not the JSON {} that was expected (at byte {})", what,
              at);
}

const Node::List no_items;

} // namespace

const Node* find(const Node* node, std::string_view key) {
  const auto* map = node ? std::get_if<Node::Map>(&node->value) : nullptr;
  if (!map)
    return nullptr;
  for (const auto& member : *map)
    if (same_ignoring_case(member.key, key))
      return &member.value;
  return nullptr;
}

const Node* at(const Node& node, std::string_view path) {
  const auto* out = &node;
  while (out && !path.empty()) {
    auto dot = std::min(path.find('.'), path.size());
    out = find(out, path.substr(0, dot));
    path.remove_prefix(std::min(dot + 1, path.size()));
  }
  return out;
}

std::string text(const Node* node) {
  if (!node)
    return "";
  if (const auto* boolean = std::get_if<bool>(&node->value))
    return *boolean ? "true" : "false";
  if (const auto* integer = std::get_if<std::int64_t>(&node->value))
    return std::to_string(*integer);
  if (const auto* real = std::get_if<double>(&node->value))
    return fmt::format("{}", *real);
  const auto* string = std::get_if<std::string>(&node->value);
  return string ? *string : "";
}

std::string text_at(const Node& node, std::string_view path) { return text(at(node, path)); }

std::int64_t number_at(const Node& node, std::string_view path) {
  const auto* found = at(node, path);
  const auto* integer = found ? std::get_if<std::int64_t>(&found->value) : nullptr;
  return integer ? *integer : 0;
}

const Node::List& items(const Node* node) {
  const auto* list = node ? std::get_if<Node::List>(&node->value) : nullptr;
  return list ? *list : no_items;
}

std::string joined(const Node* node, std::string_view separator) {
  std::string out;
  for (const auto& item : items(node))
    out += (out.empty() ? "" : std::string{separator}) + text(&item);
  return out;
}

Status for_each_item(std::string_view array, const std::function<Status(std::string_view)>& each) {
  Cutter cutter{array};
  if (!cutter.take('['))
    return cutter.next() == 'n' ? Status{} : malformed("list", cutter.at()); // null is no items.
  if (cutter.take(']'))
    return {};
  while (true) {
    auto item = cutter.value();
    if (item.empty())
      return malformed("list", cutter.at());
    if (auto done = each(item); !done)
      return done;
    if (cutter.take(']'))
      return {};
    if (!cutter.take(','))
      return malformed("list", cutter.at());
  }
}

Status for_each_member(std::string_view object,
                       const std::function<Status(const std::string&, std::string_view)>& each) {
  Cutter cutter{object};
  if (!cutter.take('{'))
    return cutter.next() == 'n' ? Status{} : malformed("object", cutter.at());
  if (cutter.take('}'))
    return {};
  while (true) {
    auto key = kubernetes::parse_json(cutter.value(), "the answer");
    const auto* name = key ? std::get_if<std::string>(&key->value) : nullptr;
    if (!name || !cutter.take(':'))
      return malformed("object", cutter.at());
    auto value = cutter.value();
    if (value.empty())
      return malformed("object", cutter.at());
    if (auto done = each(*name, value); !done)
      return done;
    if (cutter.take('}'))
      return {};
    if (!cutter.take(','))
      return malformed("object", cutter.at());
  }
}

std::optional<std::string_view> member(std::string_view object, std::string_view key) {
  std::optional<std::string_view> out;
  // What is wrong behind the member that was found is found when it is read.
  (void)for_each_member(object, [&](const std::string& name, std::string_view value) -> Status {
    if (!out && same_ignoring_case(name, key))
      out = value;
    return {};
  });
  return out;
}

Object& Object::add(std::string_view key, Node value) {
  std::get<Node::Map>(node_.value).push_back({std::string{key}, std::move(value)});
  return *this;
}

Object& Object::text(std::string_view key, std::string value) {
  return value.empty() ? *this : add(key, Node{std::move(value), {}});
}

Object& Object::texts(std::string_view key, const std::vector<std::string>& values) {
  Node::List list;
  for (const auto& value : values)
    list.push_back(Node{value, {}});
  return list.empty() ? *this : add(key, Node{std::move(list), {}});
}

Object& Object::pairs(std::string_view key, const std::vector<std::string>& key_equals_value) {
  Node::Map map;
  for (const auto& pair : key_equals_value) {
    auto equals = std::min(pair.find('='), pair.size());
    map.push_back(
        {pair.substr(0, equals), Node{pair.substr(std::min(equals + 1, pair.size())), {}}});
  }
  return map.empty() ? *this : add(key, Node{std::move(map), {}});
}

} // namespace strait::cli::json
