#pragma once

#include "gateway/feed/feed_wire.hpp"

#include <filesystem>
#include <string>

/// Who is who between an agent and the proxy processes that it feeds: both show certificates of the
/// datacenter's own authority. Any thread may call.
namespace strait::actors {

/// Agent: whether the peer's certificate is for the Gateway whose configuration it asks for. The
/// certificate's chain has been checked.
Status admit_by_certificate(const gateway::feed::ProxyPeer& peer, const gateway::feed::Hello& hello,
                            const std::string& datacenter);

/// Of one file; a certificate chain is far smaller.
inline constexpr std::uintmax_t credential_file_bytes_max = 1u << 20;

struct CredentialFiles {
  std::filesystem::path roots, chain, key; ///< PEM
};
/// Proxy: reads the files, and learns from its own certificate which agent to expect. Errors name
/// the file.
Result<gateway::feed::AgentCredentials> read_agent_credentials(const CredentialFiles& files);

} // namespace strait::actors
