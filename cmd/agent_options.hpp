#pragma once

#include "base/log.hpp"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace strait::cmd {

/// Where the gateways of an agent run.
enum class ProxyPlace : std::uint8_t {
  in_process, ///< On worker threads of the agent.
  external,   ///< In strait-gateway processes that connect to the agent's gRPC port.
};

enum class AccessLog : std::uint8_t { off, text, json };

/// What `strait agent` was asked for, checked as far as text alone can be (cli/command_agent.cpp).
struct AgentOptions {
  std::string datacenter = "dc1";
  std::string node_name; ///< Never empty: this machine's name where none was given.
  /// Where the catalog is stored; nothing: in memory, gone with the process.
  std::optional<std::filesystem::path> data_dir = "strait-data";
  std::string bind = "127.0.0.1"; ///< An IP address; of every listener of the control plane.
  std::uint16_t http_port = 8500;
  std::uint16_t grpc_port = 8502;               ///< 0: none.
  std::uint16_t grpc_tls_port = 8503;           ///< 0: none. The port of peers.
  std::uint16_t feed_port = 0;                  ///< Of gateways' processes, mutual TLS; 0: none.
  bool insecure_feed = false;                   ///< Also on grpc_port, from other machines.
  std::string advertise;                        ///< What others reach this agent at; empty: bind.
  std::vector<std::filesystem::path> manifests; ///< Directories to watch; they exist.
  ProxyPlace proxy = ProxyPlace::in_process;
  unsigned workers = std::max(1u, std::thread::hardware_concurrency()); ///< Of each proxy.
  std::string ready_address = "127.0.0.1"; ///< Of GET /ready; an IP address.
  std::uint16_t ready_port = 20000;        ///< 0: none.
  AccessLog access_log = AccessLog::off;
  LogLevel log_level = LogLevel::info;
};

} // namespace strait::cmd
