#include "net/timer_wheel.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace strait::net {

namespace {

std::uint64_t ticks(Instant time) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, time.time_since_epoch().count()));
}

constexpr std::uint16_t no_slot = 0xffff;

} // namespace

TimerWheel::TimerWheel(Instant now) : tick_{ticks(now)} {}

TimerWheel::~TimerWheel() {
  for (auto& level : wheel_)
    for (auto& head : level)
      while (head)
        remove(*head);
  while (expired_)
    remove(*expired_);
}

void TimerWheel::add(TimerNode& node, Instant due) {
  remove(node);
  // Never in the tick that is being fired: a callback that starts itself again must not starve the
  // loop.
  node.due_ = std::max(due, Instant{Millis{static_cast<std::int64_t>(tick_ + 1)}});
  place(node);
  ++size_;
}

void TimerWheel::remove(TimerNode& node) {
  if (!node.armed())
    return;
  unlink(node);
  --size_;
}

// A node lies on the level of the highest group of six bits in which its time differs from the
// current tick. So a slot of level n is reached when everything below it has passed, and then its
// nodes spread over the levels below.
void TimerWheel::place(TimerNode& node) {
  auto due = std::min(ticks(node.due_), tick_ + static_cast<std::uint64_t>(delay_max.count()));
  if (due <= tick_) {
    node.slot_ = no_slot;
    push(expired_, node);
    return;
  }
  auto level = static_cast<unsigned>(std::bit_width(due ^ tick_) - 1) / bits;
  level = std::min(level, levels - 1); // The top level goes round.
  auto slot = static_cast<unsigned>(due >> (level * bits)) % slots;
  node.slot_ = static_cast<std::uint16_t>(level * slots + slot);
  used_[level] |= std::uint64_t{1} << slot;
  push(wheel_[level][slot], node);
}

void TimerWheel::push(TimerNode*& head, TimerNode& node) {
  node.next_ = head;
  if (head)
    head->link_ = &node.next_;
  node.link_ = &head;
  head = &node;
}

void TimerWheel::unlink(TimerNode& node) {
  *node.link_ = node.next_;
  if (node.next_)
    node.next_->link_ = node.link_;
  node.next_ = nullptr;
  node.link_ = nullptr;
  if (node.slot_ == no_slot)
    return;
  unsigned level = node.slot_ / slots, slot = node.slot_ % slots;
  if (!wheel_[level][slot])
    used_[level] &= ~(std::uint64_t{1} << slot);
}

std::optional<Instant> TimerWheel::next() const {
  // What lies on a lower level is always nearer than what lies on a higher one.
  for (unsigned level = 0; level < levels; ++level) {
    if (!used_[level])
      continue;
    auto shift = level * bits;
    auto here = static_cast<unsigned>(tick_ >> shift) % slots;
    auto ahead = std::rotr(used_[level], static_cast<int>((here + 1) % slots));
    auto distance = static_cast<std::uint64_t>(std::countr_zero(ahead)) + 1;
    return Instant{Millis{static_cast<std::int64_t>(((tick_ >> shift) + distance) << shift)}};
  }
  return {};
}

void TimerWheel::cascade(unsigned level, unsigned slot) {
  auto* list = std::exchange(wheel_[level][slot], nullptr);
  used_[level] &= ~(std::uint64_t{1} << slot);
  while (list) {
    auto& node = *list;
    list = node.next_;
    place(node);
  }
}

std::size_t TimerWheel::advance(Instant now) {
  std::size_t fired = 0;
  auto until = ticks(now);
  while (tick_ < until) {
    auto at = next();
    if (!at || ticks(*at) > until) {
      tick_ = until;
      break;
    }
    tick_ = ticks(*at);
    for (unsigned level = levels - 1; level > 0; --level)
      if ((tick_ & ((std::uint64_t{1} << (level * bits)) - 1)) == 0)
        cascade(level, static_cast<unsigned>(tick_ >> (level * bits)) % slots);
    cascade(0, static_cast<unsigned>(tick_ % slots));
    while (expired_) {
      auto& node = *expired_;
      unlink(node);
      --size_;
      ++fired;
      node.on_due(); // May destroy the node.
    }
  }
  return fired;
}

} // namespace strait::net
