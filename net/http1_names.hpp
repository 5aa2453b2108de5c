#pragma once

#include <cstdint>
#include <string_view>

namespace strait::net::http1 {

enum class Method : std::uint8_t {
  get,
  head,
  post,
  put,
  delete_,
  connect,
  options,
  trace,
  patch,
  other
};

/// The method of a token; methods are case-sensitive (RFC 9110 §9.1).
Method method_of(std::string_view token);
/// "GET"; empty for other.
std::string_view to_string(Method method);

/// Well-known header fields as small integers, given at parse time: a condition on one of them is
/// an integer comparison. `other` stands for every name that is not in the table.
enum class HeaderId : std::uint8_t {
  other,
  accept,
  accept_encoding,
  accept_language,
  authorization,
  cache_control,
  connection,
  content_encoding,
  content_length,
  content_type,
  cookie,
  date,
  etag,
  expect,
  forwarded,
  grpc_timeout,
  host,
  http2_settings,
  if_modified_since,
  if_none_match,
  keep_alive,
  last_modified,
  location,
  origin,
  proxy_authenticate,
  proxy_authorization,
  proxy_connection,
  range,
  referer,
  retry_after,
  sec_websocket_accept,
  sec_websocket_key,
  sec_websocket_protocol,
  sec_websocket_version,
  server,
  set_cookie,
  te,
  traceparent,
  trailer,
  transfer_encoding,
  upgrade,
  user_agent,
  vary,
  via,
  www_authenticate,
  x_forwarded_for,
  x_forwarded_host,
  x_forwarded_port,
  x_forwarded_proto,
  x_real_ip,
  x_request_id,
  count_, ///< How many ids there are; at most 64, so that presence is one word.
};

/// The id of a field name, in any case.
HeaderId header_id(std::string_view name);
/// The name in lower case; empty for other.
std::string_view header_name(HeaderId id);

/// "Not Found"; "Unknown" for codes that RFC 9110 does not list.
std::string_view reason_phrase(int status);

/// ASCII only, as header names and tokens compare.
bool equal_ignoring_case(std::string_view a, std::string_view b);

/// Whether the text is a token (RFC 9110 §5.6.2): a field name, a method.
bool is_token(std::string_view text);
/// Whether the text may be a field value: no control characters but tab, no blank at either end.
bool is_field_value(std::string_view text);

} // namespace strait::net::http1
