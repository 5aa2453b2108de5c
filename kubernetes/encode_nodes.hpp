#pragma once

#include "catalog/model/object.hpp"
#include "kubernetes/document.hpp"
#include "kubernetes/duration.hpp"

/// Small words for building the tree of a document, for the encoders.
namespace strait::kubernetes {

class MapWriter {
public:
  void put(std::string_view key, Node value) {
    members_.push_back({std::string{key}, std::move(value)});
  }
  void put(std::string_view key, std::string_view text) { put(key, Node{std::string{text}, {}}); }
  void put(std::string_view key, const char* text) { put(key, std::string_view{text}); }
  void put(std::string_view key, const std::string& text) { put(key, std::string_view{text}); }
  void put(std::string_view key, bool flag) { put(key, Node{flag, {}}); }
  void put(std::string_view key, std::int64_t number) { put(key, Node{number, {}}); }

  void put_unless_empty(std::string_view key, const std::string& text) {
    if (!text.empty())
      put(key, text);
  }
  void put_unless_empty(std::string_view key, const model::StringMap& map) {
    if (map.empty())
      return;
    MapWriter inner;
    for (auto& [name, value] : map)
      inner.put(name, value);
    put(key, inner.take());
  }
  void put_duration(std::string_view key, const std::optional<Millis>& duration) {
    if (duration)
      put(key, duration_text(*duration));
  }
  template <class Integer>
  void put_if(std::string_view key, const std::optional<Integer>& number) {
    if (number)
      put(key, std::int64_t{*number});
  }
  /// A list or map without anything in it is left out.
  void put_unless_empty(std::string_view key, Node value) {
    auto* list = std::get_if<Node::List>(&value.value);
    auto* map = std::get_if<Node::Map>(&value.value);
    if (!(list && list->empty()) && !(map && map->empty()))
      put(key, std::move(value));
  }

  Node take() { return {std::move(members_), {}}; }

private:
  Node::Map members_;
};

template <class T, class Write>
Node list_of(const std::vector<T>& all, Write write) {
  Node::List list;
  list.reserve(all.size());
  for (auto& item : all)
    list.push_back(write(item));
  return {std::move(list), {}};
}
inline Node list_of(const std::vector<std::string>& all) {
  return list_of(all, [](auto& text) { return Node{text, {}}; });
}

} // namespace strait::kubernetes
