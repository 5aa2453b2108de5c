#include "actors/kubernetes_references.hpp"

namespace strait::actors {

namespace {

using model::Kind;

struct Collector {
  std::set<model::ObjectKey> found{};

  void add(const std::string& group, const std::string& kind, const std::string& ns,
           const std::string& own_ns, const std::string& name) {
    if (!group.empty() || name.empty())
      return;
    if (kind == "Secret")
      found.insert({Kind::secret, {ns.empty() ? own_ns : ns, name}});
    else if (kind == "ConfigMap")
      found.insert({Kind::config_map, {ns.empty() ? own_ns : ns, name}});
  }
  void listeners(const std::vector<model::Listener>& listeners, const std::string& ns) {
    for (auto& listener : listeners)
      if (listener.tls)
        for (auto& it : listener.tls->certificates)
          add(it.group, it.kind, it.ns, ns, it.name);
  }
  void validation(const std::optional<model::ClientValidation>& it, const std::string& ns) {
    if (it)
      for (auto& ref : it->ca_refs)
        add(ref.group, ref.kind, ref.ns, ns, ref.name);
  }
};

bool is_ours(const catalog::View& view, const model::Gateway& gateway) {
  auto* its_class = view.find<model::GatewayClass>({"", gateway.class_name});
  return its_class && (its_class->controller_name == model::strait_controller ||
                       its_class->controller_name == model::consul_controller);
}

} // namespace

std::set<model::ObjectKey> kubernetes_references(const catalog::View& view) {
  Collector out;
  for (auto& [name, record] : view.table<model::Gateway>()) {
    auto& gateway = record->value;
    if (!is_ours(view, gateway))
      continue;
    out.listeners(gateway.listeners, name.ns);
    if (auto& it = gateway.tls.backend_client_certificate)
      out.add(it->group, it->kind, it->ns, name.ns, it->name);
    out.validation(gateway.tls.frontend, name.ns);
    for (auto& [port, validation] : gateway.tls.frontend_per_port)
      out.validation(validation, name.ns);
  }
  for (auto& [name, record] : view.table<model::ListenerSet>()) {
    auto& set = record->value;
    auto* gateway = view.find<model::Gateway>(
        {set.parent.ns.empty() ? name.ns : set.parent.ns, set.parent.name});
    if (gateway && is_ours(view, *gateway))
      out.listeners(set.listeners, name.ns);
  }
  for (auto& [name, record] : view.table<model::BackendTlsPolicy>())
    for (auto& ref : record->value.ca_refs)
      out.add(ref.group, ref.kind, ref.ns, name.ns, ref.name);
  return std::move(out.found);
}

} // namespace strait::actors
