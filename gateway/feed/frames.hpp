#pragma once

#include "gateway/snapshot/config.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

/// What the agent and a proxy process say to each other about one gateway's configuration. The
/// agent's side is a Feed, the proxy's a Subscription; both are pure machines. The bytes are
/// docs/formats/proxy_config.md.
///
///   proxy                         agent
///     │ ── Hello{epoch, digest} ──► │   what it has, from before or from disk
///     │ ◄── Delta{from, epoch} ──── │   at most one that is not acknowledged
///     │ ── Ack{epoch, errors} ────► │   served by every worker
///     │ ◄── Heartbeat ───────────── │
///     │ ── ProxyStatus ───────────► │
///     │ ◄── AgentRedirect ───────── │   another agent feeds this gateway's proxies
namespace strait::gateway::feed {

/// More errors than these are told as their number; longer ones are cut.
inline constexpr std::size_t max_ack_errors = 64;
inline constexpr std::size_t max_error_bytes = 1024;
inline constexpr std::size_t max_status_counters = 1024;
inline constexpr std::size_t max_address_bytes = 320; ///< "host:port" of an AgentRedirect.

struct Hello {
  std::string gateway_namespace, gateway_name;
  std::string proxy_id; ///< Unique among the gateway's proxies.
  std::string version;  ///< Of the program, for people.
  std::uint64_t epoch = 0;
  std::string digest;      ///< digest() of the config that it has; empty with epoch 0.
  bool follows = false;    ///< It goes where an AgentRedirect says.
  std::string unreachable; ///< Where the last one said, if nothing was heard there, or no more.
  friend bool operator==(const Hello&, const Hello&) = default;
};

struct Ack {
  std::uint64_t epoch = 0;
  std::vector<std::string> errors; ///< What was left out and why.
  bool wants_whole = false;        ///< The delta did not fit; the epoch is what the proxy has.
  friend bool operator==(const Ack&, const Ack&) = default;
};

struct ProxyStatus {
  std::uint64_t epoch = 0;
  std::map<std::string, std::uint64_t> counters;
  friend bool operator==(const ProxyStatus&, const ProxyStatus&) = default;
};

struct Heartbeat {
  std::uint64_t epoch = 0; ///< The latest that the agent knows.
  friend bool operator==(const Heartbeat&, const Heartbeat&) = default;
};

/// The agent will not feed this proxy; the stream ends.
struct Refuse {
  std::string why;
  friend bool operator==(const Refuse&, const Refuse&) = default;
};

/// The proxy is to go to the agent at this "host:port", whose certificate is for the same name as
/// this one's; the stream ends.
struct AgentRedirect {
  std::string address;
  friend bool operator==(const AgentRedirect&, const AgentRedirect&) = default;
};

using ProxyFrame = std::variant<Hello, Ack, ProxyStatus>;
using ConfigFrame = std::variant<Delta, Heartbeat, Refuse, AgentRedirect>;

} // namespace strait::gateway::feed
