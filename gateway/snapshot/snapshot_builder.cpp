#include "base/overload.hpp"
#include "gateway/snapshot/http_table.hpp"
#include "gateway/snapshot/snapshot.hpp"
#include "gateway/snapshot/tls_table.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace strait::gateway {
namespace {

bool serves_http(const Listener& listener) {
  return listener.protocol == Protocol::http || listener.protocol == Protocol::https;
}
std::string_view name_of(Protocol protocol) {
  switch (protocol) {
  case Protocol::http:
    return "HTTP";
  case Protocol::https:
    return "HTTPS";
  case Protocol::tcp:
    return "TCP";
  case Protocol::udp:
    return "UDP";
  case Protocol::tls:
    return "TLS";
  case Protocol::peering:
    return "peering";
  }
  return "unknown";
}

/// What kind of route a listener takes; null: none.
const char* route_kind(const Listener& listener) {
  switch (listener.protocol) {
  case Protocol::http:
  case Protocol::https:
    return "HTTP";
  case Protocol::tcp:
    return "TCP";
  case Protocol::udp:
    return "UDP";
  case Protocol::tls:
    return "TLS";
  case Protocol::peering:
    break;
  }
  return nullptr;
}
bool takes(const Listener& listener, const BoundRoute& bound) {
  return std::visit(overload{[&](const HttpRoute&) { return serves_http(listener); },
                             [&](const TcpRoute&) { return listener.protocol == Protocol::tcp; },
                             [&](const TlsRoute&) { return listener.protocol == Protocol::tls; },
                             [&](const UdpRoute&) { return listener.protocol == Protocol::udp; }},
                    bound.route);
}

/// A UDP port and a TCP port of one number are two ports.
struct PortKey {
  bool udp = false;
  std::uint16_t number = 0;
  friend auto operator<=>(const PortKey&, const PortKey&) = default;
};
PortKey port_of(const Listener& listener) {
  return {listener.protocol == Protocol::udp, listener.port};
}

/// HTTPS and TLS listeners share a port: the server name chooses among both.
bool may_share(Protocol a, Protocol b) {
  const auto by_server_name = [](Protocol protocol) {
    return protocol == Protocol::https || protocol == Protocol::tls;
  };
  return a == b || (by_server_name(a) && by_server_name(b));
}

/// Calls visit(key, route) for the routes bound to a listener.
template <class F>
void for_each_route(const Resources<BoundRoute>& routes, const std::string& listener, F visit) {
  const auto first = binding_key(listener, "");
  for (auto it = routes.lower_bound(first); it != routes.end() && it->first.starts_with(first);
       ++it)
    visit(it->first, it->second);
}

} // namespace

struct SnapshotBuilder::Change {
  SnapshotBuilder& builder;
  Snapshot next;
  CopyCost cost;
  /// Tables that this delta changes, as they will be; committed at the end.
  struct Draft {
    HttpTable http;
    TlsTable tls;
  };
  std::map<std::string, Draft, std::less<>> drafts;
  std::set<PortKey> ports; // To be made anew from their listeners.
  bool errors_changed = false;

  void leave_out(const std::string& what, Error error) {
    builder.left_out_.insert_or_assign(what, std::move(error));
    errors_changed = true;
  }
  void take_in(const std::string& what) { errors_changed |= builder.left_out_.erase(what) > 0; }

  Draft& draft(const std::string& listener, const ListenerTable& table) {
    auto [it, is_new] = drafts.try_emplace(listener);
    if (is_new && table.http)
      it->second.http = *table.http;
    if (is_new && table.tls)
      it->second.tls = *table.tls;
    return it->second;
  }

  // ── routes ──

  void add_route(const std::string& key, const std::shared_ptr<const BoundRoute>& route) {
    const std::string listener{listener_of(key)};
    auto table = builder.tables_.find(listener);
    if (table == builder.tables_.end()) {
      leave_out("route " + key,
                {Errc::not_found, route->id + ": listener '" + listener + "' does not exist"});
      return;
    }
    if (key != binding_key(listener, route->id)) {
      leave_out(
          "route " + key,
          {Errc::invalid, "route '" + key + "': id: must be its key's, not '" + route->id + "'"});
      return;
    }
    const auto& bound_to = *table->second->listener;
    if (!takes(bound_to, *route)) {
      const char* kind = route_kind(bound_to);
      leave_out("route " + key,
                {Errc::invalid, route->id + ": listener '" + listener + "' takes " +
                                    (kind ? std::string{kind} + " routes only" : "no routes")});
      return;
    }
    if (auto added = add_to(draft(listener, *table->second), route); !added) {
      leave_out("route " + key, std::move(added.error()));
      return;
    }
    take_in("route " + key);
  }

  Status add_to(Draft& to, const std::shared_ptr<const BoundRoute>& route) {
    if (std::holds_alternative<HttpRoute>(route->route)) {
      ++builder.counters_.routes_compiled;
      auto compiled = compile(route);
      if (!compiled)
        return fail(std::move(compiled.error()));
      to.http = to.http.with(*compiled, cost);
    } else if (std::holds_alternative<TlsRoute>(route->route)) {
      ++builder.counters_.routes_compiled;
      auto table = to.tls.with(route, cost);
      if (!table)
        return fail(std::move(table.error()));
      to.tls = std::move(*table);
    }
    return {}; // Of other routes the oldest is sought when all are there.
  }

  void remove_route(const std::string& key, const BoundRoute& route) {
    if (builder.left_out_.contains("route " + key)) {
      take_in("route " + key); // It was never in a table.
      return;
    }
    const std::string listener{listener_of(key)};
    auto table = builder.tables_.find(listener);
    if (table == builder.tables_.end())
      return;
    auto& from = draft(listener, *table->second);
    if (std::holds_alternative<HttpRoute>(route.route))
      from.http = from.http.without(route, cost);
    if (std::holds_alternative<TlsRoute>(route.route))
      from.tls = from.tls.without(route, cost);
  }

  void change_route(const std::string& key, const std::shared_ptr<const BoundRoute>& route) {
    if (const auto* old = next.config.routes.find(key))
      remove_route(key, **old);
    change(next.config.routes, key, route);
    if (route)
      add_route(key, route);
  }

  // ── listeners ──

  void change_listener(const std::string& name, const std::shared_ptr<const Listener>& listener) {
    auto old = builder.tables_.find(name);
    const bool existed = old != builder.tables_.end();
    if (existed)
      ports.insert(port_of(*old->second->listener));
    const bool keeps_routes = existed && listener && listener->name == name &&
                              (old->second->listener->protocol == listener->protocol ||
                               (serves_http(*old->second->listener) && serves_http(*listener)));
    change(next.config.listeners, name, listener);
    take_in("listener " + name);
    const bool named_well =
        listener && listener->name == name && !name.empty() && name.find('/') == std::string::npos;
    if (listener && !named_well)
      leave_out("listener " + name,
                {Errc::invalid, "listener '" + name + "': name: must be its key, not '" +
                                    listener->name + "', not empty and without '/'"});
    if (!named_well) {
      if (existed)
        builder.tables_.erase(old);
    } else {
      ports.insert(port_of(*listener));
      auto table = keeps_routes ? *old->second : ListenerTable{};
      table.listener = listener;
      if (serves_http(*listener) && !table.http)
        table.http = std::make_shared<const HttpTable>();
      if (listener->protocol == Protocol::tls && !table.tls)
        table.tls = std::make_shared<const TlsTable>();
      builder.tables_.insert_or_assign(name, std::make_shared<const ListenerTable>(table));
    }
    if (keeps_routes)
      return;
    drafts.erase(name);
    for_each_route(next.config.routes, name,
                   [&](const auto& key, const auto& route) { add_route(key, route); });
  }

  void commit_drafts() {
    for (auto& [name, draft] : drafts) {
      auto it = builder.tables_.find(name);
      if (it == builder.tables_.end())
        continue; // The listener went away in the same delta.
      auto table = *it->second;
      if (serves_http(*table.listener))
        table.http = std::make_shared<const HttpTable>(std::move(draft.http));
      if (table.listener->protocol == Protocol::tls)
        table.tls = std::make_shared<const TlsTable>(std::move(draft.tls));
      if (table.listener->protocol == Protocol::tcp)
        table.tcp = oldest<TcpRoute>(name);
      if (table.listener->protocol == Protocol::udp)
        table.udp = oldest<UdpRoute>(name);
      it->second = std::make_shared<const ListenerTable>(std::move(table));
      replace_in_port(*it->second->listener, it->second);
    }
  }

  template <class Route>
  std::shared_ptr<const BoundRoute> oldest(const std::string& listener) const {
    std::shared_ptr<const BoundRoute> found;
    for_each_route(next.config.routes, listener, [&](const auto&, const auto& route) {
      if (std::holds_alternative<Route>(route->route) && (!found || older(*route, *found)))
        found = route;
    });
    return found;
  }

  // ── ports ──

  auto& tables_of(PortKey key) { return key.udp ? next.udp_ports : next.ports; }

  /// Only the listener's table changed: what else the port serves stays.
  void replace_in_port(const Listener& listener,
                       const std::shared_ptr<const ListenerTable>& table) {
    const auto key = port_of(listener);
    if (ports.contains(key) || builder.left_out_.contains("listener " + listener.name))
      return;
    auto& tables = tables_of(key);
    auto port = **tables.find(key.number);
    port.by_hostname = port.by_hostname.with(listener.hostname, table);
    tables = tables.with(key.number, std::make_shared<const PortTable>(std::move(port)));
  }

  Status admit(const PortTable& port, const Listener& listener) const {
    const auto where = "listener '" + listener.name + "'";
    if (listener.port == 0)
      return fail(Errc::invalid, "{}: port: must be 1..65535", where);
    if (auto checked = check_hostname(listener.hostname); !checked)
      return fail(Errc::invalid, "{}: {}", where, checked.error().detail);
    if (port.by_hostname.empty())
      return {};
    if (!may_share(port.protocol, listener.protocol))
      return fail(Errc::conflict, "{}: protocol: port {} already speaks {}", where, listener.port,
                  name_of(port.protocol));
    if (port.address != listener.address)
      return fail(Errc::conflict, "{}: address: port {} is already bound to '{}'", where,
                  listener.port, port.address);
    if (port.by_hostname.contains(listener.hostname))
      return fail(Errc::conflict, "{}: hostname: port {} already has a listener for '{}'", where,
                  listener.port, listener.hostname);
    if (listener.protocol == Protocol::tcp || listener.protocol == Protocol::udp)
      return fail(Errc::conflict, "{}: port: {} already has a {} listener", where, listener.port,
                  name_of(listener.protocol));
    return {};
  }

  /// The listeners in the order of their names, so that the outcome does not depend on history.
  void make_port(PortKey key) {
    PortTable port;
    for (const auto& [name, table] : builder.tables_) {
      const auto& listener = *table->listener;
      if (port_of(listener) != key)
        continue;
      if (auto admitted = admit(port, listener); !admitted) {
        leave_out("listener " + name, std::move(admitted.error()));
        continue;
      }
      take_in("listener " + name);
      port.port = key.number;
      port.address = listener.address;
      const bool mixed = !port.by_hostname.empty() && port.protocol != listener.protocol;
      port.protocol = mixed ? Protocol::https : listener.protocol;
      port.by_hostname = port.by_hostname.with(listener.hostname, table);
    }
    auto& tables = tables_of(key);
    tables = port.by_hostname.empty()
                 ? tables.without(key.number)
                 : tables.with(key.number, std::make_shared<const PortTable>(std::move(port)));
  }

  // ── the rest ──

  void change_cluster(const std::string& id, const std::shared_ptr<const Cluster>& cluster) {
    change(next.config.clusters, id, cluster);
    if (!cluster) {
      next.clusters = next.clusters.without(id, cost);
      return;
    }
    if (cluster->id != id) {
      leave_out("cluster " + id,
                {Errc::invalid, "cluster '" + id + "': id: says '" + cluster->id + "'"});
      next.clusters = next.clusters.without(id, cost);
      return;
    }
    take_in("cluster " + id);
    next.clusters = next.clusters.with(
        std::make_shared<const ClusterEntry>(ClusterEntry{hash_text(id), cluster}), cost);
  }

  void run(const Delta& delta) {
    for (const auto& [name, listener] : delta.listeners)
      change_listener(name, listener);
    for (const auto& [key, route] : delta.routes)
      change_route(key, route);
    for (const auto& [id, cluster] : delta.clusters)
      change_cluster(id, cluster);
    for (const auto& [id, certificate] : delta.certificates)
      change(next.config.certificates, id, certificate);
    for (const auto& [sni, exported] : delta.exports)
      change(next.config.exports, sni, exported);
    for (const auto& [peer, trust] : delta.trust)
      change(next.config.trust, peer, trust);
    commit_drafts();
    for (const auto& key : ports)
      make_port(key);
    next.config.epoch = delta.epoch;
  }
};

Result<SnapshotPtr> SnapshotBuilder::apply(const Delta& delta) {
  const auto epoch = current_ ? current_->epoch() : 0;
  if (delta.from != 0 && delta.from != epoch)
    return fail(Errc::conflict, "snapshot: the delta starts at epoch {}, the snapshot is at {}",
                delta.from, epoch);
  Change next{*this, current_ ? *current_ : Snapshot{}};
  if (delta.from == 0 && current_)
    next.run(difference(current_->config, strait::gateway::apply(Config{}, delta)));
  else
    next.run(delta);
  counters_.nodes_copied += next.cost.nodes;
  counters_.bytes_allocated += next.cost.bytes;
  if (next.errors_changed) {
    errors_.clear();
    for (const auto& [what, error] : left_out_)
      errors_.push_back(error);
  }
  current_ = std::make_shared<const Snapshot>(std::move(next.next));
  return current_;
}

} // namespace strait::gateway
