#pragma once

#include "gateway/proxy/channel.hpp"

namespace strait::gateway::proxy {

/// Bytes both ways between two channels, as they are, with half-close: the end of one side's stream
/// ends the other's. At most one receive buffer per direction is held.
class Relay {
public:
  enum class State : std::uint8_t { running, finished, failed };

  /// The queues are the caller's; both empty.
  Relay(Channel& client, Channel& upstream, net::OutputQueue& to_client,
        net::OutputQueue& to_upstream)
      : forth_{client, upstream, to_upstream}, back_{upstream, client, to_client} {}

  /// Moves what can be moved now, with at most so many reads each way.
  State advance(unsigned reads_max);
  /// Whether the last advance stopped only for its maximum of reads.
  bool more() const { return more_; }
  /// Whether the last advance moved anything.
  bool moved() const { return moved_; }

private:
  struct Direction {
    Channel& from;
    Channel& to;
    net::OutputQueue& queue;
    std::size_t lent = 0; // Bytes of from.in that the queue borrows.
    bool ended = false;   // The end was passed on.
  };
  bool pump(Direction& direction, unsigned reads_max);

  Direction forth_, back_;
  bool moved_ = false, more_ = false;
};

} // namespace strait::gateway::proxy
