#pragma once

#include "base/result.hpp"
#include "kubernetes/document.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Reading what an agent answers. Lists are cut into their items first, so that one of a million
/// rows is read a row at a time.
namespace strait::cli::json {

using kubernetes::Node;

/// The value under that key in any case, or null.
const Node* find(const Node* node, std::string_view key);
/// By a path of keys, "Service.Address".
const Node* at(const Node& node, std::string_view path);
/// Of a scalar, as a person reads it; empty for null, absent, lists and maps.
std::string text(const Node* node);
std::string text_at(const Node& node, std::string_view path);
std::int64_t number_at(const Node& node, std::string_view path);
/// Items of a list; empty for anything else.
const Node::List& items(const Node* node);
/// The scalars of a list, parted by `separator`.
std::string joined(const Node* node, std::string_view separator = ",");

/// The elements of an array's text, each as text, in order, until `each` fails. Takes the text for
/// JSON; each element is still to be parsed, and that finds what is wrong inside it.
Status for_each_item(std::string_view array, const std::function<Status(std::string_view)>& each);
/// The members of an object's text: the key, unescaped, and the value's text.
Status for_each_member(std::string_view object,
                       const std::function<Status(const std::string&, std::string_view)>& each);
/// The text of one member's value.
std::optional<std::string_view> member(std::string_view object, std::string_view key);

/// {"a": "x"} from what is not empty.
class Object {
public:
  Object& text(std::string_view key, std::string value);
  Object& texts(std::string_view key, const std::vector<std::string>& values);
  Object& pairs(std::string_view key, const std::vector<std::string>& key_equals_value);
  std::string to_string() const { return kubernetes::write_json(node_, 0); }

private:
  Object& add(std::string_view key, Node value);
  Node node_{Node::Map{}, {}};
};

} // namespace strait::cli::json
