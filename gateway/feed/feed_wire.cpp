#include "gateway/feed/feed_wire.hpp"

#include "gateway/feed/frame_messages.hpp"
#include "proto/proxy_config.grpc.pb.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace strait::gateway::feed {

namespace {

using proxy::v1::ConfigMessage;
using proxy::v1::ProxyMessage;

/// gRPC takes one write at a time: the others wait here. Shared by both ends of the stream.
template <class Message>
class WriteQueue {
public:
  enum class Next { write, nothing, full };
  /// Whether the caller is to start writing front() now.
  Next push(Message message) {
    if (ended_)
      return Next::nothing;
    if (queue_.size() >= max_frames_queued)
      return Next::full;
    queue_.push_back(std::move(message));
    return queue_.size() == 1 ? Next::write : Next::nothing;
  }
  const Message& front() const { return queue_.front(); }
  /// The write of front() is done. Whether there is another.
  bool pop() {
    queue_.pop_front();
    return !queue_.empty();
  }
  void end() { ended_ = true; }
  bool ended() const { return ended_; }

private:
  std::deque<Message> queue_;
  bool ended_ = false;
};

class ServerStream : public grpc::ServerBidiReactor<ProxyMessage, ConfigMessage>,
                     public ProxyStream,
                     public std::enable_shared_from_this<ServerStream> {
public:
  void start(const AcceptProxy& accept, const AdmitProxy& admit, ProxyPeer peer) {
    self_ = shared_from_this();
    admit_ = admit;
    peer_ = std::move(peer);
    events_ = accept(self_);
    StartRead(&incoming_);
  }

  void send(const ConfigFrame& frame) override {
    std::lock_guard lock{mutex_};
    switch (queue_.push(to_message(frame))) {
    case WriteQueue<ConfigMessage>::Next::write:
      StartWrite(&queue_.front());
      break;
    case WriteQueue<ConfigMessage>::Next::nothing:
      break;
    case WriteQueue<ConfigMessage>::Next::full:
      finish({grpc::StatusCode::RESOURCE_EXHAUSTED, "the proxy does not read its stream"});
    }
  }
  void close(const std::string& why) override {
    std::lock_guard lock{mutex_};
    finish({grpc::StatusCode::ABORTED, why});
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      std::lock_guard lock{mutex_};
      return finish(grpc::Status::OK);
    }
    auto frame = from_message(incoming_);
    if (!frame) {
      std::lock_guard lock{mutex_};
      return finish({grpc::StatusCode::INVALID_ARGUMENT, frame.error().detail});
    }
    // Each hello anew: a stream that was admitted for one gateway is not for another.
    if (auto* hello = std::get_if<Hello>(&*frame); hello && admit_)
      if (auto admitted = admit_(peer_, *hello); !admitted) {
        std::lock_guard lock{mutex_};
        return finish({grpc::StatusCode::PERMISSION_DENIED, admitted.error().detail});
      }
    events_.received(std::move(*frame));
    StartRead(&incoming_);
  }
  void OnWriteDone(bool ok) override {
    std::lock_guard lock{mutex_};
    if (queue_.ended())
      return;
    if (!ok)
      return finish(grpc::Status::OK);
    if (queue_.pop())
      StartWrite(&queue_.front());
  }
  void OnDone() override {
    events_.ended("the stream ended");
    events_ = {};
    self_.reset();
  }

private:
  void finish(const grpc::Status& status) {
    if (queue_.ended())
      return;
    queue_.end();
    Finish(status);
  }

  std::mutex mutex_;
  ProxyMessage incoming_;
  WriteQueue<ConfigMessage> queue_;
  AdmitProxy admit_;
  ProxyPeer peer_;
  ProxyStreamEvents events_;
  std::shared_ptr<ServerStream> self_; // Until OnDone.
};

ProxyPeer peer_of(const grpc::CallbackServerContext& context) {
  ProxyPeer peer{.address = context.peer()};
  auto secured = context.auth_context();
  peer.tls = secured && secured->IsPeerAuthenticated();
  if (peer.tls)
    for (auto& uri : secured->FindPropertyValues(GRPC_PEER_URI_PROPERTY_NAME))
      peer.uris.emplace_back(uri.data(), uri.size());
  return peer;
}

class Service : public proxy::v1::ProxyConfig::CallbackService {
public:
  Service(AcceptProxy accept, AdmitProxy admit)
      : accept_{std::move(accept)}, admit_{std::move(admit)} {}
  grpc::ServerBidiReactor<ProxyMessage, ConfigMessage>*
  Stream(grpc::CallbackServerContext* context) override {
    auto stream = std::make_shared<ServerStream>();
    stream->start(accept_, admit_, peer_of(*context));
    return stream.get();
  }

private:
  AcceptProxy accept_;
  AdmitProxy admit_;
};

class ClientStream : public grpc::ClientBidiReactor<ProxyMessage, ConfigMessage>,
                     public AgentStream,
                     public std::enable_shared_from_this<ClientStream> {
public:
  explicit ClientStream(AgentStreamEvents events) : events_{std::move(events)} {}
  void start(const std::shared_ptr<grpc::Channel>& channel) {
    self_ = shared_from_this();
    stub_ = proxy::v1::ProxyConfig::NewStub(channel);
    context_ = std::make_unique<grpc::ClientContext>();
    stub_->async()->Stream(context_.get(), this);
    AddHold(); // Writes are started from other threads.
    StartRead(&incoming_);
    // The call goes out with the first message: there is nothing to wait for before the hello. Said
    // before the call starts, because a refused one may end, and take the events, at once.
    events_.connected();
    StartCall();
  }

  void send(const ProxyFrame& frame) override {
    std::lock_guard lock{mutex_};
    auto next = queue_.push(to_message(frame));
    if (next == WriteQueue<ProxyMessage>::Next::write)
      StartWrite(&queue_.front());
    else if (next == WriteQueue<ProxyMessage>::Next::full)
      end();
  }
  void close() override {
    std::lock_guard lock{mutex_};
    end();
  }
  /// The end was told, and no part of the channel is held any more.
  bool done() const {
    std::lock_guard lock{mutex_};
    return done_;
  }
  void wait_until_done() const {
    std::unique_lock lock{mutex_};
    became_done_.wait(lock, [this] { return done_; });
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      std::lock_guard lock{mutex_};
      return end();
    }
    if (auto frame = from_message(incoming_)) {
      events_.received(std::move(*frame));
      StartRead(&incoming_);
    } else {
      std::lock_guard lock{mutex_};
      unreadable_ = std::move(frame.error().detail);
      end();
    }
  }
  void OnWriteDone(bool ok) override {
    std::lock_guard lock{mutex_};
    if (!ok)
      return end();
    if (queue_.pop() && !queue_.ended())
      StartWrite(&queue_.front());
  }
  void OnDone(const grpc::Status& status) override {
    auto self = std::move(self_);
    // No callback comes after this one: what they wrote may be read.
    events_.ended(!unreadable_.empty() ? unreadable_
                  : status.ok()        ? "the stream ended"
                                       : status.error_message());
    events_ = {};
    std::lock_guard lock{mutex_};
    context_.reset();
    stub_.reset();
    done_ = true;
    became_done_.notify_all();
  }

private:
  void end() {
    if (queue_.ended())
      return;
    queue_.end();
    context_->TryCancel();
    RemoveHold();
  }

  mutable std::mutex mutex_;
  mutable std::condition_variable became_done_;
  bool done_ = false;
  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<proxy::v1::ProxyConfig::Stub> stub_;
  ConfigMessage incoming_;
  std::string unreadable_; // Why the last message was none: then it is why the stream ended.
  WriteQueue<ProxyMessage> queue_;
  AgentStreamEvents events_;
  std::shared_ptr<ClientStream> self_; // Until OnDone.
};

/// A stream that never came to be.
class NoStream : public AgentStream {
public:
  void send(const ProxyFrame&) override {}
  void close() override {}
};

} // namespace

std::shared_ptr<grpc::Service> make_proxy_config_service(AcceptProxy accept, AdmitProxy admit) {
  return std::make_shared<Service>(std::move(accept), std::move(admit));
}

bool is_loopback(std::string_view host_and_port) {
  auto host = host_and_port.substr(0, host_and_port.rfind(':'));
  if (host == "localhost" || host == "[::1]" || host == "::1")
    return true;
  // Four numbers, so that a name like "127.example.com" is none.
  return host.starts_with("127.") && std::count(host.begin(), host.end(), '.') == 3 &&
         host.find_first_not_of("0123456789.") == std::string_view::npos;
}

/// gRPC ends the threads of its callbacks with the last channel that uses them, and waits for them:
/// were that channel let go by a callback, its thread would wait for itself, and then go on over
/// freed memory. So each attempt's channel is held here until its stream is done with it, and the
/// newest one in any case.
struct AgentDialer::Attempts {
  struct Attempt {
    std::shared_ptr<grpc::Channel> channel;
    std::shared_ptr<ClientStream> stream;
  };
  std::string address;
  ReadAgentCredentials credentials;
  std::vector<Attempt> attempts;
};

AgentDialer::AgentDialer(std::string address, ReadAgentCredentials credentials)
    : attempts_{std::make_unique<Attempts>()} {
  attempts_->address = std::move(address);
  attempts_->credentials = std::move(credentials);
}

AgentDialer::~AgentDialer() {
  for (auto& attempt : attempts_->attempts)
    attempt.stream->close();
  for (auto& attempt : attempts_->attempts)
    attempt.stream->wait_until_done();
}

std::shared_ptr<AgentStream> AgentDialer::dial(const std::string& address,
                                               AgentStreamEvents events) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(max_message_bytes);
  arguments.SetMaxSendMessageSize(max_message_bytes);
  // A connection of its own: an attempt must not wait for the last one's backoff.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  auto credentials = grpc::InsecureChannelCredentials();
  if (attempts_->credentials) {
    auto read = attempts_->credentials();
    if (!read) {
      // As any dialling that fails: told by the events, and tried again later.
      events.connected();
      events.ended(read.error().detail);
      return std::make_shared<NoStream>();
    }
    credentials = grpc::SslCredentials(
        {std::move(read->roots_pem), std::move(read->key_pem), std::move(read->chain_pem)});
    arguments.SetSslTargetNameOverride(read->server_name);
  }
  auto channel = grpc::CreateCustomChannel(address.empty() ? attempts_->address : address,
                                           credentials, arguments);
  auto stream = std::make_shared<ClientStream>(std::move(events));
  stream->start(channel);
  auto& attempts = attempts_->attempts;
  std::erase_if(attempts, [](auto& attempt) { return attempt.stream->done(); });
  attempts.push_back({std::move(channel), stream});
  return stream;
}

} // namespace strait::gateway::feed
