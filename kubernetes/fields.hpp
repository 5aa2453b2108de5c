#pragma once

#include "catalog/model/object.hpp"
#include "kubernetes/document.hpp"
#include "kubernetes/rules.hpp"

#include <initializer_list>
#include <set>
#include <utility>

namespace strait::kubernetes {

/// Errors that one document may collect; the last of them says that there are more.
inline constexpr std::size_t max_errors_per_document = 32;

enum class Need : std::uint8_t { optional, required };

/// How keys are compared: Consul's config entries may be written in CamelCase or snake_case.
enum class Keys : std::uint8_t { exact, folded };

/// A key that no one asked for: a mistake of whoever wrote the document, or, in an object that an
/// API server has accepted, a field that is newer than Strait.
enum class Unknown : std::uint8_t { refuse, list };

/// What decoding one document has to say, besides the value.
struct Report {
  std::string source; ///< File name or the like; may be empty.
  std::string title;  ///< "HTTPRoute default/web", as soon as it is known.
  Keys keys = Keys::exact;
  Unknown unknown = Unknown::refuse;
  std::vector<Error> errors;
  std::vector<model::Unsupported> problems; ///< The errors by path, but for "too many errors".
  std::vector<model::Unsupported> unsupported;

  /// "source:line:column: title: path: text"
  void add(Position at, std::string_view path, std::string_view text);
};

struct Range {
  std::int64_t least, most;
};
inline constexpr Range port_range{1, 65535};
inline constexpr Range any_count{0, INT64_MAX};

/// Reads one map of a document, so that a decoder looks like the table of its fields. Every read
/// marks its key as known; `finish` (called by `object` and `list` for what is inside) reports the
/// keys that no one asked for. A null is as an absent field. What is wrong goes to the Report, the
/// target keeps its value.
class Fields {
public:
  /// A value that is no map is reported, and then has no fields.
  Fields(Report& report, const Node& node, std::string path);

  bool has(std::string_view key);
  void text(std::string_view key, std::string& out, rules::TextRule rule,
            Need need = Need::optional);
  void texts(std::string_view key, std::vector<std::string>& out, rules::TextRule rule,
             Range count);
  void flag(std::string_view key, bool& out);
  void map(std::string_view key, model::StringMap& out, rules::TextRule key_rule,
           rules::TextRule value_rule, Range count = any_count);
  template <class Integer>
  void integer(std::string_view key, Integer& out, Range range, Need need = Need::optional) {
    if (auto value = read_integer(key, range, need))
      out = static_cast<Integer>(*value);
  }
  template <class Integer>
  void integer(std::string_view key, std::optional<Integer>& out, Range range) {
    if (auto value = read_integer(key, range, Need::optional))
      out = static_cast<Integer>(*value);
  }
  template <class Integer>
  void integers(std::string_view key, std::vector<Integer>& out, Range each, Range count) {
    for (auto value : read_integers(key, each, count))
      out.push_back(static_cast<Integer>(value));
  }
  /// A duration as the Gateway API writes it (GEP-2257), or as Go does.
  void duration(std::string_view key, std::optional<Millis>& out);
  void go_duration(std::string_view key, std::optional<Millis>& out);
  /// A map whose values are Kubernetes' quantities: texts, or integers.
  void quantities(std::string_view key, model::StringMap& out);
  /// Kubernetes' IntOrString: a number within the range, or a text by the rule.
  void integer_or_text(std::string_view key, std::string& out, Range range, rules::TextRule rule);

  template <class Out, class Enum>
  void choice(std::string_view key, Out& out,
              std::initializer_list<std::pair<std::string_view, Enum>> values,
              Need need = Need::optional) {
    std::vector<std::string_view> names;
    for (auto& value : values)
      names.push_back(value.first);
    if (auto index = read_choice(key, names, need))
      out = (values.begin() + *index)->second;
  }
  /// For texts of which only these may stand; an empty list of them allows none.
  void one_of(std::string_view key, std::string& out, std::vector<std::string_view> names,
              Need need = Need::optional);

  /// read(Fields&) for the map at that key, if there is one.
  template <class Read>
  void object(std::string_view key, Read read, Need need = Need::optional) {
    if (auto* node = take(key, need)) {
      Fields inner{*report_, *node, path_to(key)};
      read(inner);
      inner.finish();
    }
  }
  /// read(Fields&, T&) for each map in the list at that key.
  template <class T, class Read>
  void list(std::string_view key, std::vector<T>& out, Range count, Read read) {
    for (auto& item : items(key, count)) {
      Fields inner{*report_, *item.first, std::move(item.second)};
      read(inner, out.emplace_back());
      inner.finish();
    }
  }

  /// A real field of the API that Strait does not implement: listed in the report, if present.
  void unsupported(std::initializer_list<std::string_view> keys);
  /// Fields that may stand there and say nothing to Strait.
  void skip(std::initializer_list<std::string_view> keys);
  /// All that is not read by then may stand there: for what others write, and add to.
  void skip_others();
  /// A real field that is an error here, with the reason.
  void refuse(std::string_view key, std::string_view why);

  /// Two items of the list at `key` must not have the same projection. `part` is the field to name.
  template <class T, class Project>
  void unique(std::string_view key, const std::vector<T>& all, std::string_view part,
              Project project) {
    std::set<decltype(project(all.front()))> seen;
    for (std::size_t i = 0; i < all.size(); ++i)
      if (auto value = project(all[i]); !seen.insert(value).second)
        error(item_path(key, i, part), "stands twice in this list");
  }

  void error(std::string_view path_below, std::string_view text);
  void error(std::string_view text);
  void finish();

  /// Every key of the map, as it is written there: for maps whose keys are names.
  std::vector<std::string> keys() const;
  const std::string& path() const { return path_; }
  static std::string item_path(std::string_view key, std::size_t index, std::string_view part);

private:
  const Node* find(std::string_view key) const;
  /// The value at the key, marked as known; reports a missing one that is required.
  const Node* take(std::string_view key, Need need);
  std::optional<std::int64_t> read_integer(std::string_view key, Range range, Need need);
  std::vector<std::int64_t> read_integers(std::string_view key, Range each, Range count);
  std::optional<std::size_t> read_choice(std::string_view key,
                                         const std::vector<std::string_view>& names, Need need);
  /// Each item of the list at the key with its path.
  std::vector<std::pair<const Node*, std::string>> items(std::string_view key, Range count);
  void check(const Node& node, const std::string& path, std::string_view text,
             rules::TextRule rule);
  std::string path_to(std::string_view key) const;
  void wrong_type(const Node& node, std::string_view path, std::string_view expected);

  Report* report_;
  const Node* node_;
  std::string path_;
  std::vector<std::string> known_;
};

} // namespace strait::kubernetes
