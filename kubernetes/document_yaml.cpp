#include "kubernetes/document.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <sstream>

namespace strait::kubernetes {

namespace {

/// Stops the parser from inside one of its events; never leaves this file.
struct Stop {
  Position at;
  Errc code;
  std::string text;
};

Position position(const YAML::Mark& mark) {
  if (mark.is_null())
    return {};
  return {static_cast<std::size_t>(mark.line) + 1, static_cast<std::size_t>(mark.column) + 1};
}

std::size_t weight(const Node& node) {
  std::size_t total = 64;
  if (auto* text = std::get_if<std::string>(&node.value))
    total += text->size();
  else if (auto* list = std::get_if<Node::List>(&node.value))
    for (auto& item : *list)
      total += weight(item);
  else if (auto* map = std::get_if<Node::Map>(&node.value))
    for (auto& member : *map)
      total += member.key.size() + weight(member.value);
  return total;
}

/// How many maps and lists deep a value goes: an alias may bring depth that its own place does not
/// show.
std::size_t depth_of(const Node& node) {
  std::size_t deepest = 0;
  if (auto* list = std::get_if<Node::List>(&node.value)) {
    for (auto& item : *list)
      deepest = std::max(deepest, depth_of(item));
    return deepest + 1;
  }
  if (auto* map = std::get_if<Node::Map>(&node.value)) {
    for (auto& member : *map)
      deepest = std::max(deepest, depth_of(member.value));
    return deepest + 1;
  }
  return 0;
}

/// Builds the tree from yaml-cpp's events, and counts while it does.
class TreeBuilder : public YAML::EventHandler {
public:
  Node take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    // Before a token that no document begins with, the parser finds an empty one again and again.
    if (begun_at_ == mark.pos)
      throw Stop{position(mark), Errc::invalid, "malformed YAML: no document begins like this"};
    begun_at_ = mark.pos;
    root_ = {};
    open_.clear();
    anchors_.clear();
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add({std::monostate{}, position(mark)}, anchor, "");
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    auto at = position(mark);
    auto it = anchors_.find(anchor);
    if (it == anchors_.end())
      throw Stop{at, Errc::invalid, "an alias stands inside its own anchor"};
    spend(it->second, at);
    if (open_.size() + depth_of(it->second) > max_depth)
      throw too_deep(at);
    auto copy = it->second;
    copy.at = at;
    auto* text = std::get_if<std::string>(&copy.value);
    add(copy, YAML::NullAnchor, text ? *text : std::string{});
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    auto at = position(mark);
    Node node;
    if (tag == "!" || tag == core_tag("str"))
      node.value = value;
    else if (tag == "?" || tag.empty())
      node = resolve_plain(value);
    else if (tag == core_tag("int") || tag == core_tag("float") || tag == core_tag("bool") ||
             tag == core_tag("null"))
      node = resolve_plain(value);
    else
      throw Stop{at, Errc::invalid, fmt::format("tag {} is not of the YAML core schema", tag)};
    node.at = at;
    add(std::move(node), anchor, value);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(Node{Node::List{}, position(mark)}, anchor);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(Node{Node::Map{}, position(mark)}, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

private:
  struct Open {
    Node node;
    YAML::anchor_t anchor;
    std::set<std::string> keys;
    bool has_key = false; ///< The last member waits for its value.
  };

  static std::string core_tag(std::string_view name) {
    return "tag:yaml.org,2002:" + std::string{name};
  }
  static Stop too_deep(Position at) {
    return {at, Errc::exhausted, fmt::format("nested deeper than {} levels", max_depth)};
  }

  bool expects_key() const {
    return !open_.empty() && std::holds_alternative<Node::Map>(open_.back().node.value) &&
           !open_.back().has_key;
  }

  void spend(const Node& node, Position at) {
    alias_bytes_ += weight(node);
    if (alias_bytes_ > max_alias_bytes)
      throw Stop{at, Errc::exhausted,
                 fmt::format("anchors and aliases expand to more than {} bytes", max_alias_bytes)};
  }

  void open(Node node, YAML::anchor_t anchor) {
    if (expects_key())
      throw Stop{node.at, Errc::invalid, "a key must be a scalar"};
    if (open_.size() == max_depth)
      throw too_deep(node.at);
    open_.push_back({std::move(node), anchor, {}, false});
  }

  void close() {
    auto done = std::move(open_.back());
    open_.pop_back();
    add(std::move(done.node), done.anchor, "");
  }

  /// `text` is how a scalar was written: what it is as a key.
  void add(Node node, YAML::anchor_t anchor, const std::string& text) {
    if (++nodes_ > max_nodes)
      throw Stop{node.at, Errc::exhausted, fmt::format("more than {} values", max_nodes)};
    if (anchor != YAML::NullAnchor) {
      spend(node, node.at);
      anchors_[anchor] = node;
    }
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    auto& parent = open_.back();
    if (auto* list = std::get_if<Node::List>(&parent.node.value)) {
      list->push_back(std::move(node));
      return;
    }
    auto& map = std::get<Node::Map>(parent.node.value);
    if (parent.has_key) {
      map.back().value = std::move(node);
      parent.has_key = false;
      return;
    }
    if (node.is_null() || node.value.index() >= 5)
      throw Stop{node.at, Errc::invalid, "a key must be a scalar"};
    if (text == "<<")
      throw Stop{node.at, Errc::invalid, "merge keys (<<) are not of YAML 1.2"};
    if (!parent.keys.insert(text).second)
      throw Stop{node.at, Errc::invalid, fmt::format("key \"{}\" stands twice in one map", text)};
    map.push_back({text, {}});
    parent.has_key = true;
  }

  Node root_;
  std::optional<int> begun_at_; ///< The newest document, in characters of the text.
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Node> anchors_;
  std::size_t nodes_ = 0;
  std::size_t alias_bytes_ = 0;
};

Error error_at(std::string_view source, Position at, Errc code, std::string_view text) {
  return {code, place(source, at) + std::string{text}};
}

} // namespace

ParsedText parse_yaml(std::string_view text, std::string_view source) {
  ParsedText parsed;
  if (text.size() > max_text_bytes) {
    parsed.errors.push_back(
        error_at(source, {}, Errc::exhausted,
                 fmt::format("{} bytes; at most {} are read", text.size(), max_text_bytes)));
    return parsed;
  }
  if (auto at = invalid_utf8_at(text); at != std::string_view::npos) {
    auto line = static_cast<std::size_t>(
        std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
    parsed.errors.push_back(error_at(source, {line + 1, 1}, Errc::invalid,
                                     fmt::format("not UTF-8 (byte {} of the text)", at)));
    return parsed;
  }
  try {
    std::istringstream stream{std::string{text}};
    YAML::Parser parser{stream};
    TreeBuilder builder;
    while (parser.HandleNextDocument(builder)) {
      auto document = builder.take();
      if (document.is_null())
        continue;
      if (parsed.documents.size() == max_documents)
        throw Stop{document.at, Errc::exhausted,
                   fmt::format("more than {} documents", max_documents)};
      parsed.documents.push_back(std::move(document));
    }
  } catch (const Stop& stop) {
    parsed.errors.push_back(error_at(source, stop.at, stop.code, stop.text));
  } catch (const YAML::Exception& error) {
    parsed.errors.push_back(
        error_at(source, position(error.mark), Errc::invalid, "malformed YAML: " + error.msg));
  }
  return parsed;
}

} // namespace strait::kubernetes
