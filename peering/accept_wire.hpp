#pragma once

#include "peering/authority.hpp"
#include "peering/wire.hpp"

#include <memory>
#include <string>
#include <vector>

namespace grpc {
class Service;
class ServerCredentials;
} // namespace grpc

namespace strait::peering {

/// PeerStreamService for a gRPC server. The acceptor must outlive it.
std::shared_ptr<grpc::Service> make_peer_stream_service(PeerAcceptor& acceptor,
                                                        const WireLimits& limits = {});
/// PeeringService for a gRPC server. The handler must outlive it.
std::shared_ptr<grpc::Service> make_peering_service(PeeringHandler& handler);

/// The server's certificate in the only form that gRPC 1.51 can exchange while it runs: two files,
/// in a directory that nobody else can read, looked at every second. The certificate is shown
/// whatever name the client asks.
class ServerCertificate {
public:
  /// Makes the directory (mode 0700; its parent must exist) and writes the first certificate.
  static Result<ServerCertificate> create(const std::string& directory, const Leaf& leaf);
  /// Served to new connections within about two seconds.
  Status replace(const Leaf& leaf);
  /// No client certificate is asked for.
  std::shared_ptr<grpc::ServerCredentials> credentials() const;
  /// Whom mutual_credentials() admit: like replace(), before their first use.
  Status trust(const std::vector<std::string>& roots_pem);
  /// Clients must show a certificate that leads to one of the trusted roots.
  std::shared_ptr<grpc::ServerCredentials> mutual_credentials() const;

private:
  explicit ServerCertificate(std::string directory) : directory_{std::move(directory)} {}
  std::string directory_;
};

/// A gRPC server, running.
class GrpcServer {
public:
  struct Listener {
    std::string address;                                  ///< host:port; port 0: any.
    std::shared_ptr<grpc::ServerCredentials> credentials; ///< Null: plaintext.
  };
  static Result<std::unique_ptr<GrpcServer>> start(const std::vector<Listener>& listeners,
                                                   const std::vector<grpc::Service*>& services,
                                                   const WireLimits& limits = {});
  virtual ~GrpcServer() = default;
  /// Bound ports, in the order of the listeners.
  virtual const std::vector<int>& ports() const = 0;
  /// Cuts what is open after the grace; then nothing is called any more.
  virtual void shutdown(Millis grace) = 0;
};

} // namespace strait::peering
