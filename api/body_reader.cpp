#include "api/body_reader.hpp"

#include "api/duration.hpp"

namespace strait::api {

namespace {

using kubernetes::Node;

std::string fold(std::string_view key) {
  std::string out;
  for (char c : key)
    if (c != '_')
      out += c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  return out;
}

/// How Consul's decoder calls it in its errors.
std::string_view json_type(const Node& node) {
  constexpr std::string_view names[] = {"null",   "bool",  "number", "number",
                                        "string", "array", "object"};
  return names[node.value.index()];
}

bool is_empty(const Node& node) {
  if (node.is_null())
    return true;
  if (auto* flag = std::get_if<bool>(&node.value))
    return !*flag;
  if (auto* number = std::get_if<std::int64_t>(&node.value))
    return *number == 0;
  if (auto* text = std::get_if<std::string>(&node.value))
    return text->empty();
  if (auto* list = std::get_if<Node::List>(&node.value))
    return list->empty();
  if (auto* map = std::get_if<Node::Map>(&node.value)) {
    for (auto& member : *map)
      if (!is_empty(member.value))
        return false;
    return true;
  }
  return false;
}

} // namespace

Status BodyReader::read(std::string_view body, const std::function<void(BodyReader&)>& read,
                        std::string_view prefix) {
  if (body.find_first_not_of(" \t\r\n") == std::string_view::npos)
    return strait::fail(Errc::invalid, "{}EOF", prefix);
  auto node = kubernetes::parse_json(body, "");
  if (!node)
    return strait::fail(node.error().code, "{}{}", prefix, node.error().detail);
  if (!std::holds_alternative<Node::Map>(node->value))
    return strait::fail(Errc::invalid, "{}json: cannot unmarshal {} into an object", prefix,
                        json_type(*node));
  Shared shared{prefix, {}};
  BodyReader reader{*node, "", shared};
  read(reader);
  reader.finish();
  if (!shared.error.empty())
    return strait::fail(Errc::invalid, "{}", shared.error);
  return {};
}

const Node* BodyReader::find(std::string_view key) const {
  auto wanted = fold(key);
  for (auto& member : std::get<Node::Map>(node_.value))
    if (fold(member.key) == wanted && !member.value.is_null())
      return &member.value;
  return nullptr;
}

const Node* BodyReader::take(std::string_view key) {
  asked_.insert(fold(key));
  return failed() ? nullptr : find(key);
}

std::string BodyReader::at(std::string_view key) const {
  return path_.empty() ? std::string{key} : path_ + "." + std::string{key};
}

void BodyReader::fail(std::string text) {
  if (!failed())
    shared_.error = std::move(text);
}

void BodyReader::mismatch(const Node& value, std::string_view key, std::string_view type) {
  reject(fmt::format("json: cannot unmarshal {} into field {} of type {}", json_type(value),
                     at(key), type));
}

void BodyReader::finish() {
  std::set<std::string> seen;
  for (auto& member : std::get<Node::Map>(node_.value)) {
    if (!asked_.contains(fold(member.key)))
      return reject(path_.empty()
                        ? fmt::format("json: unknown field \"{}\"", member.key)
                        : fmt::format("json: unknown field \"{}\" in {}", member.key, path_));
    if (!seen.insert(fold(member.key)).second)
      return reject(fmt::format("json: field \"{}\" stands twice", at(member.key)));
  }
}

void BodyReader::text(std::string_view key, std::string& out) {
  auto* value = take(key);
  if (!value)
    return;
  if (auto* text = std::get_if<std::string>(&value->value))
    out = *text;
  else
    mismatch(*value, key, "string");
}

void BodyReader::flag(std::string_view key, bool& out) {
  auto* value = take(key);
  if (!value)
    return;
  if (auto* flag = std::get_if<bool>(&value->value))
    out = *flag;
  else
    mismatch(*value, key, "bool");
}

void BodyReader::number(std::string_view key, std::int64_t min, std::int64_t max,
                        std::int64_t& out) {
  auto* value = take(key);
  if (!value)
    return;
  auto* number = std::get_if<std::int64_t>(&value->value);
  if (!number)
    return mismatch(*value, key, "int");
  if (*number < min || *number > max)
    return reject(fmt::format("{}: is {}, must be {}..{}", at(key), *number, min, max));
  out = *number;
}

void BodyReader::duration(std::string_view key, Millis& out) {
  auto* value = take(key);
  if (!value)
    return;
  if (auto* nanos = std::get_if<std::int64_t>(&value->value)) {
    constexpr std::int64_t nanos_in_milli = 1'000'000;
    out = Millis{*nanos / nanos_in_milli};
    if (out.count() == 0 && *nanos > 0)
      out = Millis{1};
  } else if (auto* text = std::get_if<std::string>(&value->value)) {
    if (text->empty())
      return;
    auto parsed = parse_duration(*text);
    if (!parsed)
      return reject(fmt::format("time: invalid duration \"{}\" in {}", *text, at(key)));
    out = *parsed;
  } else {
    return mismatch(*value, key, "duration");
  }
  if (out.count() < 0)
    reject(fmt::format("{}: is {}, must not be negative", at(key), to_go_text(out)));
}

void BodyReader::texts(std::string_view key, std::vector<std::string>& out) {
  auto* value = take(key);
  if (!value)
    return;
  auto* list = std::get_if<Node::List>(&value->value);
  if (!list)
    return mismatch(*value, key, "[]string");
  out.clear();
  for (auto& item : *list) {
    auto* text = std::get_if<std::string>(&item.value);
    if (!text)
      return mismatch(item, key, "string");
    out.push_back(*text);
  }
}

void BodyReader::map(std::string_view key, std::map<std::string, std::string>& out) {
  auto* value = take(key);
  if (!value)
    return;
  auto* map = std::get_if<Node::Map>(&value->value);
  if (!map)
    return mismatch(*value, key, "map[string]string");
  out.clear();
  for (auto& member : *map) {
    auto* text = std::get_if<std::string>(&member.value.value);
    if (!text)
      return mismatch(member.value, at(key) + "." + member.key, "string");
    out[member.key] = *text;
  }
}

void BodyReader::object(std::string_view key, const std::function<void(BodyReader&)>& read) {
  auto* value = take(key);
  if (!value)
    return;
  if (!std::holds_alternative<Node::Map>(value->value))
    return mismatch(*value, key, "object");
  BodyReader inner{*value, at(key), shared_};
  read(inner);
  inner.finish();
}

void BodyReader::list(std::string_view key, const std::function<void(BodyReader&)>& read) {
  auto* value = take(key);
  if (!value)
    return;
  auto* list = std::get_if<Node::List>(&value->value);
  if (!list)
    return mismatch(*value, key, "array");
  for (std::size_t i = 0; i < list->size(); ++i) {
    auto& item = (*list)[i];
    if (!std::holds_alternative<Node::Map>(item.value))
      return mismatch(item, fmt::format("{}[{}]", key, i), "object");
    BodyReader inner{item, fmt::format("{}[{}]", at(key), i), shared_};
    read(inner);
    inner.finish();
  }
}

void BodyReader::members(std::string_view key,
                         const std::function<void(const std::string&, BodyReader&)>& read) {
  auto* value = take(key);
  if (!value)
    return;
  auto* map = std::get_if<Node::Map>(&value->value);
  if (!map)
    return mismatch(*value, key, "object");
  for (auto& member : *map) {
    if (!std::holds_alternative<Node::Map>(member.value.value))
      return mismatch(member.value, fmt::format("{}.{}", key, member.key), "object");
    BodyReader inner{member.value, at(key) + "." + member.key, shared_};
    read(member.key, inner);
    inner.finish();
  }
}

void BodyReader::text_lists(std::string_view key,
                            std::map<std::string, std::vector<std::string>>& out) {
  auto* value = take(key);
  if (!value)
    return;
  auto* map = std::get_if<Node::Map>(&value->value);
  if (!map)
    return mismatch(*value, key, "map[string][]string");
  BodyReader inner{*value, at(key), shared_};
  for (auto& member : *map)
    inner.texts(member.key, out[member.key]);
}

void BodyReader::skip(std::initializer_list<std::string_view> keys) {
  for (auto key : keys)
    take(key);
}

void BodyReader::refuse(std::initializer_list<std::string_view> keys) {
  for (auto key : keys)
    if (auto* value = take(key); value && !is_empty(*value))
      reject(fmt::format("{}: not implemented; leave it out", at(key)));
}

} // namespace strait::api
