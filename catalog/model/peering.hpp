#pragma once

#include "catalog/model/object.hpp"

/// Cluster peering, trust and permission to cross between datacenters (Consul's names).
namespace strait::model {

/// Config entry exported-services.
struct ExportedServices {
  static constexpr Kind kind = Kind::exported_services;
  struct Entry {
    std::string service;            ///< A name, or "*" for every service.
    std::vector<std::string> peers; ///< Local names of the peerings that may import it.
    friend bool operator==(const Entry&, const Entry&) = default;
  };
  std::string name = "default";
  std::vector<Entry> services;
  StringMap meta;
  friend bool operator==(const ExportedServices&, const ExportedServices&) = default;
};

/// Config entry service-intentions: who may call one service.
struct ServiceIntentions {
  static constexpr Kind kind = Kind::service_intentions;
  struct Source {
    std::string name; ///< The calling service, or "*".
    std::string peer; ///< The peering that it calls through; empty: this datacenter.
    bool allow = false;
    std::string description;
    friend bool operator==(const Source&, const Source&) = default;
  };
  std::string name; ///< The called service, or "*".
  std::vector<Source> sources;
  StringMap meta;
  friend bool operator==(const ServiceIntentions&, const ServiceIntentions&) = default;
};

enum class PeeringState : std::uint8_t {
  undefined = 0,
  pending = 1,
  establishing = 2,
  active = 3,
  failing = 4,
  deleting = 5,
  terminated = 6,
};
/// "ACTIVE", "FAILING", …
std::string_view to_string(PeeringState state);

/// What an operator sees of the stream to a peer. Stored, so that it survives and can be watched.
struct PeeringStatus {
  std::vector<std::string> imported, exported;            ///< Service names, sorted.
  WallTime last_heartbeat{}, last_receive{}, last_send{}; ///< The epoch: never.
  std::uint64_t lag = 0;  ///< Revisions of ours that the peer has not acknowledged.
  std::string last_error; ///< Why it is FAILING; kept after it recovered, until the next.
  friend bool operator==(const PeeringStatus&, const PeeringStatus&) = default;
};

struct Peering {
  static constexpr Kind kind = Kind::peering;
  std::string name;
  std::string id; ///< UUID of our record.
  PeeringState state = PeeringState::undefined;
  StringMap meta;
  /// The dialer knows these; they are empty at the acceptor.
  std::string peer_id; ///< UUID of the record at the acceptor.
  std::vector<std::string> peer_ca_pems;
  std::string peer_server_name;
  std::vector<std::string> peer_server_addresses;
  std::vector<std::string> manual_server_addresses;
  std::string remote_datacenter;
  std::string remote_partition;
  WallTime deleted_at{};
  PeeringStatus status;
  /// Resume between two Strait datacenters: the exporter's store and the revision of it up to which
  /// everything is in our catalog.
  std::string imported_store_id;
  std::uint64_t imported_revision = 0;

  bool dials() const { return !peer_server_addresses.empty() || !manual_server_addresses.empty(); }
  friend bool operator==(const Peering&, const Peering&) = default;
};

/// One-time and stream secrets of one peering (reference/consul: secrets lifecycle).
struct PeeringSecrets {
  static constexpr Kind kind = Kind::peering_secrets;
  std::string peering; ///< Name of the peering.
  std::string establishment;
  std::string pending_stream;
  std::string active_stream;
  friend bool operator==(const PeeringSecrets&, const PeeringSecrets&) = default;
};

/// The roots of a peered datacenter.
struct TrustBundle {
  static constexpr Kind kind = Kind::trust_bundle;
  std::string peer;
  std::string trust_domain; ///< "<uuid>.consul"
  std::vector<std::string> root_pems;
  std::string exported_partition;
  friend bool operator==(const TrustBundle&, const TrustBundle&) = default;
};

/// The datacenter's own certificate authority. Holds private keys: never leaves the agent.
struct CertificateAuthority {
  static constexpr Kind kind = Kind::certificate_authority;
  struct Root {
    std::string id;
    std::string certificate_pem;
    std::string key_pem;
    WallTime not_before{}, not_after{};
    bool active = false; ///< Signs; the others are only trusted, until they expire.
    friend bool operator==(const Root&, const Root&) = default;
  };
  std::string trust_domain; ///< "<uuid>.consul"
  std::vector<Root> roots;
  friend bool operator==(const CertificateAuthority&, const CertificateAuthority&) = default;
};

} // namespace strait::model
