#pragma once

#include "peering/frontend.hpp"

#include <memory>
#include <string>
#include <vector>

namespace strait::peering {

/// What the service tells of a peering: the record and the revisions that made and changed it.
struct PeeringView {
  model::Peering peering;
  std::uint64_t created = 0;
  std::uint64_t modified = 0;
};

/// PeeringService of an agent, for the command line. Each call blocks, for at most its time limit.
class PeeringClient {
public:
  struct Options {
    std::string address;     ///< host:port
    std::string ca_pem;      ///< Empty: plaintext.
    std::string server_name; ///< What the certificate must be for; empty: the host.
    Millis time_limit{10'000};
  };
  explicit PeeringClient(Options options);
  ~PeeringClient();

  Result<std::string> generate_token(const GenerateTokenRequest& request);
  Status establish(const EstablishRequest& request);
  /// Errc::not_found: there is none of this name.
  Result<PeeringView> read(const std::string& name);
  Result<std::vector<PeeringView>> list();
  Status remove(const std::string& name);
  /// Errc::not_found: nothing has been received from this peer.
  Result<model::TrustBundle> read_trust_bundle(const std::string& name);
  Result<std::vector<model::TrustBundle>> list_trust_bundles(const std::string& service,
                                                             const std::string& kind);

private:
  struct Stub;
  Options options_;
  std::unique_ptr<Stub> stub_;
};

} // namespace strait::peering
