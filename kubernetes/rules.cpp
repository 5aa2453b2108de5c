#include "kubernetes/rules.hpp"

#include "base/ascii.hpp"
#include "base/time.hpp"
#include "kubernetes/duration.hpp"

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

/// Of a path that is taken literally (RFC 3986 pchar, '/' and escapes).
bool is_path_text(std::string_view text) {
  auto hex = [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size() || !hex(text[i + 1]) || !hex(text[i + 2]))
        return false;
      i += 2;
    } else if (!is_alphanumeric(text[i]) && !one_of(text[i], "-/._~!$&'()*+,;=:@")) {
      return false;
    }
  }
  return !text.empty();
}

bool is_identifier(std::string_view text) {
  return !text.empty() && !is_digit(text.front()) &&
         all(text, [](char c) { return is_alphanumeric(c) || c == '_'; });
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

std::string precise_hostname(std::string_view text) {
  if (text.starts_with("*."))
    return "expected a host name without a wildcard";
  return hostname(text);
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
  if (!is_path_text(text))
    return "must hold only characters of an RFC 3986 path";
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

std::string path_replacement(std::string_view text) {
  return expect(text.size() <= 1024 && !std::any_of(text.begin(), text.end(), is_controlled),
                "a path of at most 1024 characters");
}
std::string authorizer_path(std::string_view text) {
  return text.empty() ? std::string{}
                      : expect(text.size() <= 1024 && is_path_text(text),
                               "a path of at most 1024 characters (RFC 3986)");
}

std::string cors_origin(std::string_view text) {
  if (text == "*")
    return {};
  auto rest = text;
  bool scheme = text.starts_with("http://") || text.starts_with("https://");
  if (scheme)
    rest.remove_prefix(text.find("//") + 2);
  auto colon = rest.find(':');
  auto host = rest.substr(0, colon);
  bool port = colon == std::string_view::npos ||
              (rest.size() - colon - 1 >= 1 && rest.size() - colon - 1 <= 5 &&
               all(rest.substr(colon + 1), is_digit));
  if (host.starts_with("*."))
    host.remove_prefix(2);
  bool labels = !host.empty() && host.back() != '.' && host.front() != '.' &&
                host.find("..") == std::string_view::npos &&
                all(host, [](char c) { return is_alphanumeric(c) || one_of(c, "-."); });
  return expect(text.size() <= 253 && scheme && port && (labels || host == "*"),
                "\"*\" or an origin like \"https://*.example.com:8443\"");
}

std::string grpc_service(std::string_view text) {
  auto rest = text.starts_with('.') ? text.substr(1) : text;
  bool fine = !text.empty() && text.size() <= 1024;
  while (fine) {
    auto dot = rest.find('.');
    fine = is_identifier(rest.substr(0, dot));
    if (dot == std::string_view::npos)
      break;
    rest.remove_prefix(dot + 1);
  }
  return expect(fine, "a gRPC service like \"package.Service\" of at most 1024 characters");
}
std::string grpc_method(std::string_view text) {
  return expect(text.size() <= 1024 && is_identifier(text),
                "a gRPC method (letters, digits and '_', at most 1024)");
}

std::string session_name(std::string_view text) {
  return expect(text.size() <= 128 && (text.empty() || header_name(text).empty()),
                "a name for a cookie or header (an RFC 9110 token of at most 128 characters)");
}
std::string absolute_uri(std::string_view text) {
  auto colon = text.find(':');
  bool fine = text.size() <= 253 && colon != std::string_view::npos && colon > 0 &&
              text.substr(0, colon).find_first_of("/?#") == std::string_view::npos &&
              text.substr(colon).starts_with("://");
  return expect(fine, "an absolute URI of at most 253 characters");
}
std::string http_uri(std::string_view text) {
  auto slashes = text.find("//");
  bool fine = (text.starts_with("http://") || text.starts_with("https://")) &&
              text.size() > slashes + 2 && text[slashes + 2] != '/' && text.size() <= 2048 &&
              all(text, [](char c) { return c > 0x20 && c < 0x7f; });
  return expect(fine, "a URI that begins with http:// or https://, at most 2048 characters");
}
std::string well_known_ca(std::string_view text) {
  auto slash = text.find('/');
  bool named = slash != std::string_view::npos && text.size() <= 253 &&
               is_subdomain(text.substr(0, slash)) && slash + 1 < text.size();
  return expect(text == "System" || named, "System or \"example.com/name\"");
}

std::string duration(std::string_view text) {
  return expect(parse_duration(text).has_value(),
                "a duration like \"1h30m\" or \"500ms\" (GEP-2257), at most 99999h");
}
std::string go_duration(std::string_view text) {
  return expect(parse_go_duration(text).has_value(),
                "a duration like \"1h30m\", \"1.5s\" or \"500ms\", at most 99999h");
}
std::string quantity(std::string_view text) {
  auto digits = text.find_first_not_of("0123456789.");
  auto number = text.substr(0, digits);
  auto suffix = digits == std::string_view::npos ? std::string_view{} : text.substr(digits);
  constexpr std::string_view suffixes[] = {"",  "n", "u",  "m",  "k",  "M",  "G",  "T",
                                           "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
  bool exponent = suffix.size() > 1 && one_of(suffix[0], "eE") &&
                  all(suffix.substr(one_of(suffix[1], "+-") ? 2 : 1), is_digit) &&
                  is_digit(suffix.back());
  bool known = std::find(std::begin(suffixes), std::end(suffixes), suffix) != std::end(suffixes);
  bool fine = std::any_of(number.begin(), number.end(), is_digit) && number.size() <= 32 &&
              std::count(number.begin(), number.end(), '.') <= 1 && (known || exponent);
  return expect(fine, "a quantity like \"100m\", \"128Mi\" or \"2\"");
}

std::string qualified_name(std::string_view text) {
  auto slash = text.find('/');
  bool fine = slash == std::string_view::npos || is_subdomain(text.substr(0, slash));
  auto name = slash == std::string_view::npos ? text : text.substr(slash + 1);
  fine = fine && framed(name, 63, [](char c) { return is_alphanumeric(c) || one_of(c, "-_."); });
  return expect(fine, "a key like \"name\" or \"example.com/name\"");
}
std::string annotation_key(std::string_view text) { return qualified_name(ascii_lower(text)); }
std::string optional_qualified_name(std::string_view text) {
  return text.empty() ? std::string{} : qualified_name(text);
}
std::string image(std::string_view text) {
  bool fine = !text.empty() && text.size() <= 512 &&
              all(text, [](char c) { return is_alphanumeric(c) || one_of(c, "./:@_-"); });
  return expect(fine, "a container image like \"example.com/strait-gateway:1.0\"");
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
  auto slash = text.find('/');
  bool prefixed = slash != std::string_view::npos && is_subdomain(text.substr(0, slash)) &&
                  slash + 1 < text.size() && is_path_text(text.substr(slash + 1));
  bool known = text == "IPAddress" || text == "Hostname" || text == "NamedAddress";
  return expect(known || (text.size() <= 253 && prefixed),
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
