#include "gateway/proxy/session.hpp"

#include "gateway/proxy/tls_front.hpp"

namespace strait::gateway::proxy {

PortState::PortState() = default;
PortState::~PortState() = default;

Session& SessionList::add(std::unique_ptr<Session> session) {
  session->index_ = sessions_.size();
  return *sessions_.emplace_back(std::move(session));
}

Session& SessionList::replace(Session& session, std::unique_ptr<Session> by) {
  by->index_ = session.index_;
  auto& place = sessions_[session.index_];
  retirement_.retire(std::exchange(place, std::move(by)));
  return *place;
}

void SessionList::remove(Session& session) {
  const auto index = session.index_;
  auto gone = std::move(sessions_[index]);
  if (index + 1 != sessions_.size()) {
    sessions_[index] = std::move(sessions_.back());
    sessions_[index]->index_ = index;
  }
  sessions_.pop_back();
  gone->worker_.counters.add(Counter::downstream_closed);
  if (auto& bound = gone->worker_.options.connection_bound)
    bound->give();
  retirement_.retire(std::move(gone));
}

} // namespace strait::gateway::proxy
