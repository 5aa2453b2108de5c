#pragma once

#include "base/result.hpp"
#include "catalog/model/object.hpp"
#include "kubernetes/document.hpp"

#include <memory>

/// What the API server says in lists and watches (Kubernetes API concepts: "Efficient detection of
/// changes"). Pure.
namespace strait::kubernetes {

/// One object as the server has it; shared, for it passes threads.
struct Item {
  model::Name name;
  std::string uid, resource_version;
  std::shared_ptr<const Node> object; ///< Whole, with apiVersion and kind.
};

struct ListPage {
  std::string resource_version;
  std::string continue_token; ///< Empty: the last page.
  std::vector<Item> items;
};
/// Items of a list have neither apiVersion nor kind of their own: they get the ones given, unless
/// they have. corrupt: not such a list.
Result<ListPage> parse_list(std::string_view text, std::string_view api_version,
                            std::string_view kind);

enum class EventType : std::uint8_t { added, modified, deleted, bookmark, error };
struct WatchEvent {
  EventType type{};
  Item item;           ///< Of bookmarks only its resource_version.
  int code = 0;        ///< Of an error: as an HTTP status; 410: that resource version is gone.
  std::string message; ///< Of an error.
};
/// One line of a watch. corrupt: not such an event.
Result<WatchEvent> parse_event(std::string_view line);

/// The text at metadata.KEY or the like, or empty.
std::string text_at(const Node& node, std::initializer_list<std::string_view> path);
const Node* node_at(const Node& node, std::initializer_list<std::string_view> path);

} // namespace strait::kubernetes
