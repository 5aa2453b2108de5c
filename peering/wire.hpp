#pragma once

#include "peering/frontend.hpp"
#include "peering/message.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

/// The gRPC side of peering, free of gRPC's own types: streams that carry messages, and who accepts
/// them. Nothing here decides; the link and the frontend do.
namespace strait::peering {

struct WireLimits {
  std::size_t queued_messages_max = 100'000; ///< Of one stream, waiting to be written.
  std::size_t queued_bytes_max = 64U << 20U; ///< Beyond either the stream is cut.
  int dialer_message_bytes_max = 8 << 20;    ///< Sent and received, as Consul's dialer.
  int acceptor_message_bytes_max = 50 << 20; ///< Received, as Consul's acceptor.
  Millis keepalive_time{30'000};
  Millis keepalive_timeout{10'000};
  Millis connect_timeout{5'000};
};

/// Bytes are those of encoded messages, without gRPC's framing and TLS.
struct StreamCounters {
  std::atomic<std::uint64_t> messages_sent{0}, messages_received{0};
  std::atomic<std::uint64_t> bytes_sent{0}, bytes_received{0};
};

/// What a stream tells its owner: from gRPC's threads, one call at a time for one stream. Calls
/// must not block; they pass the news on.
struct StreamEvents {
  std::function<void(Message)> received; ///< Once for each read_on().
  /// The last call, exactly once. Code::ok: the peer closed it in good order.
  std::function<void(Code, std::string why)> lost;
};

/// One open stream. Any thread may call; nothing blocks. Calls after its end do nothing.
class Stream {
public:
  virtual ~Stream() = default;
  /// Urgent messages pass those that wait and are not urgent. Each kind keeps its order.
  virtual void send(const Message& message, bool urgent) = 0;
  /// Asks for the next message.
  virtual void read_on() = 0;
  /// Writes what is queued, closes our half and reads to the peer's end, which nobody is shown.
  virtual void drain() = 0;
  virtual void hang_up(Code code, const std::string& why) = 0;
  virtual const StreamCounters& counters() const = 0;
};

struct DialTarget {
  std::string address;              ///< host:port
  std::vector<std::string> ca_pems; ///< Whom to trust, and nobody else. Empty: plaintext.
  std::string server_name;          ///< SNI, and what the certificate must be for.
};

/// Opens a stream. It can be sent to at once; a dial that fails ends in lost().
std::shared_ptr<Stream> dial(const DialTarget& target, StreamEvents events,
                             const WireLimits& limits = {});

struct ExchangeOptions {
  Millis total{3'000};
  Millis each{2'000};
  Millis pause{150};
  int jitter_percent = 25;
};
/// Exchanges a token's secret for the stream secret, at each of its addresses in turn. Blocks for
/// up to `total`: only on a thread that exists for it. Errc::denied: the token has been used or
/// replaced. Errc::unavailable names the last address and what it said.
Result<std::string> exchange_secret(const Token& token, const ExchangeOptions& options = {});

/// Who decides on what comes in. Called on gRPC's threads; answers from any thread, exactly once.
class PeerAcceptor {
public:
  virtual ~PeerAcceptor() = default;
  using Admit = std::function<void(tl::expected<StreamEvents, Refusal>)>;
  /// The first message of a stream (admit() in frontend.hpp judges it). The stream may be kept at
  /// once, and used once it is admitted.
  virtual void opened(Message first, std::shared_ptr<Stream> stream, Admit answer) = 0;
  virtual void exchange(std::string peer_id, std::string secret,
                        std::function<void(Result<std::string>)> answer) = 0;
};

/// Who answers people and programs (frontend.hpp). Called on gRPC's threads; answers from any
/// thread, exactly once.
class PeeringHandler {
public:
  template <class T>
  using Answer = std::function<void(Result<T>)>;
  using PeeringRecord = catalog::RecordPtr<model::Peering>;
  using BundleRecord = catalog::RecordPtr<model::TrustBundle>;
  virtual ~PeeringHandler() = default;
  virtual void generate_token(GenerateTokenRequest request, Answer<std::string> answer) = 0;
  virtual void establish(EstablishRequest request, Answer<void> answer) = 0;
  virtual void read(std::string name, Answer<PeeringRecord> answer) = 0;
  virtual void list(Answer<std::vector<PeeringRecord>> answer) = 0;
  virtual void remove(std::string name, Answer<void> answer) = 0;
  virtual void read_trust_bundle(std::string name, Answer<BundleRecord> answer) = 0;
  virtual void list_trust_bundles(std::string service, std::string kind,
                                  Answer<std::vector<BundleRecord>> answer) = 0;
};

} // namespace strait::peering
