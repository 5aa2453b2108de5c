#include "api/filter.hpp"

#include "api/filter_schema.hpp"
#include "kubernetes/document.hpp"

#include <re2/re2.h>

#include <charconv>
#include <optional>
#include <vector>

namespace strait::api {

using kubernetes::Node;
using Path = std::vector<std::string>;

enum class Operator { equal, in, matches, is_empty, both, either };

struct Filter::Expression {
  Operator op = Operator::equal;
  bool negated = false;
  Path path;
  Field field = Field::text;
  std::string value;
  std::shared_ptr<const re2::RE2> pattern;
  std::shared_ptr<const Expression> left, right;
};

namespace {

using ExpressionPtr = std::shared_ptr<const Filter::Expression>;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_word(char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '/'; }

/// Recursive descent over the grammar of the reference. The first error counts.
class FilterParser {
public:
  FilterParser(std::string_view text, Element element, const FilterLimits& limits)
      : text_{text}, element_{element}, limits_{limits} {}

  Result<ExpressionPtr> parse() {
    auto all = either(0);
    blanks();
    if (error_.empty() && at_ < text_.size())
      wrong("the end");
    if (!error_.empty())
      return fail(code_, "Failed to create boolean expression evaluator: {}", error_);
    return all;
  }

private:
  void refuse(Errc code, std::string why) {
    if (!error_.empty())
      return;
    code_ = code;
    error_ = std::move(why);
  }
  void wrong(std::string_view expected) {
    refuse(Errc::invalid,
           fmt::format("1:{} ({}): no match found, expected: {}", at_ + 1, at_, expected));
  }
  void blanks() {
    while (at_ < text_.size() && is_blank(text_[at_]))
      ++at_;
  }
  bool sign(std::string_view token) {
    blanks();
    if (text_.substr(at_, token.size()) != token)
      return false;
    at_ += token.size();
    return true;
  }
  bool word(std::string_view token) {
    blanks();
    auto end = at_ + token.size();
    if (text_.substr(at_, token.size()) != token || (end < text_.size() && is_word(text_[end])))
      return false;
    at_ = end;
    return true;
  }

  ExpressionPtr joined(Operator op, ExpressionPtr left, ExpressionPtr right) {
    Filter::Expression both;
    both.op = op;
    both.left = std::move(left);
    both.right = std::move(right);
    return std::make_shared<const Filter::Expression>(std::move(both));
  }
  /// Right-recursive in the grammar, a loop here: a long chain is not a deep one.
  ExpressionPtr either(std::size_t depth) {
    auto left = both(depth);
    while (error_.empty() && word("or"))
      left = joined(Operator::either, left, both(depth));
    return left;
  }
  ExpressionPtr both(std::size_t depth) {
    auto left = negation(depth);
    while (error_.empty() && word("and"))
      left = joined(Operator::both, left, negation(depth));
    return left;
  }
  ExpressionPtr negation(std::size_t depth) {
    if (depth > limits_.depth_max) {
      refuse(Errc::exhausted, fmt::format("is nested deeper than {}", limits_.depth_max));
      return {};
    }
    auto start = at_;
    if (word("not")) {
      // "not in x" can only follow a value, so here it negates what follows.
      auto inner = negation(depth + 1);
      if (!inner)
        return {};
      auto turned = *inner;
      turned.negated = !turned.negated;
      return std::make_shared<const Filter::Expression>(std::move(turned));
    }
    at_ = start;
    if (sign("(")) {
      auto inner = either(depth + 1);
      if (error_.empty() && !sign(")"))
        wrong("\")\"");
      return inner;
    }
    return match();
  }

  std::optional<std::string> quoted() {
    blanks();
    if (at_ >= text_.size() || (text_[at_] != '"' && text_[at_] != '`'))
      return {};
    char mark = text_[at_];
    std::string out;
    for (auto i = at_ + 1; i < text_.size(); ++i) {
      if (text_[i] == mark) {
        at_ = i + 1;
        return out;
      }
      if (mark == '"' && text_[i] == '\\' && i + 1 < text_.size())
        ++i;
      out += text_[i];
    }
    wrong("the closing quote");
    return {};
  }
  std::optional<std::string> number() {
    blanks();
    auto end = at_;
    while (end < text_.size() && (is_word(text_[end]) || text_[end] == '-' || text_[end] == '.'))
      ++end;
    bool begins = end > at_ && (text_[at_] == '-' || (text_[at_] >= '0' && text_[at_] <= '9'));
    if (!begins)
      return {};
    std::string out{text_.substr(at_, end - at_)};
    at_ = end;
    return out;
  }
  std::optional<Path> selector() {
    blanks();
    if (at_ >= text_.size() || !is_letter(text_[at_]))
      return {};
    Path path;
    while (true) {
      auto end = at_;
      while (end < text_.size() && (is_word(text_[end]) || text_[end] == '-'))
        ++end;
      path.emplace_back(text_.substr(at_, end - at_));
      at_ = end;
      while (at_ < text_.size() && text_[at_] == '[') {
        ++at_;
        auto key = quoted();
        if (!key || !sign("]")) {
          wrong("a quoted key and \"]\"");
          return {};
        }
        path.push_back(*key);
      }
      if (at_ + 1 >= text_.size() || text_[at_] != '.' || !is_word(text_[at_ + 1]))
        return path;
      ++at_;
    }
  }
  static std::string text_of(const Path& path) {
    std::string out;
    for (auto& part : path)
      out += (out.empty() ? "" : ".") + part;
    return out;
  }
  std::optional<std::string> value() {
    if (auto text = quoted())
      return text;
    if (auto text = number())
      return text;
    if (auto path = selector())
      return text_of(*path);
    return {};
  }

  ExpressionPtr match() {
    blanks();
    auto start = at_;
    Filter::Expression out;
    auto path = selector();
    if (path && operation(out)) {
      out.path = std::move(*path);
      return finished(std::move(out));
    }
    at_ = start;
    auto left = value();
    out = {};
    if (left && word("not"))
      out.negated = true;
    if (!left || !word("in")) {
      wrong(left ? "an operator" : "\"(\", \"not\", a selector or a value");
      return {};
    }
    auto list = selector();
    if (!list) {
      wrong("a selector");
      return {};
    }
    out.op = Operator::in;
    out.value = std::move(*left);
    out.path = std::move(*list);
    return finished(std::move(out));
  }
  /// What stands behind a selector; false if it is "in", or nothing that is known.
  bool operation(Filter::Expression& out) {
    auto needs_value = [&](Operator op) {
      out.op = op;
      auto found = value();
      if (!found)
        wrong("a value");
      else
        out.value = std::move(*found);
      return true;
    };
    if (sign("=="))
      return needs_value(Operator::equal);
    if (sign("!=")) {
      out.negated = true;
      return needs_value(Operator::equal);
    }
    if (word("is")) {
      out.negated = word("not");
      out.op = Operator::is_empty;
      if (!word("empty"))
        wrong("\"empty\"");
      return true;
    }
    out.negated = word("not");
    if (word("contains"))
      return needs_value(Operator::in);
    if (word("matches"))
      return needs_value(Operator::matches);
    return false;
  }

  ExpressionPtr finished(Filter::Expression out) {
    auto field = field_type(element_, out.path);
    if (!field) {
      refuse(Errc::invalid, fmt::format("Selector \"{}\" is not valid", text_of(out.path)));
      return {};
    }
    out.field = *field;
    bool list = *field == Field::texts || *field == Field::map;
    if (out.op == Operator::equal && (list || *field == Field::structure))
      refuse(Errc::invalid,
             fmt::format("Invalid match operator \"==\" for selector \"{}\"", text_of(out.path)));
    if ((out.op == Operator::in || out.op == Operator::matches) &&
        (*field == Field::number || *field == Field::flag || *field == Field::structure))
      refuse(Errc::invalid, fmt::format("Invalid match operator for selector \"{}\": it is not "
                                        "text",
                                        text_of(out.path)));
    if (out.op == Operator::matches) {
      re2::RE2::Options options;
      options.set_log_errors(false);
      options.set_max_mem(pattern_bytes_max);
      auto pattern = std::make_shared<re2::RE2>(out.value, options);
      if (!pattern->ok())
        refuse(Errc::invalid, fmt::format("Failed to compile regular expression \"{}\": {}",
                                          out.value, pattern->error()));
      out.pattern = std::move(pattern);
    }
    return std::make_shared<const Filter::Expression>(std::move(out));
  }

  static constexpr std::int64_t pattern_bytes_max = 1 << 20;
  std::string_view text_;
  Element element_;
  const FilterLimits& limits_;
  std::size_t at_ = 0;
  Errc code_{};
  std::string error_;
};

std::string text_of(const Node& node) {
  if (auto* text = std::get_if<std::string>(&node.value))
    return *text;
  if (auto* number = std::get_if<std::int64_t>(&node.value))
    return std::to_string(*number);
  if (auto* flag = std::get_if<bool>(&node.value))
    return *flag ? "true" : "false";
  return {};
}

bool holds_for(const Filter::Expression& it, const Node* value) {
  auto* list = value ? std::get_if<Node::List>(&value->value) : nullptr;
  auto* map = value ? std::get_if<Node::Map>(&value->value) : nullptr;
  auto text = value ? text_of(*value) : std::string{};
  auto fits = [&](const std::string& what) {
    return it.op == Operator::matches ? re2::RE2::PartialMatch(what, *it.pattern)
                                      : what == it.value;
  };
  switch (it.op) {
  case Operator::is_empty:
    return list ? list->empty() : map ? map->empty() : text.empty();
  case Operator::equal:
    if (!value && it.field == Field::number)
      return it.value == "0";
    if (!value && it.field == Field::flag)
      return it.value == "false";
    return text == it.value;
  case Operator::in:
  case Operator::matches:
    if (it.field == Field::text)
      return it.op == Operator::matches ? fits(text) : text.find(it.value) != std::string::npos;
    if (list)
      for (auto& item : *list)
        if (fits(text_of(item)))
          return true;
    if (map)
      for (auto& member : *map)
        if (fits(member.key))
          return true;
    return false;
  default:
    return false;
  }
}

/// A list of structures on the way holds if any of its elements does.
bool evaluate(const Filter::Expression& it, const Node* node, std::size_t depth) {
  if (node && depth < it.path.size()) {
    if (auto* list = std::get_if<Node::List>(&node->value)) {
      for (auto& item : *list)
        if (evaluate(it, &item, depth))
          return true;
      return false;
    }
    return evaluate(it, node->find(it.path[depth]), depth + 1);
  }
  return holds_for(it, node);
}

bool holds(const Filter::Expression& it, const Node& element) {
  bool found = false;
  if (it.op == Operator::both)
    found = holds(*it.left, element) && holds(*it.right, element);
  else if (it.op == Operator::either)
    found = holds(*it.left, element) || holds(*it.right, element);
  else
    found = evaluate(it, &element, 0);
  return found != it.negated;
}

} // namespace

Result<Filter> Filter::compile(std::string_view text, Element element, const FilterLimits& limits) {
  if (text.size() > limits.text_bytes_max)
    return fail(Errc::exhausted, "filter: is {} bytes long, at most {} are taken", text.size(),
                limits.text_bytes_max);
  auto expression = FilterParser{text, element, limits}.parse();
  if (!expression)
    return fail(std::move(expression.error()));
  Filter filter;
  filter.expression_ = std::move(*expression);
  return filter;
}

bool Filter::takes(std::string_view json) const {
  auto element = kubernetes::parse_json(json, "");
  return element && holds(*expression_, *element);
}

} // namespace strait::api
