#include "kubernetes/watch.hpp"

namespace strait::kubernetes {

namespace {

Result<Item> item_of(Node object, std::string_view where) {
  Item out;
  out.name = {text_at(object, {"metadata", "namespace"}), text_at(object, {"metadata", "name"})};
  out.uid = text_at(object, {"metadata", "uid"});
  out.resource_version = text_at(object, {"metadata", "resourceVersion"});
  if (out.name.name.empty() || out.resource_version.empty())
    return fail(Errc::corrupt, "{}: an object without metadata.name or resourceVersion", where);
  out.object = std::make_shared<const Node>(std::move(object));
  return out;
}

} // namespace

const Node* node_at(const Node& node, std::initializer_list<std::string_view> path) {
  auto* at = &node;
  for (auto key : path)
    if (at = at->find(key); !at)
      return nullptr;
  return at;
}

std::string text_at(const Node& node, std::initializer_list<std::string_view> path) {
  auto* found = node_at(node, path);
  auto* text = found ? std::get_if<std::string>(&found->value) : nullptr;
  return text ? *text : std::string{};
}

Result<ListPage> parse_list(std::string_view text, std::string_view api_version,
                            std::string_view kind) {
  auto tree = parse_json(text, "list");
  if (!tree)
    return fail(tree.error());
  ListPage out;
  out.resource_version = text_at(*tree, {"metadata", "resourceVersion"});
  out.continue_token = text_at(*tree, {"metadata", "continue"});
  if (out.resource_version.empty())
    return fail(Errc::corrupt, "list: expected metadata.resourceVersion");
  auto* members = std::get_if<Node::Map>(&tree->value);
  for (auto& member : *members) {
    if (member.key != "items" || member.value.is_null())
      continue;
    auto* items = std::get_if<Node::List>(&member.value.value);
    if (!items)
      return fail(Errc::corrupt, "list: items: expected a list");
    for (auto& object : *items) {
      auto* map = std::get_if<Node::Map>(&object.value);
      if (!map)
        return fail(Errc::corrupt, "list: items: expected objects");
      if (!object.find("kind"))
        map->insert(map->begin(), {"kind", Node{std::string{kind}, {}}});
      if (!object.find("apiVersion"))
        map->insert(map->begin(), {"apiVersion", Node{std::string{api_version}, {}}});
      auto item = item_of(std::move(object), "list");
      if (!item)
        return fail(item.error());
      out.items.push_back(std::move(*item));
    }
  }
  return out;
}

Result<WatchEvent> parse_event(std::string_view line) {
  auto tree = parse_json(line, "watch");
  if (!tree)
    return fail(tree.error());
  WatchEvent out;
  auto type = text_at(*tree, {"type"});
  if (type == "ADDED")
    out.type = EventType::added;
  else if (type == "MODIFIED")
    out.type = EventType::modified;
  else if (type == "DELETED")
    out.type = EventType::deleted;
  else if (type == "BOOKMARK")
    out.type = EventType::bookmark;
  else if (type == "ERROR")
    out.type = EventType::error;
  else
    return fail(Errc::corrupt, "watch: \"{}\" is no type of event", type.substr(0, 40));
  Node object;
  if (auto* members = std::get_if<Node::Map>(&tree->value))
    for (auto& member : *members)
      if (member.key == "object")
        object = std::move(member.value);
  if (out.type == EventType::error) {
    out.message = text_at(object, {"message"});
    if (auto* code = node_at(object, {"code"}))
      if (auto* number = std::get_if<std::int64_t>(&code->value))
        out.code = static_cast<int>(*number);
    return out;
  }
  if (out.type == EventType::bookmark) {
    out.item.resource_version = text_at(object, {"metadata", "resourceVersion"});
    if (out.item.resource_version.empty())
      return fail(Errc::corrupt, "watch: a bookmark without resourceVersion");
    return out;
  }
  auto item = item_of(std::move(object), "watch");
  if (!item)
    return fail(item.error());
  out.item = std::move(*item);
  return out;
}

} // namespace strait::kubernetes
