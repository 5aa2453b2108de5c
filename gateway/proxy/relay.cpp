#include "gateway/proxy/relay.hpp"

namespace strait::gateway::proxy {

Relay::State Relay::advance(unsigned reads_max) {
  moved_ = more_ = false;
  if (!pump(forth_, reads_max) || !pump(back_, reads_max))
    return State::failed;
  return forth_.ended && back_.ended ? State::finished : State::running;
}

bool Relay::pump(Direction& direction, unsigned reads_max) {
  auto& [from, to, queue, lent, ended] = direction;
  while (!ended) {
    if (lent == 0 && !from.in.empty()) {
      if (!queue.borrow(from.in.bytes()))
        return false;
      lent = from.in.size();
    }
    if (!queue.empty()) {
      const auto before = queue.bytes();
      const auto flow = to.flush(queue);
      moved_ = moved_ || queue.bytes() != before;
      if (flow == Channel::Flow::failed)
        return false;
      if (flow == Channel::Flow::blocked)
        return true;
    }
    from.in.consume(lent);
    lent = 0;
    if (reads_max-- == 0) {
      more_ = true;
      return true;
    }
    switch (from.fill()) {
    case Channel::Flow::moved:
      moved_ = true;
      break;
    case Channel::Flow::blocked:
      from.in.release_if_empty();
      return true;
    case Channel::Flow::ended:
      switch (to.shut_down()) {
      case Channel::Flow::moved:
        ended = true;
        from.in.release_if_empty();
        break;
      case Channel::Flow::blocked:
        return true;
      default:
        return false;
      }
      break;
    default:
      return false;
    }
  }
  return true;
}

} // namespace strait::gateway::proxy
