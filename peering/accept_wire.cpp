#include "peering/accept_wire.hpp"

#include "peering/stream_wire.hpp"
#include "proto/consul/peerstream.grpc.pb.h"

#include <optional>

/// The acceptor: PeerStreamService by the callback API, its stream as bytes.
namespace strait::peering {
namespace {

namespace pb = hashicorp::consul::internal::peerstream;

grpc::Status status_of(const Refusal& refusal) {
  auto code = static_cast<grpc::StatusCode>(refusal.code);
  if (refusal.leader_address.empty())
    return {code, refusal.message};
  // google.rpc.Status {code = 1, message = 2, details = 3}: the same fields as Consul's own.
  hashicorp::consul::internal::status::Status rich;
  rich.set_code(static_cast<int>(refusal.code));
  rich.set_message(refusal.message);
  pb::LeaderAddress leader;
  leader.set_address(refusal.leader_address);
  rich.add_details()->PackFrom(leader);
  return {code, refusal.message, rich.SerializeAsString()};
}

class AcceptedStream final
    : public wire::ReactorStream<grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>> {
public:
  AcceptedStream(PeerAcceptor& acceptor, grpc::CallbackServerContext& context,
                 const WireLimits& limits)
      : ReactorStream{limits}, acceptor_{acceptor}, context_{context} {}

  void start(std::shared_ptr<AcceptedStream> self) {
    self_ = std::move(self);
    read_on();
  }

  void hang_up(Code code, const std::string& why) override {
    std::lock_guard lock{mutex_};
    if (closed_)
      return;
    queue_.clear();
    if (writing_) // The peer may not be reading: do not wait for it.
      context_.TryCancel();
    finish_after_writes({static_cast<grpc::StatusCode>(code), why});
  }

  void OnReadDone(bool ok) override {
    std::unique_lock lock{mutex_};
    reading_ = false;
    if (closed_ || finish_)
      return;
    if (!ok) {
      if (!draining_)
        note_end(Code::ok, "");
      return finish_after_writes(
          draining_ ? grpc::Status::OK
                    : grpc::Status{grpc::StatusCode::UNKNOWN, "stream ended unexpectedly"});
    }
    auto message = wire::read_message(in_, counters_);
    if (draining_)
      return read_next();
    lock.unlock();
    if (!message)
      return hang_up(Code::internal, message.error().detail);
    if (!opened_) {
      opened_ = true;
      return acceptor_.opened(std::move(*message), self_,
                              [self = self_](auto verdict) { self->judge(std::move(verdict)); });
    }
    events_->received(std::move(*message));
  }

  void OnWriteDone(bool ok) override {
    std::lock_guard lock{mutex_};
    writing_ = false;
    if (!ok)
      queue_.clear(); // OnCancel follows, or a read that fails.
    write_next();
  }

  void OnCancel() override {
    std::lock_guard lock{mutex_};
    note_end(Code::cancelled, "the peer has gone away");
    queue_.clear();
    finish_after_writes(grpc::Status::CANCELLED);
  }

  void OnDone() override {
    std::optional<StreamEvents> events;
    std::pair<Code, std::string> end;
    std::shared_ptr<AcceptedStream> self;
    {
      std::lock_guard lock{mutex_};
      done_ = true;
      self = std::move(self_);
      events = std::exchange(events_, {});
      end = end_.value_or(std::pair{Code::ok, std::string{}});
    }
    if (events)
      events->lost(end.first, end.second);
  }

private:
  void judge(tl::expected<StreamEvents, Refusal> verdict) {
    std::unique_lock lock{mutex_};
    if (verdict && !done_) {
      events_ = std::move(*verdict);
      read_next();
      return;
    }
    if (verdict) { // It has ended while it was judged.
      lock.unlock();
      return verdict->lost(Code::cancelled, "the peer has gone away");
    }
    if (closed_)
      return;
    if (verdict.error().terminated) {
      queue_.push(encode(Terminated{}), true);
      write_next();
    }
    finish_after_writes(status_of(verdict.error()));
  }

  void note_end(Code code, std::string why) {
    if (!end_)
      end_ = {code, std::move(why)};
  }
  void finish_after_writes(grpc::Status status) {
    if (!finish_)
      finish_ = std::move(status);
    write_next();
  }
  void written_all() override {
    if (!finish_ || std::exchange(closed_, true))
      return;
    Finish(*finish_);
  }

  PeerAcceptor& acceptor_;
  grpc::CallbackServerContext& context_;
  bool opened_ = false, done_ = false;
  std::optional<StreamEvents> events_;
  std::optional<std::pair<Code, std::string>> end_;
  std::optional<grpc::Status> finish_;
  std::shared_ptr<AcceptedStream> self_;
};

using Base = pb::PeerStreamService::WithRawCallbackMethod_StreamResources<
    pb::PeerStreamService::WithCallbackMethod_ExchangeSecret<pb::PeerStreamService::Service>>;

class PeerStreamService final : public Base {
public:
  PeerStreamService(PeerAcceptor& acceptor, const WireLimits& limits)
      : acceptor_{acceptor}, limits_{limits} {}

  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>*
  StreamResources(grpc::CallbackServerContext* context) override {
    auto stream = std::make_shared<AcceptedStream>(acceptor_, *context, limits_);
    stream->start(stream);
    return stream.get();
  }

  grpc::ServerUnaryReactor* ExchangeSecret(grpc::CallbackServerContext* context,
                                           const pb::ExchangeSecretRequest* request,
                                           pb::ExchangeSecretResponse* response) override {
    auto* reactor = context->DefaultReactor();
    acceptor_.exchange(request->peerid(), request->establishmentsecret(),
                       [reactor, response](Result<std::string> secret) {
                         if (secret)
                           response->set_streamsecret(*secret);
                         reactor->Finish(secret ? grpc::Status::OK
                                                : wire::to_status(secret.error()));
                       });
    return reactor;
  }

private:
  PeerAcceptor& acceptor_;
  WireLimits limits_;
};

} // namespace

std::shared_ptr<grpc::Service> make_peer_stream_service(PeerAcceptor& acceptor,
                                                        const WireLimits& limits) {
  return std::make_shared<PeerStreamService>(acceptor, limits);
}

} // namespace strait::peering
