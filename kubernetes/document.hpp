#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// Kubernetes-style documents as text: YAML and JSON in and out of one tree that remembers where
/// each value stood, so that an error can name line and column.
namespace strait::kubernetes {

/// What one text may hold. Reaching one of these is an error (Errc::exhausted), never a truncation.
inline constexpr std::size_t max_text_bytes = 16u << 20;
inline constexpr std::size_t max_documents = 20'000;
inline constexpr std::size_t max_depth = 64;        ///< Of lists and maps in one another.
inline constexpr std::size_t max_nodes = 1'000'000; ///< Of all documents in the text together.
/// What anchors and aliases may add to one text; a node counts 64 bytes beside its text.
inline constexpr std::size_t max_alias_bytes = 4u << 20;

/// Counted from one; {0, 0} is unknown.
struct Position {
  std::size_t line = 0, column = 0;
};

struct Member;

/// One value of a document. Maps keep their order; their keys are unique. Equality is that of the
/// values: positions do not count.
struct Node {
  using List = std::vector<Node>;
  using Map = std::vector<Member>;
  std::variant<std::monostate, bool, std::int64_t, double, std::string, List, Map> value;
  Position at;

  bool is_null() const { return value.index() == 0; }
  /// The value of that key, or null when this is no map or has no such key.
  const Node* find(std::string_view key) const;
};

struct Member {
  std::string key;
  Node value;
};

/// "an integer", "a string", …: for error texts.
std::string_view type_name(const Node& node);

/// The value that a plain (unquoted) scalar stands for in the YAML 1.2 core schema: `yes` and `on`
/// are strings, `0x1f` and `0o17` are integers. An integer beyond 64 bits becomes a float.
Node resolve_plain(std::string_view text);

struct ParsedText {
  std::vector<Node> documents; ///< Those that stood before the first error.
  std::vector<Error> errors;   ///< At most one: a parser cannot go on behind it.
};

/// All documents of a YAML text; empty ones are left out. Errors begin "source:line:column: ".
ParsedText parse_yaml(std::string_view text, std::string_view source);

/// One JSON value, and nothing behind it.
Result<Node> parse_json(std::string_view text, std::string_view source);

/// Block style, two spaces, as kubectl prints it. Ends with a newline.
std::string write_yaml(const Node& node);
/// With an indent of that many spaces, or on one line for 0.
std::string write_json(const Node& node, std::size_t indent = 2);

/// "source:line:column: ", without what is not known.
std::string place(std::string_view source, Position at);

/// Where the text stops being UTF-8, or npos. Both parsers refuse other encodings.
std::size_t invalid_utf8_at(std::string_view text);

} // namespace strait::kubernetes
