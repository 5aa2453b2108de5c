#pragma once

#include "base/log.hpp"
#include "net/http_server.hpp"
#include "peering/accept_wire.hpp"

#include <mutex>
#include <optional>
#include <thread>

namespace strait::cmd {

/// How long an HTTP server that stops lets answers under way end.
inline constexpr Millis stop_grace{5'000};

/// An event loop on a thread of its own, and the HTTP server on it.
class HttpThread {
public:
  static Result<std::unique_ptr<HttpThread>> start(const net::Address& address,
                                                   net::HttpServer::Handler handler) {
    auto loop = net::EventLoop::create();
    if (!loop)
      return fail(loop.error());
    auto thread = std::unique_ptr<HttpThread>{new HttpThread{std::move(*loop)}};
    thread->server_.emplace(*thread->loop_, net::HttpServerOptions{}, std::move(handler));
    if (auto bound = thread->server_->listen(address); !bound)
      return fail(bound.error());
    thread->thread_ = std::thread{[it = thread.get()] { it->loop_->run(); }};
    return thread;
  }
  ~HttpThread() {
    if (!thread_.joinable())
      return;
    loop_->post([this] { server_->stop(stop_grace, [this] { loop_->stop(); }); });
    thread_.join();
  }

private:
  explicit HttpThread(std::unique_ptr<net::EventLoop> loop) : loop_{std::move(loop)} {}
  std::unique_ptr<net::EventLoop> loop_;
  std::optional<net::HttpServer> server_;
  std::thread thread_;
};

/// A TLS port of the agent, for peers or for the processes of its gateways: it opens with the first
/// server certificate.
class TlsPort {
public:
  enum class Clients : std::uint8_t {
    anyone,    ///< Peers show who they are by a secret.
    certified, ///< Processes of this datacenter, by a certificate of its authority.
  };
  TlsPort(Clients clients, std::string directory, std::string address, grpc::Service& service,
          Log log)
      : clients_{clients}, directory_{std::move(directory)}, address_{std::move(address)},
        service_{service}, log_{std::move(log)} {}

  /// An actor's thread.
  void certify(const peering::Leaf& leaf, const std::vector<std::string>& roots) {
    std::lock_guard lock{mutex_};
    if (stopped_)
      return;
    if (certificate_) {
      auto replaced = certificate_->replace(leaf);
      if (replaced)
        replaced = certificate_->trust(roots);
      if (!replaced)
        log_.error("{}", replaced.error().detail);
      return;
    }
    auto certificate = peering::ServerCertificate::create(directory_, leaf);
    if (!certificate)
      return log_.error("{}", certificate.error().detail);
    if (auto trusted = certificate->trust(roots); !trusted)
      return log_.error("{}", trusted.error().detail);
    certificate_.emplace(std::move(*certificate));
    auto server = peering::GrpcServer::start(
        {{address_, clients_ == Clients::certified ? certificate_->mutual_credentials()
                                                   : certificate_->credentials()}},
        {&service_});
    if (!server)
      return log_.error("{}", server.error().detail);
    server_ = std::move(*server);
    log_.info("{} are expected at {}",
              clients_ == Clients::certified ? "gateway processes" : "peers", address_);
  }
  void stop() {
    std::lock_guard lock{mutex_};
    stopped_ = true;
    if (server_)
      server_->shutdown(Millis{0});
    server_.reset();
  }

private:
  std::mutex mutex_;
  Clients clients_;
  bool stopped_ = false;
  std::string directory_, address_;
  grpc::Service& service_;
  Log log_;
  std::optional<peering::ServerCertificate> certificate_;
  std::unique_ptr<peering::GrpcServer> server_;
};

} // namespace strait::cmd
