#pragma once

#include "base/log.hpp"
#include "net/http_thread.hpp"
#include "peering/accept_wire.hpp"

#include <mutex>
#include <optional>

namespace strait::cmd {

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
