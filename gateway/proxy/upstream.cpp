#include "gateway/proxy/upstream.hpp"

#include "gateway/proxy/session_token.hpp"
#include "net/dns.hpp"

#include <algorithm>

namespace strait::gateway::proxy {

UpstreamEndpoint::UpstreamEndpoint(UpstreamCluster& cluster, Endpoint endpoint)
    : cluster_{cluster}, endpoint_{std::move(endpoint)} {
  auto address = net::Address::from_ip(endpoint_.address, endpoint_.port);
  if (address) {
    address_ = *address;
    literal_ = true;
    name_ = address->to_string();
  } else {
    name_ = endpoint_.address + ':' + std::to_string(endpoint_.port);
  }
  session_ = session_endpoint(cluster_.id(), name_);
  self_ = std::make_shared<UpstreamEndpoint*>(this);
}

UpstreamEndpoint::~UpstreamEndpoint() { *self_ = nullptr; }

const net::Address* UpstreamEndpoint::address() {
  const auto& environment = cluster_.environment_;
  if (!literal_ && (!address_ || environment.loop.now() - resolved_at_ >=
                                     environment.options.timeouts.resolve_again))
    resolve();
  return address_ ? &*address_ : nullptr;
}

bool UpstreamEndpoint::room() const {
  return connections_.size() < cluster_.environment_.options.limits.endpoint_connections_max;
}

UpstreamEndpoint::Leased UpstreamEndpoint::lease(UpstreamTicket& ticket, Reuse reuse,
                                                 UpstreamConnection*& connection) {
  auto& environment = cluster_.environment_;
  const bool http2 = ticket.protocol_ == UpstreamProtocol::http2;
  if (auto* carrier = http2 ? carrier_with_room() : nullptr) {
    connection = &open_stream(*carrier, ticket);
    environment.counters.add(Counter::upstream_reuses);
    return Leased::now;
  }
  ticket.fresh_ = reuse == Reuse::none || ticket.protocol_ != UpstreamProtocol::http1;
  while (!ticket.fresh_ && !idle_.empty()) {
    connection = idle_.back();
    if (reuse == Reuse::checked && connection->ended_meanwhile()) {
      connection->discard();
      continue;
    }
    idle_.pop_back();
    connection->lease_to(ticket);
    environment.counters.add(Counter::upstream_reuses);
    return Leased::now;
  }
  const bool known = literal_ || (address_ && environment.loop.now() - resolved_at_ <
                                                  environment.options.timeouts.resolve_again);
  if (known && room() && (!http2 || may_dial_http2())) {
    ticket.timer_.start(environment.options.timeouts.upstream_connect);
    connect(ticket);
    return Leased::later;
  }
  if (waiting_.size() >= environment.options.limits.endpoint_pending_max) {
    environment.counters.add(Counter::upstream_overflow);
    return Leased::overflow;
  }
  ticket.timer_.start(environment.options.timeouts.upstream_connect);
  ticket.endpoint_ = this;
  waiting_.push_back(&ticket);
  if (!known)
    resolve();
  return Leased::later;
}

void UpstreamEndpoint::connect(UpstreamTicket& ticket) {
  auto& connection =
      *connections_.emplace_back(std::make_unique<UpstreamConnection>(*this, ticket));
  connection.index_ = connections_.size() - 1;
  ticket.connection_ = &connection;
  ticket.endpoint_ = nullptr;
  if (ticket.protocol_ == UpstreamProtocol::http2)
    ++http2_dialing_;
  connection.start();
}

void UpstreamEndpoint::resolve() {
  if (resolving_)
    return;
  auto& environment = cluster_.environment_;
  if (!environment.resolver) {
    auto made = net::Resolver::create(environment.loop);
    if (!made)
      return; // Those who wait time out; the next one tries again.
    environment.resolver = std::move(*made);
  }
  resolving_ = true;
  // The answer may come at once; deferred, so that nobody is told from within lease().
  environment.resolver->resolve(
      endpoint_.address, endpoint_.port,
      [self = self_, &environment](const Result<std::vector<net::Address>>& answer) {
        std::optional<net::Address> address;
        if (answer && !answer->empty())
          address = answer->front();
        environment.loop.defer([self, address, &environment] {
          auto* endpoint = *self;
          if (!endpoint)
            return;
          endpoint->resolving_ = false;
          if (address) {
            endpoint->address_ = address;
            endpoint->resolved_at_ = environment.loop.now();
          } else if (!endpoint->address_) {
            endpoint->failed();
            auto waiting = std::exchange(endpoint->waiting_, {});
            for (auto* ticket : waiting)
              ticket->endpoint_ = nullptr;
            // Each may cancel others: they are no longer in any line, so this list must be told.
            while (!waiting.empty()) {
              auto* ticket = waiting.back();
              waiting.pop_back();
              ticket->timer_.cancel();
              environment.counters.add(Counter::upstream_connect_failures);
              ticket->user_.on_upstream_failed(false, "host name not resolved");
            }
            return;
          } else {
            endpoint->resolved_at_ = environment.loop.now(); // The old address serves on.
          }
          endpoint->serve_waiting();
        });
      });
}

UpstreamConnection* UpstreamEndpoint::carrier_with_room() const {
  const auto found = std::find_if(carriers_.begin(), carriers_.end(),
                                  [](const auto* carrier) { return carrier->http2_->has_room(); });
  return found == carriers_.end() || !room() ? nullptr : *found;
}

/// One at a time: what it will carry is for many.
bool UpstreamEndpoint::may_dial_http2() const {
  return http2_dialing_ == 0 &&
         carriers_.size() < cluster_.environment_.options.limits.endpoint_http2_connections_max;
}

UpstreamConnection& UpstreamEndpoint::open_stream(UpstreamConnection& carrier,
                                                  UpstreamTicket& ticket) {
  auto& stream = *connections_.emplace_back(std::make_unique<UpstreamConnection>(*this, carrier));
  stream.index_ = connections_.size() - 1;
  stream.lease_to(ticket);
  stream.leases_ = ++carrier.leases_;
  return stream;
}

void UpstreamEndpoint::serve_waiting() {
  std::size_t i = 0; // Those before it cannot be served now: they wait for HTTP/2.
  while (i < waiting_.size() && address_) {
    auto& ticket = *waiting_[i];
    const auto next = waiting_.begin() + static_cast<std::ptrdiff_t>(i);
    if (ticket.protocol_ == UpstreamProtocol::http2) {
      if (auto* carrier = carrier_with_room()) {
        waiting_.erase(next);
        ticket.user_.on_upstream(open_stream(*carrier, ticket));
        i = 0;
      } else if (room() && may_dial_http2()) {
        waiting_.erase(next);
        connect(ticket);
      } else if (!room() && !idle_.empty()) {
        return idle_.front()->discard(); // Makes room, and comes back here.
      } else {
        ++i;
      }
    } else if (!idle_.empty() && !ticket.fresh_) {
      waiting_.erase(next);
      auto& connection = *idle_.back();
      idle_.pop_back();
      connection.lease_to(ticket);
      cluster_.environment_.counters.add(Counter::upstream_reuses);
      ticket.user_.on_upstream(connection);
      i = 0;
    } else if (room()) {
      waiting_.erase(next);
      connect(ticket);
    } else if (!idle_.empty()) {
      return idle_.front()->discard(); // Makes room, and comes back here.
    } else {
      return;
    }
  }
}

void UpstreamEndpoint::remove(UpstreamConnection& connection) {
  if (!connection.is_stream_) {
    auto& counters = cluster_.environment_.counters;
    counters.add(Counter::upstream_bytes_in, connection.channel.bytes_in());
    counters.add(Counter::upstream_bytes_out, connection.channel.bytes_out());
    counters.add(Counter::upstream_closed);
    if (connection.protocol_ == UpstreamProtocol::http2 && connection.dialing())
      --http2_dialing_;
  }
  std::erase(carriers_, &connection);
  std::erase(idle_, &connection);
  const auto index = connection.index_;
  auto gone = std::move(connections_[index]);
  if (index + 1 != connections_.size()) {
    connections_[index] = std::move(connections_.back());
    connections_[index]->index_ = index;
  }
  connections_.pop_back();
  cluster_.environment_.retirement.retire(std::move(gone));
  serve_waiting();
  if (departed_ && connections_.empty() && waiting_.empty())
    cluster_.drop_departed(*this);
}

void UpstreamEndpoint::failed() {
  auto& environment = cluster_.environment_;
  if (health_.failed(environment.loop.now(), environment.options.ejection))
    environment.counters.add(Counter::ejections);
}

void UpstreamEndpoint::close_idle() {
  for (auto* carrier : carriers_)
    carrier->http2_->end();
  while (!idle_.empty())
    idle_.back()->discard();
}

UpstreamCluster::UpstreamCluster(UpstreamEnvironment& environment, std::string id)
    : environment_{environment}, id_{std::move(id)}, counts_{
                                                         environment.counters.clusters.find_or_add(
                                                             id_)} {}

void UpstreamCluster::update(const std::shared_ptr<const Cluster>& cluster,
                             const std::shared_ptr<const Certificate>& certificate) {
  if (cluster == cluster_ && certificate == certificate_)
    return;
  cluster_ = cluster;
  certificate_ = certificate;
  const bool secured_otherwise = tls_.update(*cluster, certificate);
  auto before = std::exchange(endpoints_, {});
  for (const auto& wanted : cluster->endpoints) {
    auto found = std::find_if(before.begin(), before.end(), [&](const auto& had) {
      return had && had->endpoint_.address == wanted.address && had->endpoint_.port == wanted.port;
    });
    if (found == before.end()) {
      endpoints_.push_back(std::make_unique<UpstreamEndpoint>(*this, wanted));
    } else {
      (*found)->endpoint_.weight = wanted.weight;
      endpoints_.push_back(std::move(*found));
    }
  }
  for (auto& had : before) {
    if (!had)
      continue;
    auto& endpoint = *departed_.emplace_back(std::move(had));
    endpoint.departed_ = true;
    if (endpoint.connections_.empty() && endpoint.waiting_.empty())
      drop_departed(endpoint);
    else
      endpoint.close_idle();
  }
  if (secured_otherwise)
    close_idle();
  uniform_ = std::all_of(endpoints_.begin(), endpoints_.end(), [&](const auto& endpoint) {
    return endpoint->endpoint_.weight == endpoints_.front()->endpoint_.weight;
  });
  if (!uniform_ && turns_.size() != endpoints_.size())
    turns_.reset(endpoints_.size());
}

UpstreamEndpoint* UpstreamCluster::pick(const UpstreamEndpoint* avoid) {
  const auto now = environment_.loop.now();
  const auto count = endpoints_.size();
  if (!uniform_) {
    auto turn = turns_.pick([&](std::size_t i) -> std::uint32_t {
      const auto& candidate = *endpoints_[i];
      return &candidate != avoid && candidate.health_.available(now) ? candidate.endpoint_.weight
                                                                     : 0;
    });
    if (turn != SmoothWeights::none)
      return endpoints_[turn].get();
  } else {
    for (std::size_t step = 0; step < count; ++step) {
      auto& candidate = *endpoints_[next_++ % count];
      if (&candidate != avoid && candidate.health_.available(now))
        return &candidate;
    }
  }
  return nullptr;
}

UpstreamEndpoint* UpstreamCluster::pick_any(const UpstreamEndpoint* avoid) {
  const auto count = endpoints_.size();
  for (std::size_t step = 0; step < count; ++step) {
    auto& any = *endpoints_[next_++ % count];
    if (&any == avoid)
      continue;
    if (!any.health_.available(environment_.loop.now()))
      environment_.counters.add(Counter::panics);
    return &any;
  }
  return nullptr;
}

bool UpstreamCluster::available(const UpstreamEndpoint* besides) const {
  const auto now = environment_.loop.now();
  return std::any_of(endpoints_.begin(), endpoints_.end(), [&](const auto& endpoint) {
    return endpoint.get() != besides && endpoint->health_.available(now);
  });
}

UpstreamEndpoint* UpstreamCluster::find(std::uint64_t session) {
  for (const auto& endpoint : endpoints_)
    if (endpoint->session_ == session)
      return endpoint->health_.available(environment_.loop.now()) ? endpoint.get() : nullptr;
  return nullptr;
}

UpstreamEndpoint* UpstreamCluster::find(std::string_view name) {
  const auto found = std::find_if(endpoints_.begin(), endpoints_.end(),
                                  [&](const auto& endpoint) { return endpoint->name_ == name; });
  return found == endpoints_.end() ? nullptr : found->get();
}

bool UpstreamCluster::quiet() const {
  return departed_.empty() && std::all_of(endpoints_.begin(), endpoints_.end(), [](const auto& e) {
           return e->connections_.empty() && e->waiting_.empty();
         });
}

void UpstreamCluster::close_idle() {
  for (const auto& endpoint : endpoints_)
    endpoint->close_idle();
}

void UpstreamCluster::drop_departed(UpstreamEndpoint& endpoint) {
  auto found = std::find_if(departed_.begin(), departed_.end(),
                            [&](const auto& had) { return had.get() == &endpoint; });
  if (found == departed_.end())
    return;
  environment_.retirement.retire(std::move(*found));
  departed_.erase(found);
}

} // namespace strait::gateway::proxy
