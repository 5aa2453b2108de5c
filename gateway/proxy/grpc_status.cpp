#include "gateway/proxy/grpc_status.hpp"

namespace strait::gateway::proxy {

int grpc_status(int http_status) {
  enum { unknown = 2, deadline_exceeded = 4, permission_denied = 7, unimplemented = 12 };
  enum { internal = 13, unavailable = 14, unauthenticated = 16 };
  switch (http_status) {
  case 400:
    return internal;
  case 401:
    return unauthenticated;
  case 403:
    return permission_denied;
  case 404:
    return unimplemented;
  case 408:
  case 504:
    return deadline_exceeded;
  case 429:
  case 502:
  case 503:
    return unavailable;
  default:
    return unknown;
  }
}

void append_grpc_message(std::string_view text, std::string& out) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  for (const char c : text.substr(0, grpc_message_bytes_max)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte <= 0x7e && c != '%')
      out.push_back(c);
    else
      out.append({'%', digits[byte >> 4], digits[byte & 15]});
  }
}

} // namespace strait::gateway::proxy
