#include "gateway/snapshot/tls_table.hpp"

#include "gateway/snapshot/compiled_route.hpp"

#include <bit>

namespace strait::gateway {
namespace {

using Node = ServerNameNode;

/// A persistent map tells nothing of its nodes: one per level, and two more for a rotation.
void count(const Node& node, CopyCost& cost) {
  const auto levels = static_cast<std::size_t>(std::bit_width(node.routes.size())) + 2;
  cost.nodes += levels + 1;
  cost.bytes += levels * decltype(node.routes)::node_bytes() + sizeof(Node) + node.name.size();
}

/// Calls change(edit) for each hostname of the route, where edit(old node, key) is the new node.
template <class Edit>
void for_each_hostname(HostnameTrie<Node>& names, const TlsRoute& tls, Edit edit, CopyCost& cost) {
  if (tls.hostnames.empty())
    names.change("", edit, cost);
  for (const auto& hostname : tls.hostnames)
    names.change(hostname, edit, cost);
}

} // namespace

Result<TlsTable> TlsTable::with(const std::shared_ptr<const BoundRoute>& route,
                                CopyCost& cost) const {
  const auto& tls = std::get<TlsRoute>(route->route);
  for (const auto& hostname : tls.hostnames)
    if (auto checked = check_hostname(hostname); !checked)
      return fail(Errc::invalid, "{}: {}", route->id, checked.error().detail);
  auto table = *this;
  for_each_hostname(
      table.names_, tls,
      [&](const Node* old, std::string_view name) {
        Node node = old ? *old : Node{.hash = hash_text(name), .name = std::string{name}};
        node.routes = node.routes.with(route, {});
        count(node, cost);
        return std::make_shared<const Node>(std::move(node));
      },
      cost);
  return table;
}

TlsTable TlsTable::without(const BoundRoute& route, CopyCost& cost) const {
  auto table = *this;
  for_each_hostname(
      table.names_, std::get<TlsRoute>(route.route),
      [&](const Node* old, std::string_view) -> std::shared_ptr<const Node> {
        if (!old)
          return nullptr;
        Node node = *old;
        node.routes = node.routes.without(route);
        if (node.routes.empty())
          return nullptr;
        count(node, cost);
        return std::make_shared<const Node>(std::move(node));
      },
      cost);
  return table;
}

const BoundRoute* TlsTable::find(std::string_view server_name, std::size_t* visited) const {
  return names_.first(server_name, visited, [](const Node& node) {
    const BoundRoute* oldest = nullptr;
    node.routes.each([&](const auto& item) {
      oldest = item.first.get();
      return false;
    });
    return oldest;
  });
}

} // namespace strait::gateway
