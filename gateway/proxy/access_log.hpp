#pragma once

#include "gateway/proxy/options.hpp"

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace strait::gateway::proxy {

/// One request (or one connection, for TCP and TLS, or one session, for UDP) as the access log
/// tells it. Text is borrowed.
struct AccessEntry {
  WallTime began{};
  Millis took{};
  std::string_view client, method, host, target, listener, route, cluster, endpoint, user_agent,
      request_id, failure; ///< `failure`: why the upstream could not be used, empty if it could.
  int status = 0;
  std::uint64_t bytes_in = 0, bytes_out = 0;
};

/// Appends one line, its line end included; what clients sent is escaped.
void append_access_line(AccessLogFormat format, const AccessEntry& entry, std::string& out);

/// One worker's lines on their way to the log: bounded; the worker appends, the log takes.
class AccessBuffer {
public:
  AccessBuffer(AccessLogFormat format, std::size_t bytes_max)
      : format_{format}, bytes_max_{bytes_max} {}
  /// False: no room, the line is dropped.
  bool add(const AccessEntry& entry);
  /// Swaps what is held with `lines`, which must be empty.
  void take(std::string& lines);

private:
  AccessLogFormat format_;
  std::size_t bytes_max_;
  std::string line_; // Worker's alone.
  std::mutex mutex_;
  std::string lines_;
};

/// Carries the workers' lines to the sink, on a thread of its own, until it dies; what is held then
/// is still written.
class AccessLog {
public:
  explicit AccessLog(AccessLogOptions options);
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;
  ~AccessLog();

  /// Before any worker runs.
  AccessBuffer& add_worker();

private:
  void write();
  void run();

  AccessLogOptions options_;
  std::vector<std::unique_ptr<AccessBuffer>> buffers_;
  std::string lines_;
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;
  std::thread thread_;
};

} // namespace strait::gateway::proxy
