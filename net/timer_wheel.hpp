#pragma once

#include "base/time.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace strait::net {

/// One entry of a TimerWheel. It lives inside the object that wants the time-out, so that arming
/// it allocates nothing. Neither copied nor moved; must be removed from its wheel before it dies.
class TimerNode {
public:
  TimerNode() = default;
  TimerNode(const TimerNode&) = delete;
  TimerNode& operator=(const TimerNode&) = delete;
  virtual ~TimerNode() = default;

  bool armed() const { return link_ != nullptr; }
  /// Meaningful only while armed.
  Instant due() const { return due_; }

  virtual void on_due() = 0;

private:
  friend class TimerWheel;
  TimerNode* next_ = nullptr;
  TimerNode** link_ = nullptr; // Whatever points at this node; null while not armed.
  Instant due_{};
  std::uint16_t slot_ = 0;
};

/// A hierarchical timer wheel of one millisecond: six levels of 64 slots, so it reaches 2^36 ms.
/// Arming and removing cost the same however many nodes are armed. A pure machine: the caller
/// brings the time. One thread.
class TimerWheel {
public:
  /// What lies further away is due here (about two years).
  static constexpr Millis delay_max{(std::int64_t{1} << 36) - 1};

  explicit TimerWheel(Instant now);
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;
  /// Removes every node that is still armed.
  ~TimerWheel();

  /// Arms or moves the node. What is already due fires on the next advance.
  void add(TimerNode& node, Instant due);
  void remove(TimerNode& node);

  /// A time before which no node is due; nothing if none is armed. It may be earlier than the
  /// first node (a boundary of a coarser level), never later.
  std::optional<Instant> next() const;

  /// Calls on_due() of each node that is due by `now`, in order of millisecond. A callback may add
  /// and remove any node, destroy its own included. Returns how many fired.
  std::size_t advance(Instant now);

  std::size_t size() const { return size_; }

private:
  static constexpr unsigned bits = 6, slots = 1U << bits, levels = 6;

  void place(TimerNode& node);
  void unlink(TimerNode& node);
  void push(TimerNode*& head, TimerNode& node);
  void cascade(unsigned level, unsigned slot);

  std::array<std::array<TimerNode*, slots>, levels> wheel_{};
  std::array<std::uint64_t, levels> used_{}; // One bit per slot that holds a node.
  TimerNode* expired_ = nullptr;             // Nodes taken out of their slot, about to fire.
  std::uint64_t tick_;                       // Milliseconds; everything up to here has fired.
  std::size_t size_ = 0;
};

} // namespace strait::net
