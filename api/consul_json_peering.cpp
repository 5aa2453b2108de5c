#include "api/consul_json.hpp"
#include "peering/authority.hpp"

#include <algorithm>

namespace strait::api {

void write_peering(JsonWriter& json, const catalog::Record<model::Peering>& record) {
  auto& peering = record.value;
  json.begin_object().text("ID", peering.id).text("Name", peering.name);
  if (peering.deleted_at != WallTime{})
    json.time_or_null("DeletedAt", peering.deleted_at);
  if (!peering.meta.empty())
    json.map("Meta", peering.meta);
  json.text("State", model::to_string(peering.state)).text_unless_empty("PeerID", peering.peer_id);
  if (!peering.peer_ca_pems.empty())
    json.texts("PeerCAPems", peering.peer_ca_pems);
  json.text_unless_empty("PeerServerName", peering.peer_server_name);
  if (!peering.peer_server_addresses.empty())
    json.texts("PeerServerAddresses", peering.peer_server_addresses);
  auto& status = peering.status;
  json.key("StreamStatus").begin_object().texts_or_null("ImportedServices", status.imported);
  json.texts_or_null("ExportedServices", status.exported);
  json.time_or_null("LastHeartbeat", status.last_heartbeat);
  json.time_or_null("LastReceive", status.last_receive);
  json.time_or_null("LastSend", status.last_send);
  // Strait's own: why a peering fails, and how far behind the peer is.
  json.text_unless_empty("LastError", status.last_error);
  if (status.lag > 0)
    json.number("LagRevisions", status.lag);
  json.end_object();
  json.number("CreateIndex", record.created).number("ModifyIndex", record.modified);
  json.key("Remote").begin_object().text("Partition", peering.remote_partition);
  json.text("Datacenter", peering.remote_datacenter).end_object().end_object();
}

namespace {

/// Consul shows the serial as a number; ours are longer than one: its lowest 63 bits.
std::uint64_t serial_number(std::string_view colon_hex) {
  std::uint64_t number = 0;
  for (char c : colon_hex)
    if (c != ':')
      number = number << 4U | static_cast<unsigned>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
  return number & 0x7fff'ffff'ffff'ffffU;
}

void write_root(JsonWriter& json, const catalog::Record<model::CertificateAuthority>& authority,
                const model::CertificateAuthority::Root& root) {
  auto facts = peering::read_certificate(root.certificate_pem)
                   .value_or(peering::CertificateFacts{}); // Ours: it can be read.
  auto& domain = authority.value.trust_domain;
  json.begin_object().text("ID", root.id).text("Name", "Consul CA Root Cert");
  json.number("SerialNumber", serial_number(facts.serial)).text("SigningKeyID", facts.key_id);
  json.text("ExternalTrustDomain", domain.substr(0, domain.find('.')));
  json.text("NotBefore", to_rfc3339(root.not_before)).text("NotAfter", to_rfc3339(root.not_after));
  json.text("RootCert", root.certificate_pem).null("IntermediateCerts");
  json.flag("Active", root.active).text("PrivateKeyType", "ec").number("PrivateKeyBits", 256);
  json.number("CreateIndex", authority.created).number("ModifyIndex", authority.modified);
  json.end_object();
}

} // namespace

void write_roots(JsonWriter& json, const catalog::Record<model::CertificateAuthority>& authority) {
  auto& roots = authority.value.roots;
  auto active = std::find_if(roots.begin(), roots.end(), [](auto& it) { return it.active; });
  json.begin_object().text("ActiveRootID", active == roots.end() ? "" : active->id);
  json.text("TrustDomain", authority.value.trust_domain).key("Roots").begin_array();
  for (auto& root : roots)
    write_root(json, authority, root);
  json.end_array().end_object();
}

} // namespace strait::api
