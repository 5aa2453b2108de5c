#include "peering/token.hpp"

#include "net/base64.hpp"
#include "peering/x509.hpp"

#include <nlohmann/json.hpp>

#include <charconv>

namespace strait::peering {
namespace {

using Json = nlohmann::json;
constexpr int depth_max = 8; // The token itself needs 3.

Result<std::vector<std::string>> strings(const Json& object, const char* key) {
  auto found = object.find(key);
  if (found == object.end() || found->is_null())
    return std::vector<std::string>{};
  if (!found->is_array())
    return fail(Errc::invalid, "peering token: {}: must be a list of strings", key);
  std::vector<std::string> values;
  for (const auto& value : *found) {
    if (!value.is_string())
      return fail(Errc::invalid, "peering token: {}: must be a list of strings", key);
    values.push_back(value.get<std::string>());
  }
  return values;
}

Result<std::string> string(const Json& object, const char* key) {
  auto found = object.find(key);
  if (found == object.end() || found->is_null())
    return std::string{};
  if (!found->is_string())
    return fail(Errc::invalid, "peering token: {}: must be a string", key);
  return found->get<std::string>();
}

/// Nothing when it is not JSON or nests deeper than a token does.
Json parse(const std::string& text) {
  bool deep = false;
  auto json = Json::parse(
      text,
      [&](int depth, Json::parse_event_t, Json&) {
        deep = deep || depth > depth_max;
        return !deep;
      },
      false);
  return deep ? Json(Json::value_t::discarded) : json;
}

} // namespace

bool is_server_address(std::string_view address) {
  auto colon = address.rfind(':');
  if (colon == std::string_view::npos || colon == 0)
    return false;
  auto host = address.substr(0, colon);
  bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed)
    host = host.substr(1, host.size() - 2);
  else if (host.find_first_of(":[]") != std::string_view::npos)
    return false;
  // What a resolver could misread as something else than a host.
  for (char c : host)
    if (c <= ' ' || c == '/' || c == ',' || c == '@' || static_cast<unsigned char>(c) >= 0x7f)
      return false;
  auto digits = address.substr(colon + 1);
  int port = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return error == std::errc{} && end == digits.data() + digits.size() && port >= 1 && port <= 65535;
}

std::string encode_token(const Token& token) {
  Json json{{"CA", token.ca_pems},
            {"ManualServerAddresses", nullptr},
            {"ServerAddresses", token.server_addresses},
            {"ServerName", token.server_name},
            {"PeerID", token.peer_id},
            {"EstablishmentSecret", token.establishment_secret},
            {"Remote",
             {{"Partition", token.remote_partition},
              {"Datacenter", token.remote_datacenter},
              {"Locality", nullptr}}}};
  if (!token.manual_server_addresses.empty())
    json["ManualServerAddresses"] = token.manual_server_addresses;
  return net::to_base64(json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

Result<Token> decode_token(std::string_view text, const TokenLimits& limits) {
  if (text.size() > limits.token_bytes_max)
    return fail(Errc::exhausted, "peering token: has {} bytes, the maximum is {}", text.size(),
                limits.token_bytes_max);
  auto bytes = net::from_base64(text);
  if (!bytes)
    return fail(Errc::invalid, "peering token: must be base64 of JSON, as generate-token gives it");
  auto json = parse(*bytes);
  if (!json.is_object())
    return fail(Errc::invalid, "peering token: must be base64 of a JSON object");
  auto ca = strings(json, "CA");
  auto manual = strings(json, "ManualServerAddresses");
  auto servers = strings(json, "ServerAddresses");
  for (auto* list : {&ca, &manual, &servers})
    if (!*list)
      return fail(list->error());
  auto name = string(json, "ServerName");
  auto peer = string(json, "PeerID");
  auto secret = string(json, "EstablishmentSecret");
  Result<std::string> datacenter, partition;
  if (auto remote = json.find("Remote"); remote != json.end() && remote->is_object()) {
    datacenter = string(*remote, "Datacenter");
    partition = string(*remote, "Partition");
  }
  for (auto* value : {&name, &peer, &secret, &datacenter, &partition})
    if (!*value)
      return fail(value->error());
  Token token{std::move(*ca),   std::move(*manual), std::move(*servers),    std::move(*name),
              std::move(*peer), std::move(*secret), std::move(*datacenter), std::move(*partition)};
  if (auto status = check_token(token, limits); !status)
    return fail(status.error());
  return token;
}

Status check_token(const Token& token, const TokenLimits& limits) {
  if (token.ca_pems.size() > limits.certificates_max)
    return fail(Errc::exhausted, "peering token: has {} CA certificates, the maximum is {}",
                token.ca_pems.size(), limits.certificates_max);
  auto addresses = token.server_addresses.size() + token.manual_server_addresses.size();
  if (addresses > limits.addresses_max)
    return fail(Errc::exhausted, "peering token: has {} server addresses, the maximum is {}",
                addresses, limits.addresses_max);
  for (const auto& pem : token.ca_pems)
    if (auto certificate = x509::read_certificate(pem); !certificate)
      return fail(Errc::invalid, "peering token invalid CA: {}", certificate.error().detail);
  if (addresses == 0)
    return fail(Errc::invalid, "peering token server addresses value is empty");
  for (const auto* list : {&token.server_addresses, &token.manual_server_addresses})
    for (const auto& address : *list)
      if (!is_server_address(address))
        return fail(Errc::invalid, "{} is not a valid peering server address", address);
  if (!token.ca_pems.empty() && token.server_name.empty())
    return fail(Errc::invalid, "peering token server name value is empty");
  if (token.peer_id.empty())
    return fail(Errc::invalid, "peering token peer ID value is empty");
  return {};
}

} // namespace strait::peering
