#include "net/http1_names.hpp"

#include "base/ascii.hpp"

#include <array>
#include <cstddef>
#include <cstring>

namespace strait::net::http1 {

namespace {

struct Row {
  HeaderId id;
  std::string_view name;
};

constexpr std::array rows{
    Row{HeaderId::accept, "accept"},
    Row{HeaderId::accept_encoding, "accept-encoding"},
    Row{HeaderId::accept_language, "accept-language"},
    Row{HeaderId::authorization, "authorization"},
    Row{HeaderId::cache_control, "cache-control"},
    Row{HeaderId::connection, "connection"},
    Row{HeaderId::content_encoding, "content-encoding"},
    Row{HeaderId::content_length, "content-length"},
    Row{HeaderId::content_type, "content-type"},
    Row{HeaderId::cookie, "cookie"},
    Row{HeaderId::date, "date"},
    Row{HeaderId::etag, "etag"},
    Row{HeaderId::expect, "expect"},
    Row{HeaderId::forwarded, "forwarded"},
    Row{HeaderId::grpc_timeout, "grpc-timeout"},
    Row{HeaderId::host, "host"},
    Row{HeaderId::http2_settings, "http2-settings"},
    Row{HeaderId::if_modified_since, "if-modified-since"},
    Row{HeaderId::if_none_match, "if-none-match"},
    Row{HeaderId::keep_alive, "keep-alive"},
    Row{HeaderId::last_modified, "last-modified"},
    Row{HeaderId::location, "location"},
    Row{HeaderId::origin, "origin"},
    Row{HeaderId::proxy_authenticate, "proxy-authenticate"},
    Row{HeaderId::proxy_authorization, "proxy-authorization"},
    Row{HeaderId::proxy_connection, "proxy-connection"},
    Row{HeaderId::range, "range"},
    Row{HeaderId::referer, "referer"},
    Row{HeaderId::retry_after, "retry-after"},
    Row{HeaderId::sec_websocket_accept, "sec-websocket-accept"},
    Row{HeaderId::sec_websocket_key, "sec-websocket-key"},
    Row{HeaderId::sec_websocket_protocol, "sec-websocket-protocol"},
    Row{HeaderId::sec_websocket_version, "sec-websocket-version"},
    Row{HeaderId::server, "server"},
    Row{HeaderId::set_cookie, "set-cookie"},
    Row{HeaderId::te, "te"},
    Row{HeaderId::traceparent, "traceparent"},
    Row{HeaderId::trailer, "trailer"},
    Row{HeaderId::transfer_encoding, "transfer-encoding"},
    Row{HeaderId::upgrade, "upgrade"},
    Row{HeaderId::user_agent, "user-agent"},
    Row{HeaderId::vary, "vary"},
    Row{HeaderId::via, "via"},
    Row{HeaderId::www_authenticate, "www-authenticate"},
    Row{HeaderId::x_forwarded_for, "x-forwarded-for"},
    Row{HeaderId::x_forwarded_host, "x-forwarded-host"},
    Row{HeaderId::x_forwarded_port, "x-forwarded-port"},
    Row{HeaderId::x_forwarded_proto, "x-forwarded-proto"},
    Row{HeaderId::x_real_ip, "x-real-ip"},
    Row{HeaderId::x_request_id, "x-request-id"},
};
static_assert(rows.size() + 1 == static_cast<std::size_t>(HeaderId::count_));
static_assert(rows.size() < 64, "presence of a header is one bit of a word");

/// Whether a name is that of a row, in any case. Rows hold letters, digits and '-', all of which
/// have the bit that tells lower case from upper; eight bytes are compared at a time.
bool names_row(std::string_view row, std::string_view name) {
  if (row.size() != name.size())
    return false;
  auto differs = [&](std::size_t at) {
    std::uint64_t ours, theirs;
    std::memcpy(&ours, row.data() + at, 8);
    std::memcpy(&theirs, name.data() + at, 8);
    return ours != (theirs | 0x2020'2020'2020'2020U);
  };
  auto size = row.size();
  if (size < 8)
    return equal_ignoring_case(row, name);
  for (std::size_t at = 0; at + 8 <= size; at += 8)
    if (differs(at))
      return false;
  // Bytes like CR would pass for '-': names with them are no names.
  return !differs(size - 8) && is_token(name);
}

// Length, first, middle and last letter tell the names apart well enough.
constexpr std::size_t buckets = 256;
constexpr std::size_t bucket_of(std::string_view name) {
  auto at = [&](std::size_t i) {
    return static_cast<std::size_t>(static_cast<unsigned char>(ascii_lower(name[i])));
  };
  auto hash = name.size() * 37 + at(0) * 11 + at(name.size() / 2) * 101 + at(name.size() - 1) * 7;
  return hash % buckets;
}

// Open addressing, filled at compile time; 0 is an empty place, which ends a search.
constexpr auto table = [] {
  std::array<std::uint8_t, buckets> places{};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    auto place = bucket_of(rows[i].name);
    while (places[place])
      place = (place + 1) % buckets;
    places[place] = static_cast<std::uint8_t>(i + 1);
  }
  return places;
}();

constexpr auto token_chars = [] {
  std::array<bool, 256> is{};
  for (unsigned char c : std::string_view{"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                          "ABCDEFGHIJKLMNOPQRSTUVWXYZ"})
    is[c] = true;
  return is;
}();

} // namespace

Method method_of(std::string_view token) {
  switch (token.size()) {
  case 3:
    return token == "GET" ? Method::get : token == "PUT" ? Method::put : Method::other;
  case 4:
    return token == "POST" ? Method::post : token == "HEAD" ? Method::head : Method::other;
  case 5:
    return token == "PATCH" ? Method::patch : token == "TRACE" ? Method::trace : Method::other;
  case 6:
    return token == "DELETE" ? Method::delete_ : Method::other;
  case 7:
    return token == "OPTIONS"   ? Method::options
           : token == "CONNECT" ? Method::connect
                                : Method::other;
  default:
    return Method::other;
  }
}

std::string_view to_string(Method method) {
  constexpr std::array<std::string_view, 10> names{"GET",     "HEAD",    "POST",  "PUT",   "DELETE",
                                                   "CONNECT", "OPTIONS", "TRACE", "PATCH", ""};
  return names[static_cast<std::size_t>(method)];
}

HeaderId header_id(std::string_view name) {
  if (name.empty() || name.size() > 32)
    return HeaderId::other;
  for (auto place = bucket_of(name); table[place]; place = (place + 1) % buckets) {
    const auto& row = rows[table[place] - 1U];
    if (names_row(row.name, name))
      return row.id;
  }
  return HeaderId::other;
}

std::string_view header_name(HeaderId id) {
  auto index = static_cast<std::size_t>(id);
  return index == 0 || index > rows.size() ? std::string_view{} : rows[index - 1].name;
}

std::string_view reason_phrase(int status) {
  switch (status) {
  case 100:
    return "Continue";
  case 101:
    return "Switching Protocols";
  case 200:
    return "OK";
  case 201:
    return "Created";
  case 202:
    return "Accepted";
  case 203:
    return "Non-Authoritative Information";
  case 204:
    return "No Content";
  case 205:
    return "Reset Content";
  case 206:
    return "Partial Content";
  case 300:
    return "Multiple Choices";
  case 301:
    return "Moved Permanently";
  case 302:
    return "Found";
  case 303:
    return "See Other";
  case 304:
    return "Not Modified";
  case 307:
    return "Temporary Redirect";
  case 308:
    return "Permanent Redirect";
  case 400:
    return "Bad Request";
  case 401:
    return "Unauthorized";
  case 402:
    return "Payment Required";
  case 403:
    return "Forbidden";
  case 404:
    return "Not Found";
  case 405:
    return "Method Not Allowed";
  case 406:
    return "Not Acceptable";
  case 407:
    return "Proxy Authentication Required";
  case 408:
    return "Request Timeout";
  case 409:
    return "Conflict";
  case 410:
    return "Gone";
  case 411:
    return "Length Required";
  case 412:
    return "Precondition Failed";
  case 413:
    return "Content Too Large";
  case 414:
    return "URI Too Long";
  case 415:
    return "Unsupported Media Type";
  case 416:
    return "Range Not Satisfiable";
  case 417:
    return "Expectation Failed";
  case 421:
    return "Misdirected Request";
  case 422:
    return "Unprocessable Content";
  case 426:
    return "Upgrade Required";
  case 429:
    return "Too Many Requests";
  case 431:
    return "Request Header Fields Too Large";
  case 500:
    return "Internal Server Error";
  case 501:
    return "Not Implemented";
  case 502:
    return "Bad Gateway";
  case 503:
    return "Service Unavailable";
  case 504:
    return "Gateway Timeout";
  case 505:
    return "HTTP Version Not Supported";
  default:
    return "Unknown";
  }
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size())
    return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (ascii_lower(a[i]) != ascii_lower(b[i]))
      return false;
  return true;
}

bool is_token(std::string_view text) {
  for (unsigned char c : text)
    if (!token_chars[c])
      return false;
  return !text.empty();
}

bool is_field_value(std::string_view text) {
  auto blank = [](char c) { return c == ' ' || c == '\t'; };
  if (!text.empty() && (blank(text.front()) || blank(text.back())))
    return false;
  for (unsigned char c : text)
    if ((c < 0x20 && c != '\t') || c == 0x7f)
      return false;
  return true;
}

} // namespace strait::net::http1
