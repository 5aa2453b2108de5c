#pragma once

#include "base/result.hpp"
#include "gateway/feed/frames.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace grpc {
class Service;
}

/// The gRPC stream that carries frames; whoever uses it knows nothing of gRPC. Callbacks come on
/// gRPC's threads, one at a time per stream, and must not block.
namespace strait::gateway::feed {

/// Frames that may wait to be written to one stream; one more ends it.
inline constexpr std::size_t max_frames_queued = 64;
/// Of one message, both ways.
inline constexpr int max_message_bytes = 256 << 20;

/// The agent's end of one proxy's stream. Any thread may call; calls after the end do nothing.
class ProxyStream {
public:
  virtual ~ProxyStream() = default;
  virtual void send(const ConfigFrame& frame) = 0;
  virtual void close(const std::string& why) = 0;
};
struct ProxyStreamEvents {
  std::function<void(ProxyFrame)> received;
  std::function<void(const std::string& why)> ended; ///< Last of all.
};
/// Asked for each new stream.
using AcceptProxy = std::function<ProxyStreamEvents(std::shared_ptr<ProxyStream>)>;

/// Who opened a stream.
struct ProxyPeer {
  std::string address;           ///< As gRPC writes it: "ipv4:10.0.0.7:41234".
  bool tls = false;              ///< With a certificate that one of our roots signed.
  std::vector<std::string> uris; ///< Of that certificate.
};
/// Whether the peer may have what it asks for; the error's text is what the proxy is told. Asked
/// before the hello is passed on, on a gRPC thread.
using AdmitProxy = std::function<Status(const ProxyPeer&, const Hello&)>;
/// Without `admit` every proxy that reaches the port is served.
std::shared_ptr<grpc::Service> make_proxy_config_service(AcceptProxy accept, AdmitProxy admit = {});

/// The proxy's end. Any thread may call; calls after the end do nothing.
class AgentStream {
public:
  virtual ~AgentStream() = default;
  virtual void send(const ProxyFrame& frame) = 0;
  virtual void close() = 0;
};
struct AgentStreamEvents {
  std::function<void()> connected;
  std::function<void(ConfigFrame)> received;
  std::function<void(const std::string& why)> ended; ///< Last of all; also if dialling failed.
};
/// What a proxy shows to the agent, and whom it takes for it.
struct AgentCredentials {
  std::string roots_pem;
  std::string chain_pem, key_pem; ///< The proxy's own.
  std::string server_name;        ///< DNS name that the agent's certificate must be for.
};
/// Asked at each dialling, so that a renewed certificate is used without a restart.
using ReadAgentCredentials = std::function<Result<AgentCredentials>()>;

/// Whether "host:port" is on the loopback interface, where a feed may go in the clear.
bool is_loopback(std::string_view host_and_port);

/// Dials the agent at "host:port", or another that it named. Without credentials in the clear,
/// private keys included: for the loopback interface. One thread at a time, and neither call may be
/// made from within a callback of a stream. The end closes the streams that are left and waits for
/// theirs.
class AgentDialer {
public:
  explicit AgentDialer(std::string address, ReadAgentCredentials credentials = {});
  AgentDialer(const AgentDialer&) = delete;
  AgentDialer& operator=(const AgentDialer&) = delete;
  ~AgentDialer();
  std::shared_ptr<AgentStream> dial(AgentStreamEvents events) {
    return dial({}, std::move(events));
  }
  /// To this "host:port" instead, unless it is empty; with the same credentials.
  std::shared_ptr<AgentStream> dial(const std::string& address, AgentStreamEvents events);

private:
  struct Attempts;
  std::unique_ptr<Attempts> attempts_;
};

} // namespace strait::gateway::feed
