#include "kubernetes/document.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>
#include <set>

namespace strait::kubernetes {

namespace {

/// Lets the SAX handler see how far nlohmann's lexer has read.
struct CountingIterator {
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  const char* at;
  const char** furthest;

  reference operator*() const { return *at; }
  CountingIterator& operator++() {
    ++at;
    *furthest = at;
    return *this;
  }
  CountingIterator operator++(int) {
    auto before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const CountingIterator& a, const CountingIterator& b) {
    return a.at == b.at;
  }
};

class TreeBuilder {
public:
  explicit TreeBuilder(std::string_view text) : text_{text} {}
  const char** furthest() { return &read_; }
  Node take() { return std::move(root_); }
  Error error(std::string_view source) const {
    return {code_, place(source, position(error_at_)) + error_};
  }

  bool null() { return add({}, literal(4)); }
  bool boolean(bool value) { return add({value, {}}, literal(value ? 4 : 5)); }
  bool number_integer(std::int64_t value) { return add({value, {}}, number()); }
  bool number_unsigned(std::uint64_t value) {
    if (value > static_cast<std::uint64_t>(INT64_MAX))
      return add({static_cast<double>(value), {}}, number());
    return add({static_cast<std::int64_t>(value), {}}, number());
  }
  bool number_float(double value, const std::string&) { return add({value, {}}, number()); }
  bool string(std::string& value) { return add({std::move(value), {}}, quoted()); }
  bool binary(nlohmann::json::binary_t&) { return false; }
  bool start_object(std::size_t) { return open({Node::Map{}, {}}); }
  bool start_array(std::size_t) { return open({Node::List{}, {}}); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  bool key(std::string& name) {
    auto& parent = open_.back();
    if (!parent.keys.insert(name).second)
      return stop(quoted(), Errc::invalid,
                  fmt::format("key \"{}\" stands twice in one object", name));
    std::get<Node::Map>(parent.node.value).push_back({name, {}});
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception& error) {
    // "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error …"
    std::string_view what = error.what();
    if (auto colon = what.find(": "); colon != std::string_view::npos)
      what.remove_prefix(colon + 2);
    return stop(offset() == 0 ? 0 : offset() - 1, Errc::invalid,
                "malformed JSON: " + std::string{what});
  }

private:
  struct Open {
    Node node;
    std::set<std::string> keys;
  };

  std::size_t offset() const { return read_ ? static_cast<std::size_t>(read_ - text_.data()) : 0; }
  /// Where the token that was just read began.
  std::size_t literal(std::size_t length) const { return offset() - length; }
  std::size_t number() const {
    auto part = [](char c) {
      return (c >= '0' && c <= '9') || std::string_view{"+-.eE"}.find(c) != std::string_view::npos;
    };
    auto at = offset();
    // The lexer has read one byte past the number, unless the text ended with it.
    if (at > 0 && !part(text_[at - 1]))
      --at;
    while (at > 0 && part(text_[at - 1]))
      --at;
    return at;
  }
  std::size_t quoted() const {
    auto at = offset() - 1; // On the closing quote; inner ones have a backslash before them.
    while (at > 0) {
      --at;
      if (text_[at] != '"')
        continue;
      std::size_t slashes = 0;
      while (slashes < at && text_[at - 1 - slashes] == '\\')
        ++slashes;
      if (slashes % 2 == 0)
        break;
    }
    return at;
  }
  /// Line and column of an offset. Offsets come in order, so the walk goes on where it was.
  Position position(std::size_t target) const {
    auto before = text_.substr(0, std::min(target, text_.size()));
    auto line = static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
    auto start = before.rfind('\n');
    return {line + 1, before.size() - (start == std::string_view::npos ? 0 : start + 1) + 1};
  }
  Position advance(std::size_t target) {
    if (target < walked_)
      return position(target);
    for (; walked_ < target; ++walked_) {
      if (text_[walked_] == '\n')
        here_ = {here_.line + 1, 1};
      else
        ++here_.column;
    }
    return here_;
  }

  bool stop(std::size_t at, Errc code, std::string text) {
    error_at_ = at;
    code_ = code;
    error_ = std::move(text);
    return false;
  }

  bool add(Node node, std::size_t at) {
    node.at = advance(at);
    return place_node(std::move(node), at);
  }
  bool place_node(Node node, std::size_t at) {
    if (++nodes_ > max_nodes)
      return stop(at, Errc::exhausted, fmt::format("more than {} values", max_nodes));
    if (open_.empty())
      root_ = std::move(node);
    else if (auto* list = std::get_if<Node::List>(&open_.back().node.value))
      list->push_back(std::move(node));
    else
      std::get<Node::Map>(open_.back().node.value).back().value = std::move(node);
    return true;
  }
  bool open(Node node) {
    auto at = offset() - 1;
    if (open_.size() == max_depth)
      return stop(at, Errc::exhausted, fmt::format("nested deeper than {} levels", max_depth));
    node.at = advance(at);
    open_.push_back({std::move(node), {}});
    return true;
  }
  bool close() {
    auto done = std::move(open_.back().node);
    open_.pop_back();
    return place_node(std::move(done), offset());
  }

  std::string_view text_;
  const char* read_ = nullptr;
  Node root_;
  std::vector<Open> open_;
  std::size_t nodes_ = 0;
  std::size_t walked_ = 0;
  Position here_{1, 1};
  std::size_t error_at_ = 0;
  Errc code_ = Errc::invalid;
  std::string error_;
};

} // namespace

Result<Node> parse_json(std::string_view text, std::string_view source) {
  if (text.size() > max_text_bytes)
    return fail(Errc::exhausted, "{}{} bytes; at most {} are read", place(source, {}), text.size(),
                max_text_bytes);
  TreeBuilder builder{text};
  auto* end = text.data() + text.size();
  if (!nlohmann::json::sax_parse(CountingIterator{text.data(), builder.furthest()},
                                 CountingIterator{end, builder.furthest()}, &builder))
    return fail(builder.error(source));
  return builder.take();
}

} // namespace strait::kubernetes
