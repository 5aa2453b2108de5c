#include "gateway/snapshot/http_table.hpp"
#include "gateway/snapshot/snapshot.hpp"

#include <algorithm>
#include <set>
#include <tuple>

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

bool older(const BoundRoute& a, const BoundRoute& b) {
  return std::tie(a.created, a.id) < std::tie(b.created, b.id);
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
  };
  std::map<std::string, Draft, std::less<>> drafts;
  std::set<std::uint16_t> ports; // To be made anew from their listeners.
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
    const bool http = std::holds_alternative<HttpRoute>(route->route);
    if (http ? !serves_http(bound_to) : bound_to.protocol != Protocol::tcp) {
      leave_out("route " + key,
                {Errc::invalid, route->id + ": listener '" + listener + "' takes " +
                                    (serves_http(bound_to)                ? "HTTP routes only"
                                     : bound_to.protocol == Protocol::tcp ? "TCP routes only"
                                                                          : "no routes")});
      return;
    }
    if (http) {
      ++builder.counters_.routes_compiled;
      auto compiled = compile(route);
      if (!compiled) {
        leave_out("route " + key, std::move(compiled.error()));
        return;
      }
      auto& to = draft(listener, *table->second);
      to.http = to.http.with(*compiled, cost);
    } else {
      draft(listener, *table->second);
    }
    take_in("route " + key);
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
      ports.insert(old->second->listener->port);
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
      ports.insert(listener->port);
      auto table = keeps_routes ? *old->second : ListenerTable{};
      table.listener = listener;
      if (serves_http(*listener) && !table.http)
        table.http = std::make_shared<const HttpTable>();
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
      if (table.listener->protocol == Protocol::tcp)
        table.tcp = oldest_tcp(name);
      it->second = std::make_shared<const ListenerTable>(std::move(table));
      replace_in_port(*it->second->listener, it->second);
    }
  }

  std::shared_ptr<const BoundRoute> oldest_tcp(const std::string& listener) const {
    std::shared_ptr<const BoundRoute> oldest;
    for_each_route(next.config.routes, listener, [&](const auto&, const auto& route) {
      if (std::holds_alternative<TcpRoute>(route->route) && (!oldest || older(*route, *oldest)))
        oldest = route;
    });
    return oldest;
  }

  // ── ports ──

  /// Only the listener's table changed: what else the port serves stays.
  void replace_in_port(const Listener& listener,
                       const std::shared_ptr<const ListenerTable>& table) {
    if (ports.contains(listener.port) || builder.left_out_.contains("listener " + listener.name))
      return;
    auto port = **next.ports.find(listener.port);
    port.by_hostname = port.by_hostname.with(listener.hostname, table);
    next.ports = next.ports.with(listener.port, std::make_shared<const PortTable>(std::move(port)));
  }

  Status admit(const PortTable& port, const Listener& listener) const {
    const auto where = "listener '" + listener.name + "'";
    if (listener.port == 0)
      return fail(Errc::invalid, "{}: port: must be 1..65535", where);
    if (auto checked = check_hostname(listener.hostname); !checked)
      return fail(Errc::invalid, "{}: {}", where, checked.error().detail);
    if (port.by_hostname.empty())
      return {};
    if (port.protocol != listener.protocol)
      return fail(Errc::conflict, "{}: protocol: port {} already speaks {}", where, listener.port,
                  name_of(port.protocol));
    if (port.address != listener.address)
      return fail(Errc::conflict, "{}: address: port {} is already bound to '{}'", where,
                  listener.port, port.address);
    if (port.by_hostname.contains(listener.hostname))
      return fail(Errc::conflict, "{}: hostname: port {} already has a listener for '{}'", where,
                  listener.port, listener.hostname);
    if (listener.protocol == Protocol::tcp)
      return fail(Errc::conflict, "{}: port: {} already has a TCP listener", where, listener.port);
    return {};
  }

  /// The listeners in the order of their names, so that the outcome does not depend on history.
  void make_port(std::uint16_t number) {
    PortTable port;
    for (const auto& [name, table] : builder.tables_) {
      const auto& listener = *table->listener;
      if (listener.port != number)
        continue;
      if (auto admitted = admit(port, listener); !admitted) {
        leave_out("listener " + name, std::move(admitted.error()));
        continue;
      }
      take_in("listener " + name);
      port.port = number;
      port.address = listener.address;
      port.protocol = listener.protocol;
      port.by_hostname = port.by_hostname.with(listener.hostname, table);
    }
    next.ports = port.by_hostname.empty()
                     ? next.ports.without(number)
                     : next.ports.with(number, std::make_shared<const PortTable>(std::move(port)));
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
    for (auto port : ports)
      make_port(port);
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
