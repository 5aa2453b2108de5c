#pragma once

#include "base/result.hpp"
#include "catalog/command.hpp"

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// What travels on a peer stream, as plain values: Consul's replication messages and the four kinds
/// of resource in them. Protobuf stays in stream_codec.cpp and payload_codec.cpp.
namespace strait::peering {

/// What one datacenter subscribes to at another, in the order in which subscriptions are sent.
enum class Resource : std::uint8_t {
  exported_service,
  exported_service_list,
  trust_bundle,
  server_addresses, ///< Asked for by the dialer only.
};
inline constexpr int resource_count = 4;
/// "type.googleapis.com/hashicorp.consul.internal.peerstream.ExportedService", …
std::string_view type_url(Resource resource);
std::optional<Resource> resource_from(std::string_view url);
/// ResourceID of the kinds that have only one: "exported-service-list", "roots", "server-addrs".
std::string_view single_id(Resource resource);

/// The codes of gRPC (and google.rpc.Code) that the protocol speaks of.
enum class Code : int {
  ok = 0,
  cancelled = 1,
  unknown = 2,
  invalid_argument = 3,
  not_found = 5,
  permission_denied = 7,
  resource_exhausted = 8,
  failed_precondition = 9,
  aborted = 10,
  internal = 13,
  unavailable = 14,
};

/// How far one store has got: Strait's own addition, in fields that Consul skips
/// (docs/formats/peering.md).
struct StoreRevision {
  std::string store_id;
  std::uint64_t revision = 0;
  friend bool operator==(const StoreRevision&, const StoreRevision&) = default;
};

struct RemoteInfo {
  std::string partition;
  std::string datacenter;
  friend bool operator==(const RemoteInfo&, const RemoteInfo&) = default;
};

/// The dialer's first message.
struct Open {
  std::string peer_id;
  std::string stream_secret;
  RemoteInfo remote;
  friend bool operator==(const Open&, const Open&) = default;
};

/// A subscription (no nonce), an ACK (a nonce) or a NACK (a nonce and an error).
struct Request {
  struct Failure {
    Code code = Code::internal;
    std::string message;
    friend bool operator==(const Failure&, const Failure&) = default;
  };
  std::string peer_id; ///< Of the remote's peering: only from the dialer.
  std::string nonce;
  std::string url;
  std::optional<Failure> failure;
  std::optional<StoreRevision> imported; ///< With the first subscription; present: can resume.
  std::string list_digest;               ///< SHA-256 of the services that the sender holds.
  friend bool operator==(const Request&, const Request&) = default;
};

struct Response {
  std::string nonce;
  std::string url;
  std::string id;
  std::string payload_url; ///< Must equal url.
  /// The encoded resource; null: the message has none.
  std::shared_ptr<const std::string> payload;
  bool upsert = true; ///< The only operation there is.
  friend bool operator==(const Response& a, const Response& b) {
    return a.nonce == b.nonce && a.url == b.url && a.id == b.id && a.payload_url == b.payload_url &&
           a.upsert == b.upsert && !a.payload == !b.payload &&
           (!a.payload || *a.payload == *b.payload);
  }
};

struct Terminated {
  friend bool operator==(const Terminated&, const Terminated&) = default;
};

struct Heartbeat {
  /// All that was exported up to here has been acknowledged by the receiver.
  std::optional<StoreRevision> exported;
  friend bool operator==(const Heartbeat&, const Heartbeat&) = default;
};

using Message = std::variant<Open, Request, Response, Terminated, Heartbeat>;

std::string encode(const Message& message);
/// Errc::corrupt: not a replication message, or one without content. Unknown fields are skipped.
Result<Message> decode(std::string_view bytes);

/// Resources, decoded.
struct ExportedService {
  std::string name;
  std::vector<catalog::Import::Instance> instances;
};
struct ExportedServiceList {
  std::vector<std::string> services;
};
struct ServerAddresses {
  std::vector<std::string> addresses;
};
using Payload =
    std::variant<ExportedService, ExportedServiceList, model::TrustBundle, ServerAddresses>;

/// Equal payloads have equal bytes.
std::string encode_payload(const Payload& payload);

struct PayloadLimits {
  std::size_t instances_max = 20'000;
  std::size_t services_max = 100'000;
  std::size_t roots_max = 64;
  std::size_t addresses_max = 256;
};
/// Errc::invalid names what a peer must never send: an empty node name, service or check id, a
/// service under another name than its resource's, a port beyond 65535.
Result<Payload> decode_payload(Resource resource, const std::string& id, std::string_view bytes,
                               const PayloadLimits& limits = {});

} // namespace strait::peering
