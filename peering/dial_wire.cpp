#include "peering/stream_wire.hpp"
#include "peering/tls_tunnel.hpp"
#include "proto/consul/peerstream.grpc.pb.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/create_channel_posix.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>

#include <thread>

/// The dialer: one channel and one call for each stream.
namespace strait::peering {
namespace {

namespace pb = hashicorp::consul::internal::peerstream;

/// A connection of its own for each stream: TLS by a tunnel, or plaintext by gRPC.
struct Connection {
  std::unique_ptr<TlsTunnel> tunnel; // Null: plaintext. Outlives the channel.
  std::shared_ptr<grpc::Channel> channel;
  std::string failure; // It could not even be begun.

  /// What the tunnel says is better than gRPC's "socket closed".
  std::string why(const grpc::Status& status) const {
    if (!failure.empty())
      return failure;
    auto reason = tunnel ? tunnel->failure() : std::string{};
    return reason.empty() ? status.error_message() : reason;
  }
  bool distrusted() const { return tunnel && tunnel->distrusted(); }
};

Connection connect(const DialTarget& target, const WireLimits& limits) {
  grpc::ChannelArguments arguments;
  auto ms = [](Millis time) { return static_cast<int>(time.count()); };
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, ms(limits.connect_timeout));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, ms(limits.keepalive_time));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, ms(limits.keepalive_timeout));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetMaxReceiveMessageSize(limits.dialer_message_bytes_max);
  arguments.SetMaxSendMessageSize(limits.dialer_message_bytes_max);
  Connection connection;
  if (!target.ca_pems.empty()) {
    auto tunnel = TlsTunnel::open(
        {target.address, target.ca_pems, target.server_name, limits.connect_timeout});
    if (tunnel) {
      connection.tunnel = std::move(*tunnel);
      connection.channel = grpc::CreateCustomInsecureChannelFromFd(
          target.server_name, connection.tunnel->take_socket(), arguments);
      return connection;
    }
    connection.failure = tunnel.error().detail;
  }
  // After a failure: a channel that cannot connect, so that the stream ends like any other.
  connection.channel = grpc::CreateCustomChannel(
      connection.failure.empty() ? target.address : "unix:/nowhere/strait",
      grpc::InsecureChannelCredentials(), arguments);
  return connection;
}

class DialedStream final
    : public wire::ReactorStream<grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>> {
public:
  DialedStream(const DialTarget& target, StreamEvents events, const WireLimits& limits)
      : ReactorStream{limits}, events_{std::move(events)},
        connection_{connect(target, limits)}, stub_{connection_.channel}, address_{target.address} {
  }

  /// It keeps itself until gRPC has let go of it.
  void start(std::shared_ptr<DialedStream> self) {
    self_ = std::move(self);
    stub_.PrepareBidiStreamingCall(&context_, wire::stream_method, {}, this);
    AddHold(); // Until close(): writes are started from outside gRPC's calls.
    StartCall();
  }

  void hang_up(Code code, const std::string& why) override {
    std::lock_guard lock{mutex_};
    if (closed_)
      return;
    if (!why.empty() && code != Code::ok)
      own_reason_ = why;
    close();
    context_.TryCancel();
  }

  void OnReadDone(bool ok) override {
    std::unique_lock lock{mutex_};
    reading_ = false;
    if (!ok)
      return close();
    auto message = wire::read_message(in_, counters_);
    if (draining_)
      return read_next();
    lock.unlock();
    if (message)
      events_.received(std::move(*message));
    else
      hang_up(Code::internal, message.error().detail);
  }

  void OnWriteDone(bool ok) override {
    std::lock_guard lock{mutex_};
    writing_ = false;
    if (ok)
      write_next();
    else if (!reading_)
      read_next(); // Its failure tells that the stream is over, and why.
  }

  void OnDone(const grpc::Status& status) override {
    auto self = std::move(self_);
    auto code = wire::to_code(status.error_code());
    auto why = !own_reason_.empty() ? own_reason_
               : status.ok()        ? std::string{}
                                    : fmt::format("{}: {}", address_, connection_.why(status));
    events_.lost(code, why);
    events_ = {};
    // The end of the last channel joins gRPC's own threads, so it must not happen on one of them:
    // gRPC 1.51 aborts the process then.
    std::thread{[self = std::move(self)]() mutable { self.reset(); }}.detach();
  }

private:
  void written_all() override {
    if (draining_ && !std::exchange(writes_done_, true))
      StartWritesDone();
  }
  void close() {
    if (std::exchange(closed_, true))
      return;
    queue_.clear();
    RemoveHold();
  }

  StreamEvents events_;
  Connection connection_;
  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  std::string address_;
  std::string own_reason_;
  bool writes_done_ = false;
  std::shared_ptr<DialedStream> self_;
};

} // namespace

std::shared_ptr<Stream> dial(const DialTarget& target, StreamEvents events,
                             const WireLimits& limits) {
  auto stream = std::make_shared<DialedStream>(target, std::move(events), limits);
  stream->start(stream);
  return stream;
}

Result<std::string> exchange_secret(const Token& token, const ExchangeOptions& options) {
  const auto& ring = token.manual_server_addresses.empty() ? token.server_addresses
                                                           : token.manual_server_addresses;
  auto until = std::chrono::system_clock::now() + options.total;
  Error last{Errc::unavailable, "peering token server addresses value is empty"};
  std::size_t distrusted = 0;
  for (std::size_t i = 0; !ring.empty() && std::chrono::system_clock::now() < until; ++i) {
    const auto& address = ring[i % ring.size()];
    auto connection =
        connect({address, token.ca_pems, token.server_name}, {.connect_timeout = options.each});
    auto stub = pb::PeerStreamService::NewStub(connection.channel);
    grpc::ClientContext context;
    context.set_deadline(std::min(until, std::chrono::system_clock::now() + options.each));
    pb::ExchangeSecretRequest request;
    request.set_peerid(token.peer_id);
    request.set_establishmentsecret(token.establishment_secret);
    pb::ExchangeSecretResponse response;
    auto status = stub->ExchangeSecret(&context, request, &response);
    if (status.ok())
      return response.streamsecret();
    if (status.error_code() == grpc::StatusCode::PERMISSION_DENIED)
      return fail(Errc::denied, "a new peering token must be generated: {}",
                  status.error_message());
    last = {Errc::unavailable,
            fmt::format("peering server {}: {}", address, connection.why(status))};
    distrusted += connection.distrusted() ? 1 : 0;
    if (distrusted >= ring.size())
      break; // Nothing that time would change.
    auto most = options.pause.count() * options.jitter_percent / 100;
    auto jitter = most > 0 ? static_cast<unsigned char>(random_bytes(1)[0]) * most / 255 : 0;
    auto wake = std::chrono::system_clock::now() + options.pause + Millis{jitter};
    std::this_thread::sleep_until(std::min(wake, until));
  }
  return fail(std::move(last));
}

} // namespace strait::peering
