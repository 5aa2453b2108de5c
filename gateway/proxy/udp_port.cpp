#include "gateway/proxy/udp_port.hpp"

#include <algorithm>

namespace strait::gateway::proxy {

namespace {

/// As for TCP routes: turns are kept by the route's name, over changes of its content.
std::uint64_t rule_id(const BoundRoute& route) {
  return std::hash<std::string>{}(route.id) ^ 0x7564702d726f7574U;
}

} // namespace

Status UdpPort::listen() {
  auto address = bound_address(*state_);
  if (!address)
    return fail(address.error());
  auto fd = net::bind_udp(*address, true);
  if (!fd)
    return fail(fd.error());
  if (auto added = worker_.loop.add(fd->get(), net::Watch::level_read, *this); !added)
    return added;
  fd_ = std::move(*fd);
  renew();
  return {};
}

void UdpPort::close() {
  sessions_.end_if([&](const UdpSession& session) { return session.flow().port == this; });
  if (!fd_)
    return;
  worker_.loop.remove(fd_.get());
  fd_.close();
}

void UdpPort::on_ready(net::Ready) {
  const auto space = sessions_.space();
  auto& counters = worker_.counters;
  for (unsigned i = 0; i < worker_.options.limits.datagrams_per_turn_max; ++i) {
    net::Datagram datagram;
    // Errors are of single datagrams that were sent; the socket is as good as before.
    if (net::receive_datagram(fd_, space, datagram) != net::Udp::moved)
      return;
    counters.add(Counter::udp_datagrams_in);
    if (datagram.truncated)
      counters.add(Counter::udp_too_large);
    else
      take({space.data(), datagram.bytes}, datagram);
  }
}

void UdpPort::take(std::string_view bytes, const net::Datagram& datagram) {
  const UdpFlow flow{this, datagram.from, datagram.to};
  auto* session = sessions_.find(flow);
  if (session)
    sessions_.touch(*session);
  else
    session = begin(flow);
  if (!session)
    return worker_.counters.add(Counter::udp_dropped);
  auto sent = session->send(bytes);
  if (sent == net::Udp::refused) { // The one before; this one was not sent.
    endpoint_failed(*session);
    const auto* failed = endpoint_of(*session);
    sessions_.end(*session, "the endpoint refuses datagrams");
    session = begin(flow, failed);
    sent = session ? session->send(bytes) : net::Udp::failed;
  }
  if (sent != net::Udp::moved)
    worker_.counters.add(Counter::udp_dropped);
}

std::shared_ptr<const BoundRoute> UdpPort::route() const {
  const auto* table = state_->table->find("");
  const bool serves = table && table->udp && std::holds_alternative<UdpRoute>(table->udp->route);
  return serves ? table->udp : nullptr;
}

UdpSession* UdpPort::begin(const UdpFlow& flow, const UpstreamEndpoint* avoid) {
  const auto bound = route();
  if (sessions_.draining() || !bound)
    return nullptr;
  const auto& backends = std::get<UdpRoute>(bound->route).backends;
  const auto choice = worker_.routing.choose(rule_id(*bound), backends, *state_->served);
  if (!choice.backend)
    return nullptr;
  UdpDestination to;
  to.route = bound;
  to.listener = state_->table->find("")->listener->name;
  auto& counts = worker_.counters.listeners.find_or_add(to.listener);
  counts.requests.add();
  if (!choice.cluster || choice.cluster->cluster()->refused) {
    // The client's datagrams are swallowed as long as it goes on: else its next one would draw
    // again, and the refused share be smaller than its weight.
    counts.failures.add();
    return sessions_.begin(*this, flow, std::move(to));
  }
  choice.cluster->counts().requests.add();
  auto* endpoint = worker_.routing.pick(*choice.cluster, *state_->served, avoid).endpoint;
  if (!endpoint && avoid)
    endpoint = worker_.routing.pick(*choice.cluster, *state_->served).endpoint;
  if (!endpoint) {
    worker_.counters.add(Counter::no_endpoint);
    return nullptr;
  }
  const auto* address = endpoint->address();
  if (!address)
    return nullptr; // Its name is being resolved; the client will try again.
  auto fd = net::connect_udp(*address);
  if (!fd) {
    worker_.counters.add(Counter::upstream_connect_failures);
    worker_.options.log.warn("port {}: {}", state_->port, fd.error().detail);
    return nullptr;
  }
  to.fd = std::move(*fd);
  to.own = choice.backend->cluster;
  to.cluster = endpoint->cluster().id();
  to.endpoint = endpoint->endpoint();
  to.endpoint_name = endpoint->name();
  return sessions_.begin(*this, flow, std::move(to));
}

void UdpPort::send(std::string_view bytes, const UdpFlow& flow) {
  const bool sent = net::send_datagram(fd_, bytes, flow.client, flow.local) == net::Udp::moved;
  worker_.counters.add(sent ? Counter::udp_datagrams_out : Counter::udp_dropped);
}

void UdpPort::renew() {
  auto bound = route();
  std::vector<std::shared_ptr<const Cluster>> clusters;
  const auto add = [&](const std::string& id) {
    const auto* found = state_->served->snapshot->config.clusters.find(id);
    clusters.push_back(found ? *found : nullptr);
    return clusters.back();
  };
  if (bound)
    for (const auto& backend : std::get<UdpRoute>(bound->route).backends)
      if (const auto own = add(backend.cluster))
        for (const auto& id : own->failover)
          add(id);
  if (bound == route_ && clusters == clusters_)
    return;
  route_ = std::move(bound);
  clusters_ = std::move(clusters);
  sessions_.end_if([&](const UdpSession& session) {
    return session.flow().port == this && !still_served(session.destination());
  });
}

bool UdpPort::still_served(const UdpDestination& destination) const {
  if (!route_)
    return false;
  if (!destination.fd)
    return destination.route == route_; // Refused by a route that is another one now.
  if (destination.cluster != destination.own) {
    const auto* own = worker_.routing.cluster(destination.own, *state_->served);
    if (!own || own->available())
      return false; // Nobody needs to stand in any more.
  }
  for (const auto& cluster : clusters_)
    if (cluster && cluster->id == destination.cluster && !cluster->refused) {
      const auto& all = cluster->endpoints;
      const Endpoint least{destination.endpoint.address, destination.endpoint.port, 0};
      const auto found = std::lower_bound(all.begin(), all.end(), least);
      return found != all.end() && found->address == least.address && found->port == least.port;
    }
  return false;
}

UpstreamEndpoint* UdpPort::endpoint_of(const UdpSession& session) {
  auto* cluster = worker_.routing.cluster(session.destination().cluster, *state_->served);
  return cluster ? cluster->find(session.destination().endpoint_name) : nullptr;
}

void UdpPort::endpoint_failed(const UdpSession& session) {
  worker_.counters.add(Counter::upstream_failures);
  if (auto* endpoint = endpoint_of(session))
    endpoint->failed();
}

void UdpPort::endpoint_answered(const UdpSession& session) {
  if (auto* endpoint = endpoint_of(session))
    endpoint->succeeded();
}

} // namespace strait::gateway::proxy
