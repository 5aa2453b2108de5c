#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace strait::net {

/// Header fields in order, for control APIs and clients (the data plane has http1::Head).
class HttpFields {
public:
  HttpFields() = default;
  HttpFields(std::initializer_list<std::pair<std::string, std::string>> fields) : fields_{fields} {}

  void add(std::string name, std::string value) {
    fields_.emplace_back(std::move(name), std::move(value));
  }
  /// Replaces every field of that name.
  void set(std::string_view name, std::string value);
  /// The first value, names compared ignoring case; null if absent.
  const std::string* find(std::string_view name) const;
  /// The first value, or empty.
  std::string_view get(std::string_view name) const;

  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }
  std::size_t size() const { return fields_.size(); }

private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

/// A whole request: what a server's handler gets and what a client sends.
struct HttpRequest {
  std::string method = "GET";
  std::string target = "/"; ///< Path and query as sent, not decoded.
  HttpFields fields{};
  std::string body{};

  /// Of the target, not decoded.
  std::string_view path() const;
  std::string_view query() const;
};

/// A whole response. Content-Length, Connection and Date are the server's business.
struct HttpResponse {
  int status = 200;
  HttpFields fields{};
  std::string body{};
};

/// Decodes %XX (and '+' as blank if asked). Malformed escapes stay as they are.
std::string percent_decode(std::string_view text, bool plus_is_blank = false);
std::string percent_encode(std::string_view text);

/// The pairs of a query in order, decoded; "a" without '=' has an empty value.
std::vector<std::pair<std::string, std::string>> parse_query(std::string_view query);

} // namespace strait::net
