#include "kubernetes/rules.hpp"

#include "base/time.hpp"

#include <fmt/core.h>
#include <re2/re2.h>

#include <algorithm>
#include <arpa/inet.h>

namespace strait::kubernetes::rules {

namespace {

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return is_lower(c) || (c >= 'A' && c <= 'Z'); }
bool is_alphanumeric(char c) { return is_letter(c) || is_digit(c); }
bool one_of(char c, std::string_view set) { return set.find(c) != std::string_view::npos; }

template <class Allowed>
bool all(std::string_view text, Allowed allowed) {
  return std::all_of(text.begin(), text.end(), allowed);
}

/// Only allowed bytes, with a letter or digit at both ends.
template <class Allowed>
bool framed(std::string_view text, std::size_t longest, Allowed allowed) {
  return !text.empty() && text.size() <= longest && is_alphanumeric(text.front()) &&
         is_alphanumeric(text.back()) && all(text, allowed);
}

bool is_label(std::string_view text) {
  return framed(text, 63, [](char c) { return is_lower(c) || is_digit(c) || c == '-'; });
}

bool is_subdomain(std::string_view text) {
  if (text.empty() || text.size() > 253)
    return false;
  for (;;) {
    auto dot = text.find('.');
    if (!is_label(text.substr(0, dot)))
      return false;
    if (dot == std::string_view::npos)
      return true;
    text.remove_prefix(dot + 1);
  }
}

bool is_address(std::string_view text, int family) {
  unsigned char bytes[16];
  return text.find('\0') == std::string_view::npos &&
         inet_pton(family, std::string{text}.c_str(), bytes) == 1;
}

std::string expect(bool fine, std::string_view expected) {
  return fine ? std::string{} : "expected " + std::string{expected};
}

bool is_controlled(char c) {
  auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t') || byte == 0x7f;
}

} // namespace

std::string any(std::string_view) { return {}; }
std::string not_empty(std::string_view text) { return expect(!text.empty(), "a text"); }

std::string dns_label(std::string_view text) {
  return expect(is_label(text), "an RFC 1123 label (a-z, 0-9 and '-', at most 63)");
}
std::string dns_subdomain(std::string_view text) {
  return expect(is_subdomain(text), "an RFC 1123 name (labels of a-z, 0-9 and '-', parted by '.')");
}
std::string api_group(std::string_view text) {
  return expect(text.empty() || is_subdomain(text), "an API group (an RFC 1123 name, or \"\")");
}
std::string api_kind(std::string_view text) {
  return expect(framed(text, 63, [](char c) { return is_alphanumeric(c) || c == '-'; }) &&
                    is_letter(text.front()),
                "a kind (a letter, then letters, digits and '-', at most 63)");
}

std::string hostname(std::string_view text) {
  if (is_address(text, AF_INET) || is_address(text, AF_INET6))
    return "expected a DNS name, not an IP address";
  auto bare = text.starts_with("*.") ? text.substr(2) : text;
  return expect(text.size() <= 253 && is_subdomain(bare),
                "an RFC 1123 host name, with \"*\" at most as its whole first label");
}
std::string listener_hostname(std::string_view text) {
  return text.empty() ? std::string{} : hostname(text);
}

std::string header_name(std::string_view text) {
  auto token = [](char c) { return is_alphanumeric(c) || one_of(c, "!#$%&'*+-.^_`|~"); };
  return expect(!text.empty() && text.size() <= 256 && all(text, token),
                "a header name (an RFC 9110 token of 1 to 256 characters)");
}
std::string header_value(std::string_view text) {
  return expect(!text.empty() && text.size() <= 4096 &&
                    !std::any_of(text.begin(), text.end(), is_controlled),
                "a header value of 1 to 4096 characters without control characters");
}
std::string query_value(std::string_view text) {
  return expect(!text.empty() && text.size() <= 1024, "a value of 1 to 1024 characters");
}

std::string literal_path(std::string_view text) {
  if (!text.starts_with('/'))
    return "must start with '/'";
  if (text.size() > 1024)
    return "must be at most 1024 characters";
  for (std::string_view part : {"//", "/./", "/../", "%2f", "%2F", "#"})
    if (text.find(part) != std::string_view::npos)
      return fmt::format("must not contain \"{}\"", part);
  for (std::string_view part : {"/..", "/."})
    if (text.ends_with(part))
      return fmt::format("must not end with \"{}\"", part);
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto hex = [&](std::size_t at) {
      return at < text.size() && (is_digit(text[at]) || one_of(text[at], "abcdefABCDEF"));
    };
    if (text[i] == '%' && hex(i + 1) && hex(i + 2))
      i += 2;
    else if (!is_alphanumeric(text[i]) && !one_of(text[i], "-/._~!$&'()*+,;=:@"))
      return "must hold only characters of an RFC 3986 path";
  }
  return {};
}

std::string regular_expression(std::string_view text) {
  if (text.empty() || text.size() > 1024)
    return "expected a regular expression of 1 to 1024 characters";
  re2::RE2 expression{re2::StringPiece{text.data(), text.size()}, re2::RE2::Quiet};
  return expression.ok()
             ? std::string{}
             : fmt::format("expected an RE2 regular expression: {}", expression.error());
}

std::string qualified_name(std::string_view text) {
  auto slash = text.find('/');
  bool fine = slash == std::string_view::npos || is_subdomain(text.substr(0, slash));
  auto name = slash == std::string_view::npos ? text : text.substr(slash + 1);
  fine = fine && framed(name, 63, [](char c) { return is_alphanumeric(c) || one_of(c, "-_."); });
  return expect(fine, "a key like \"name\" or \"example.com/name\"");
}
std::string label_value(std::string_view text) {
  return expect(text.empty() ||
                    framed(text, 63, [](char c) { return is_alphanumeric(c) || one_of(c, "-_."); }),
                "a label's value (letters, digits, '-', '_' and '.', at most 63)");
}
std::string data_key(std::string_view text) {
  bool fine = !text.empty() && text.size() <= 253 && text != "." && text != ".." &&
              all(text, [](char c) { return is_alphanumeric(c) || one_of(c, "-_."); });
  return expect(fine, "a key of letters, digits, '-', '_' and '.', at most 253");
}

std::string controller_name(std::string_view text) {
  auto slash = text.find('/');
  bool fine = slash != std::string_view::npos && text.size() <= 253 &&
              is_subdomain(text.substr(0, slash)) && slash + 1 < text.size() &&
              all(text.substr(slash + 1),
                  [](char c) { return is_alphanumeric(c) || one_of(c, "/-._~%!$&'()*+,;=:"); });
  return expect(fine, "a controller name like \"strait.dev/gateway-controller\"");
}

namespace {
bool is_prefixed(std::string_view text) {
  auto slash = text.find('/');
  return slash != std::string_view::npos && is_subdomain(text.substr(0, slash)) &&
         slash + 1 < text.size() && all(text.substr(slash + 1), is_alphanumeric);
}
} // namespace

std::string protocol(std::string_view text) {
  return expect(text.size() <= 255 &&
                    (is_prefixed(text) ||
                     framed(text, 255, [](char c) { return is_alphanumeric(c) || c == '-'; })),
                "a protocol (HTTP, HTTPS, TCP, …, or \"example.com/name\")");
}
std::string address_type(std::string_view text) {
  return expect(text == "IPAddress" || text == "Hostname" ||
                    (text.size() <= 253 && is_prefixed(text)),
                "IPAddress, Hostname or \"example.com/name\"");
}
std::string short_description(std::string_view text) {
  return expect(text.size() <= 64, "at most 64 characters");
}

std::string timestamp(std::string_view text) {
  std::string copy{text};
  return expect(to_rfc3339(from_rfc3339(copy)) == copy,
                "an RFC 3339 time like \"2026-11-23T12:00:00Z\"");
}

std::string service_name(std::string_view text) {
  bool fine = !text.empty() && text.size() <= 255 &&
              all(text, [](char c) { return is_alphanumeric(c) || one_of(c, "-_."); });
  return expect(fine, "a service name (letters, digits, '-', '_' and '.', 1 to 255)");
}
std::string service_name_or_star(std::string_view text) {
  auto wrong = text == "*" ? std::string{} : service_name(text);
  return wrong.empty() ? wrong : wrong + " or \"*\"";
}
std::string peer_name(std::string_view text) {
  return expect(text.empty() || is_label(text),
                "the name of a peering (a-z, 0-9 and '-', at most 63)");
}

std::string target_port(std::string_view text) {
  bool fine = framed(text, 15, [](char c) { return is_lower(c) || is_digit(c) || c == '-'; }) &&
              std::any_of(text.begin(), text.end(), is_lower) &&
              text.find("--") == std::string_view::npos;
  return expect(fine, "a port's name (a-z, 0-9 and '-', with a letter, at most 15) or number");
}
std::string ipv4(std::string_view text) {
  return expect(is_address(text, AF_INET), "an IPv4 address");
}
std::string ipv6(std::string_view text) {
  return expect(is_address(text, AF_INET6), "an IPv6 address");
}

} // namespace strait::kubernetes::rules
