#pragma once

#include "base/log.hpp"
#include "catalog/model/peering.hpp"
#include "kubernetes/client.hpp"

#include <optional>

namespace strait::cmd {

struct SharedAuthority {
  model::CertificateAuthority authority;
  std::string secret_uid;
};

/// The certificate authority of a datacenter whose agents share a Kubernetes Secret: all replicas
/// sign and trust the same, and so does an agent whose volume is gone.
///
/// Reads it from the Secret; where there is none yet, puts `own` there (or a new one), unless
/// another replica is faster. Blocks: not on the client's loop. unavailable: the API server does
/// not answer, or the Secret kept changing; corrupt: it holds something else.
Result<SharedAuthority> share_authority(const std::shared_ptr<kubernetes::Client>& client,
                                        const model::Name& secret,
                                        const std::optional<model::CertificateAuthority>& own,
                                        const Log& log);

/// Lets the lease go when the Secret goes, for nobody else made it. Does not wait: a failure is
/// logged, and of no other consequence.
void own_lease(const std::shared_ptr<kubernetes::Client>& client, const model::Name& lease,
               const model::Name& secret, const std::string& secret_uid, const Log& log);

} // namespace strait::cmd
