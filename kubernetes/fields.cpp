#include "kubernetes/fields.hpp"

#include "kubernetes/duration.hpp"

#include <algorithm>
#include <array>
#include <numeric>

namespace strait::kubernetes {

namespace {

/// Bounds what an error repeats of its input.
constexpr std::size_t longest_quote = 80;

std::string quoted(std::string_view text) {
  if (text.size() <= longest_quote)
    return fmt::format("\"{}\"", text);
  return fmt::format("\"{}…\" ({} bytes)", text.substr(0, longest_quote), text.size());
}

std::string fold(std::string_view key) {
  std::string out;
  for (char c : key)
    if (c != '_')
      out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

bool same_key(Keys keys, std::string_view a, std::string_view b) {
  return keys == Keys::exact ? a == b : fold(a) == fold(b);
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto diagonal = row[0];
    row[0] = i;
    for (std::size_t k = 1; k <= b.size(); ++k) {
      auto above = row[k];
      row[k] = std::min({above + 1, row[k - 1] + 1, diagonal + (a[i - 1] == b[k - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row.back();
}

std::string join(const std::vector<std::string_view>& names) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i != 0)
      out += i + 1 == names.size() ? " or " : ", ";
    out += names[i];
  }
  return out;
}

bool is_plain_key(std::string_view key) {
  return !key.empty() && key.find_first_of("./[] \"") == std::string_view::npos;
}

} // namespace

void Report::add(Position at, std::string_view path, std::string_view text) {
  if (errors.size() >= max_errors_per_document)
    return;
  auto detail = place(source, at);
  if (errors.size() + 1 == max_errors_per_document) {
    errors.push_back({Errc::exhausted, detail + "too many errors; the rest is not shown"});
    return;
  }
  if (!title.empty())
    detail += title + ": ";
  if (!path.empty())
    detail += std::string{path} + ": ";
  errors.push_back({Errc::invalid, detail + std::string{text}});
  problems.push_back({std::string{path}, std::string{text}});
}

Fields::Fields(Report& report, const Node& node, std::string path)
    : report_{&report}, node_{&node}, path_{std::move(path)} {
  if (!std::holds_alternative<Node::Map>(node.value))
    wrong_type(node, path_, "a map");
}

std::string Fields::path_to(std::string_view key) const {
  if (path_.empty())
    return std::string{key};
  return is_plain_key(key) ? fmt::format("{}.{}", path_, key) : fmt::format("{}[{}]", path_, key);
}

std::string Fields::item_path(std::string_view key, std::size_t index, std::string_view part) {
  return part.empty() ? fmt::format("{}[{}]", key, index)
                      : fmt::format("{}[{}].{}", key, index, part);
}

const Node* Fields::find(std::string_view key) const {
  auto* map = std::get_if<Node::Map>(&node_->value);
  if (!map)
    return nullptr;
  for (auto& member : *map)
    if (same_key(report_->keys, member.key, key))
      return &member.value;
  return nullptr;
}

const Node* Fields::take(std::string_view key, Need need) {
  known_.emplace_back(key);
  auto* node = find(key);
  if (node && node->is_null())
    node = nullptr;
  if (!node && need == Need::required && std::holds_alternative<Node::Map>(node_->value))
    report_->add(node_->at, path_to(key), "required");
  return node;
}

bool Fields::has(std::string_view key) { return take(key, Need::optional) != nullptr; }

void Fields::wrong_type(const Node& node, std::string_view path, std::string_view expected) {
  report_->add(node.at, path, fmt::format("expected {}, got {}", expected, type_name(node)));
}

void Fields::check(const Node& node, const std::string& path, std::string_view text,
                   rules::TextRule rule) {
  if (auto wrong = rule(text); !wrong.empty())
    report_->add(node.at, path, fmt::format("{}, got {}", wrong, quoted(text)));
}

void Fields::text(std::string_view key, std::string& out, rules::TextRule rule, Need need) {
  auto* node = take(key, need);
  if (!node)
    return;
  auto* text = std::get_if<std::string>(&node->value);
  if (!text)
    return wrong_type(*node, path_to(key), "a string");
  check(*node, path_to(key), *text, rule);
  out = *text;
}

void Fields::texts(std::string_view key, std::vector<std::string>& out, rules::TextRule rule,
                   Range count) {
  for (auto& [node, path] : items(key, count)) {
    auto* text = std::get_if<std::string>(&node->value);
    if (!text) {
      wrong_type(*node, path, "a string");
      continue;
    }
    check(*node, path, *text, rule);
    out.push_back(*text);
  }
}

void Fields::flag(std::string_view key, bool& out) {
  auto* node = take(key, Need::optional);
  if (!node)
    return;
  if (auto* value = std::get_if<bool>(&node->value))
    out = *value;
  else
    wrong_type(*node, path_to(key), "a boolean");
}

void Fields::map(std::string_view key, model::StringMap& out, rules::TextRule key_rule,
                 rules::TextRule value_rule, Range count) {
  auto* node = take(key, Need::optional);
  if (!node)
    return;
  auto path = path_to(key);
  auto* map = std::get_if<Node::Map>(&node->value);
  if (!map)
    return wrong_type(*node, path, "a map");
  auto size = static_cast<std::int64_t>(map->size());
  if (size > count.most)
    report_->add(node->at, path, fmt::format("at most {} entries, got {}", count.most, size));
  for (auto& member : *map) {
    auto entry = is_plain_key(member.key) ? fmt::format("{}.{}", path, member.key)
                                          : fmt::format("{}[{}]", path, member.key);
    check(member.value, entry, member.key, key_rule);
    auto* text = std::get_if<std::string>(&member.value.value);
    if (!text) {
      wrong_type(member.value, entry, "a string");
      continue;
    }
    check(member.value, entry, *text, value_rule);
    out[member.key] = *text;
  }
}

void Fields::quantities(std::string_view key, model::StringMap& out) {
  auto* node = take(key, Need::optional);
  if (!node)
    return;
  auto path = path_to(key);
  auto* map = std::get_if<Node::Map>(&node->value);
  if (!map)
    return wrong_type(*node, path, "a map");
  for (auto& member : *map) {
    auto entry = fmt::format("{}[{}]", path, member.key);
    check(member.value, entry, member.key, rules::qualified_name);
    if (auto* number = std::get_if<std::int64_t>(&member.value.value)) {
      out[member.key] = std::to_string(*number);
      check(member.value, entry, out[member.key], rules::quantity);
    } else if (auto* text = std::get_if<std::string>(&member.value.value)) {
      check(member.value, entry, *text, rules::quantity);
      out[member.key] = *text;
    } else {
      wrong_type(member.value, entry, "a quantity like \"100m\" or 2");
    }
  }
}

void Fields::duration(std::string_view key, std::optional<Millis>& out) {
  std::string written;
  text(key, written, rules::duration);
  if (auto value = parse_duration(written))
    out = value;
}

void Fields::go_duration(std::string_view key, std::optional<Millis>& out) {
  std::string written;
  text(key, written, rules::go_duration);
  if (auto value = parse_go_duration(written))
    out = value;
}

std::vector<std::int64_t> Fields::read_integers(std::string_view key, Range each, Range count) {
  std::vector<std::int64_t> all;
  for (auto& [node, path] : items(key, count)) {
    auto* value = std::get_if<std::int64_t>(&node->value);
    if (!value)
      wrong_type(*node, path, "an integer");
    else if (*value < each.least || *value > each.most)
      report_->add(node->at, path,
                   fmt::format("must be {}..{}, got {}", each.least, each.most, *value));
    else
      all.push_back(*value);
  }
  return all;
}

std::optional<std::int64_t> Fields::read_integer(std::string_view key, Range range, Need need) {
  auto* node = take(key, need);
  if (!node)
    return {};
  auto* value = std::get_if<std::int64_t>(&node->value);
  if (!value) {
    wrong_type(*node, path_to(key), "an integer");
    return {};
  }
  if (*value < range.least || *value > range.most) {
    report_->add(node->at, path_to(key),
                 fmt::format("must be {}..{}, got {}", range.least, range.most, *value));
    return {};
  }
  return *value;
}

void Fields::integer_or_text(std::string_view key, std::string& out, Range range,
                             rules::TextRule rule) {
  auto* node = take(key, Need::optional);
  if (!node)
    return;
  if (std::holds_alternative<std::string>(node->value))
    return text(key, out, rule);
  if (auto value = read_integer(key, range, Need::optional))
    out = std::to_string(*value);
}

std::optional<std::size_t>
Fields::read_choice(std::string_view key, const std::vector<std::string_view>& names, Need need) {
  auto* node = take(key, need);
  if (!node)
    return {};
  auto* text = std::get_if<std::string>(&node->value);
  if (!text) {
    wrong_type(*node, path_to(key), "a string");
    return {};
  }
  auto it = std::find(names.begin(), names.end(), *text);
  if (it != names.end())
    return static_cast<std::size_t>(it - names.begin());
  report_->add(node->at, path_to(key),
               fmt::format("expected {}, got {}", join(names), quoted(*text)));
  return {};
}

void Fields::one_of(std::string_view key, std::string& out, std::vector<std::string_view> names,
                    Need need) {
  if (auto index = read_choice(key, names, need))
    out = names[*index];
}

std::vector<std::pair<const Node*, std::string>> Fields::items(std::string_view key, Range count) {
  std::vector<std::pair<const Node*, std::string>> all;
  auto* node = take(key, count.least > 0 ? Need::required : Need::optional);
  if (!node)
    return all;
  auto path = path_to(key);
  auto* list = std::get_if<Node::List>(&node->value);
  if (!list) {
    wrong_type(*node, path, "a list");
    return all;
  }
  auto size = static_cast<std::int64_t>(list->size());
  if (size < count.least || size > count.most)
    report_->add(
        node->at, path,
        count.least == count.most ? fmt::format("expected exactly {}, got {}", count.least, size)
        : size < count.least      ? fmt::format("expected at least {}, got {}", count.least, size)
                             : fmt::format("at most {} may be given, got {}", count.most, size));
  // Reading on makes no sense far beyond the limit.
  auto read = static_cast<std::size_t>(std::min(size, count.most));
  for (std::size_t i = 0; i < read; ++i)
    all.emplace_back(&(*list)[i], fmt::format("{}[{}]", path, i));
  return all;
}

void Fields::unsupported(std::initializer_list<std::string_view> keys) {
  for (auto key : keys)
    if (has(key))
      report_->unsupported.push_back({path_to(key)});
}

void Fields::skip(std::initializer_list<std::string_view> keys) {
  for (auto key : keys)
    known_.emplace_back(key);
}

void Fields::skip_others() {
  for (auto& key : keys())
    known_.push_back(key);
}

void Fields::refuse(std::string_view key, std::string_view why) {
  if (auto* node = take(key, Need::optional))
    report_->add(node->at, path_to(key), why);
}

std::vector<std::string> Fields::keys() const {
  std::vector<std::string> out;
  if (auto* map = std::get_if<Node::Map>(&node_->value))
    for (auto& member : *map)
      out.push_back(member.key);
  return out;
}

void Fields::error(std::string_view path_below, std::string_view text) {
  auto* node = find(path_below.substr(0, path_below.find_first_of(".[")));
  report_->add(node ? node->at : node_->at,
               path_.empty() ? std::string{path_below} : fmt::format("{}.{}", path_, path_below),
               text);
}
void Fields::error(std::string_view text) { report_->add(node_->at, path_, text); }

void Fields::finish() {
  auto* map = std::get_if<Node::Map>(&node_->value);
  if (!map)
    return;
  std::set<std::string> seen;
  for (auto& member : *map) {
    if (report_->keys == Keys::folded && !seen.insert(fold(member.key)).second)
      report_->add(member.value.at, path_to(member.key), "this field is given in two spellings");
    auto same = [&](auto& key) { return same_key(report_->keys, key, member.key); };
    if (std::any_of(known_.begin(), known_.end(), same))
      continue;
    if (report_->unknown == Unknown::list) {
      report_->unsupported.push_back({path_to(member.key.substr(0, longest_quote))});
      continue;
    }
    std::string text = "unknown field";
    if (member.key.size() <= longest_quote && !known_.empty()) {
      auto closer = [&](auto& a, auto& b) {
        return edit_distance(a, member.key) < edit_distance(b, member.key);
      };
      auto& nearest = *std::min_element(known_.begin(), known_.end(), closer);
      if (edit_distance(nearest, member.key) <= std::max<std::size_t>(1, member.key.size() / 3))
        text += fmt::format("; did you mean {}?", nearest);
    }
    auto key = member.key.substr(0, longest_quote);
    if (key.size() < member.key.size())
      key += "…";
    report_->add(member.value.at, path_to(key), text);
  }
}

} // namespace strait::kubernetes
