#include "gateway/snapshot/snapshot.hpp"

#include "gateway/snapshot/http_table.hpp"
#include "gateway/snapshot/tls_table.hpp"

namespace strait::gateway {
namespace {

/// The text '*' + suffix, compared with keys without being put together.
struct Wildcard {
  std::string_view suffix;

  int compare(std::string_view key) const {
    if (key.empty())
      return 1;
    if (key.front() != '*')
      return '*' < key.front() ? -1 : 1;
    return suffix.compare(key.substr(1));
  }
  friend bool operator<(const Wildcard& a, const std::string& b) { return a.compare(b) < 0; }
  friend bool operator<(const std::string& a, const Wildcard& b) { return b.compare(a) > 0; }
};

} // namespace

bool hostname_covers(std::string_view pattern, std::string_view host) {
  if (pattern.empty())
    return true;
  if (!pattern.starts_with('*'))
    return pattern == host;
  const auto suffix = pattern.substr(1);
  return host.size() > suffix.size() && host.ends_with(suffix);
}

const ListenerTable* PortTable::find(std::string_view host) const {
  // A longer host than DNS allows can only be served by a listener for every host.
  if (!host.empty() && host.size() <= max_hostname_bytes) {
    if (const auto* exact = by_hostname.find(host))
      return exact->get();
    for (auto dot = host.find('.', 1); dot != std::string_view::npos; dot = host.find('.', dot + 1))
      if (const auto* wildcard = by_hostname.find(Wildcard{host.substr(dot)}))
        return wildcard->get();
  }
  const auto* any = by_hostname.find(std::string_view{});
  return any ? any->get() : nullptr;
}

TlsChoice find_tls(const PortTable& port, std::string_view server_name) {
  TlsChoice choice{.listener = port.find(server_name)};
  if (choice.listener && choice.listener->tls)
    choice.bound = choice.listener->tls->find(server_name);
  if (choice.bound)
    choice.route = &std::get<TlsRoute>(choice.bound->route);
  return choice;
}

bool misdirected(const PortTable& port, const ListenerTable& by_server_name,
                 std::string_view host) {
  const auto* by_host = host.empty() ? nullptr : port.find(host);
  return by_host && by_host->listener->name != by_server_name.listener->name;
}

const Cluster* Snapshot::cluster(std::string_view id) const {
  const auto* entry = clusters.find(id);
  return entry ? entry->cluster.get() : nullptr;
}

MatchedRule match(const ListenerTable& listener, const RequestView& request) {
  return listener.http ? listener.http->match(request) : MatchedRule{};
}

} // namespace strait::gateway
