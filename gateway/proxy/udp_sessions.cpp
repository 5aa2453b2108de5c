#include "gateway/proxy/udp_sessions.hpp"

#include "gateway/proxy/udp_port.hpp"

#include <algorithm>

namespace strait::gateway::proxy {

namespace {

std::size_t hash_of(const net::Address& address) {
  const auto hashed = [](const void* bytes, std::size_t size) {
    return std::hash<std::string_view>{}({static_cast<const char*>(bytes), size});
  };
  // The other fields of a sockaddr may differ for one and the same address.
  const std::size_t port = address.port();
  if (address.is_ipv6())
    return hashed(&reinterpret_cast<const sockaddr_in6*>(address.data())->sin6_addr, 16) ^ port;
  return hashed(&reinterpret_cast<const sockaddr_in*>(address.data())->sin_addr, 4) ^ port;
}

} // namespace

std::size_t UdpFlowHash::operator()(const UdpFlow& flow) const {
  return hash_of(flow.client) ^ hash_of(flow.local) << 1 ^ std::hash<const void*>{}(flow.port) << 2;
}

UdpSession::UdpSession(UdpSessions& sessions, UdpPort& port, const UdpFlow& flow,
                       UdpDestination destination)
    : sessions_{sessions}, port_{port}, flow_{flow}, destination_{std::move(destination)},
      used_{sessions.worker().loop.now()}, began_{used_}, began_wall_{now_wall()} {}

UdpSession::~UdpSession() {
  if (watched_)
    sessions_.worker().loop.remove(destination_.fd.get());
}

bool UdpSession::watch() {
  if (refused())
    return true;
  auto& loop = sessions_.worker().loop;
  watched_ = static_cast<bool>(loop.add(destination_.fd.get(), net::Watch::level_read, *this));
  return watched_;
}

net::Udp UdpSession::send(std::string_view bytes) {
  bytes_in_ += bytes.size();
  return refused() ? net::Udp::later : net::send_datagram(destination_.fd, bytes);
}

void UdpSession::on_ready(net::Ready) {
  auto& worker = sessions_.worker();
  const auto space = sessions_.space();
  for (unsigned i = 0; i < worker.options.limits.datagrams_per_turn_max; ++i) {
    std::size_t bytes = 0;
    bool truncated = false;
    switch (net::receive_datagram(destination_.fd, space, bytes, truncated)) {
    case net::Udp::moved:
      break;
    case net::Udp::later:
      return;
    case net::Udp::refused:
      port_.endpoint_failed(*this);
      return sessions_.end(*this, "the endpoint refuses datagrams");
    case net::Udp::failed:
      return sessions_.end(*this, "the endpoint cannot be read from");
    }
    sessions_.touch(*this);
    if (truncated) {
      worker.counters.add(Counter::udp_too_large);
      continue;
    }
    if (!std::exchange(answered_, true))
      port_.endpoint_answered(*this);
    bytes_out_ += bytes;
    port_.send({space.data(), bytes}, flow_);
  }
}

UdpSessions::UdpSessions(WorkerContext& worker)
    : worker_{worker}, timer_{worker.loop, [this] { expire(); }} {}

UdpSessions::~UdpSessions() = default;

std::span<char> UdpSessions::space() {
  space_.resize(worker_.options.limits.udp_datagram_bytes_max); // Once.
  return space_;
}

UdpSession* UdpSessions::find(const UdpFlow& flow) {
  const auto found = sessions_.find(flow);
  return found == sessions_.end() ? nullptr : found->second.get();
}

UdpSession* UdpSessions::begin(UdpPort& port, const UdpFlow& flow, UdpDestination destination) {
  while (oldest_ && sessions_.size() >= worker_.options.limits.udp_sessions_max) {
    worker_.counters.add(Counter::udp_sessions_evicted);
    end(*oldest_, "ended for a newer session");
  }
  auto made = std::make_unique<UdpSession>(*this, port, flow, std::move(destination));
  if (!made->watch())
    return nullptr;
  auto& session = *made;
  sessions_.emplace(flow, std::move(made));
  worker_.counters.add(Counter::udp_sessions);
  link(session);
  if (!timer_.armed())
    timer_.start(idle());
  return &session;
}

void UdpSessions::touch(UdpSession& session) {
  session.used_ = worker_.loop.now();
  if (newest_ == &session)
    return;
  unlink(session);
  link(session);
}

void UdpSessions::end(UdpSession& session, std::string_view failure) {
  log(session, failure);
  auto& counters = worker_.counters;
  counters.add(Counter::udp_sessions_ended);
  counters.add(Counter::downstream_bytes_in, session.bytes_in_);
  counters.add(Counter::downstream_bytes_out, session.bytes_out_);
  unlink(session);
  if (std::exchange(session.watched_, false))
    worker_.loop.remove(session.destination_.fd.get());
  auto gone = sessions_.extract(session.flow_);
  worker_.retirement.retire(std::move(gone.mapped()));
}

void UdpSessions::log(const UdpSession& session, std::string_view failure) {
  if (!worker_.access_log)
    return;
  const auto client = session.flow_.client.ip();
  const auto& destination = session.destination_;
  AccessEntry entry;
  entry.began = session.began_wall_;
  entry.took = session.used_ - session.began_;
  entry.client = client;
  entry.method = "UDP";
  entry.listener = destination.listener;
  entry.route = destination.route->id;
  entry.cluster = destination.cluster;
  entry.endpoint = destination.endpoint_name;
  entry.failure = session.refused() ? "the share is refused" : failure;
  entry.status = session.refused() || (!session.answered_ && !failure.empty()) ? 503 : 200;
  entry.bytes_in = session.bytes_in_;
  entry.bytes_out = session.bytes_out_;
  if (!worker_.access_log->add(entry))
    worker_.counters.add(Counter::access_log_dropped);
}

Millis UdpSessions::idle() const {
  const auto& timeouts = worker_.options.timeouts;
  return draining_ ? std::min(timeouts.linger, timeouts.udp_idle) : timeouts.udp_idle;
}

// They expire in the order of their last datagrams, so one timer, for the oldest, is enough, and a
// datagram need not touch it.
void UdpSessions::expire() {
  const auto now = worker_.loop.now();
  while (oldest_ && oldest_->used_ + idle() <= now)
    end(*oldest_);
  if (oldest_)
    timer_.start(oldest_->used_ + idle() - now);
}

void UdpSessions::drain() {
  draining_ = true;
  expire();
}

void UdpSessions::link(UdpSession& session) {
  session.older_ = newest_;
  session.newer_ = nullptr;
  (newest_ ? newest_->newer_ : oldest_) = &session;
  newest_ = &session;
}

void UdpSessions::unlink(UdpSession& session) {
  (session.older_ ? session.older_->newer_ : oldest_) = session.newer_;
  (session.newer_ ? session.newer_->older_ : newest_) = session.older_;
}

} // namespace strait::gateway::proxy
