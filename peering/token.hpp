#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace strait::peering {

/// What one datacenter hands to another so that it can dial: base64 of JSON, key for key the token
/// of Consul.
struct Token {
  std::vector<std::string> ca_pems;
  std::vector<std::string> manual_server_addresses; ///< Given by the operator; win over the others.
  std::vector<std::string> server_addresses;        ///< host:port
  std::string server_name;                          ///< "server.<dc>.peering.<trust-domain>"
  std::string peer_id;                              ///< UUID of the peering at the acceptor.
  std::string establishment_secret;
  std::string remote_datacenter;
  std::string remote_partition;
  friend bool operator==(const Token&, const Token&) = default;
};

struct TokenLimits {
  std::size_t token_bytes_max = 1U << 20U; ///< As text.
  std::size_t addresses_max = 256;
  std::size_t certificates_max = 64;
};

std::string encode_token(const Token& token);

/// Decodes and validates (check_token). Unknown keys are ignored: a newer Consul may add some.
Result<Token> decode_token(std::string_view text, const TokenLimits& limits = {});
Status check_token(const Token& token, const TokenLimits& limits = {});

/// host:port with a port of 1..65535; the host may be a name, IPv4 or [IPv6].
bool is_server_address(std::string_view address);

} // namespace strait::peering
