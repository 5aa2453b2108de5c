#pragma once

#include "base/result.hpp"
#include "base/time.hpp"
#include "kubernetes/document.hpp"

#include <functional>
#include <initializer_list>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace strait::api {

/// Reads the JSON object of a request's body field by field as Consul does: keys in any case and
/// with or without underscores, null is as good as absent, and a key that nobody asked for is an
/// error. The first thing that is wrong counts; reading goes on without effect after it.
class BodyReader {
public:
  /// Parses and reads. The error is one of JSON or of a field's type, with the prefix before it, or
  /// the first that `read` told by fail(), as it is.
  static Status read(std::string_view body, const std::function<void(BodyReader&)>& read,
                     std::string_view prefix = "Request decode failed: ");

  void text(std::string_view key, std::string& out);
  void flag(std::string_view key, bool& out);
  void number(std::string_view key, std::int64_t min, std::int64_t max, std::int64_t& out);
  template <class Integer>
  void number(std::string_view key, std::int64_t min, std::int64_t max, Integer& out) {
    auto wide = static_cast<std::int64_t>(out);
    number(key, min, max, wide);
    out = static_cast<Integer>(wide);
  }
  /// Go's notation, or an integer of nanoseconds.
  void duration(std::string_view key, Millis& out);
  void texts(std::string_view key, std::vector<std::string>& out);
  void map(std::string_view key, std::map<std::string, std::string>& out);
  void object(std::string_view key, const std::function<void(BodyReader&)>& read);
  void list(std::string_view key, const std::function<void(BodyReader&)>& read);
  /// Each member of the object under the key, with its name.
  void members(std::string_view key,
               const std::function<void(const std::string& name, BodyReader&)>& read);
  /// Members whose values are lists of texts: HTTP headers.
  void text_lists(std::string_view key, std::map<std::string, std::vector<std::string>>& out);

  /// Taken and without meaning: what the server sets itself.
  void skip(std::initializer_list<std::string_view> keys);
  /// Only an empty value is taken: the error says that the field is not implemented.
  void refuse(std::initializer_list<std::string_view> keys);
  /// Whether the key is there with a value that is not null.
  bool has(std::string_view key) const { return find(key) != nullptr; }

  void fail(std::string text);
  bool failed() const { return !shared_.error.empty(); }

private:
  struct Shared {
    std::string_view prefix;
    std::string error;
  };
  BodyReader(const kubernetes::Node& node, std::string path, Shared& shared)
      : node_{node}, path_{std::move(path)}, shared_{shared} {}
  void reject(const std::string& text) { fail(std::string{shared_.prefix} + text); }
  const kubernetes::Node* find(std::string_view key) const;
  const kubernetes::Node* take(std::string_view key);
  void mismatch(const kubernetes::Node& value, std::string_view key, std::string_view type);
  std::string at(std::string_view key) const;
  void finish();

  const kubernetes::Node& node_;
  std::string path_;
  Shared& shared_;
  std::set<std::string> asked_;
};

} // namespace strait::api
