#include "catalog/catalog.hpp"
#include "catalog/rows.hpp"
#include "catalog/view_writer.hpp"

#include <algorithm>

namespace strait::catalog {

/// Collects the rows of a whole store and makes the view from them at once: O(n), where a
/// ViewWriter would copy a path for each row.
class ViewLoader {
public:
  template <class T>
  void set(RecordPtr<T> record) {
    newest(T::kind, record->modified);
    auto name = model::key_of(record->value).name;
    std::get<Items<T>>(items_).emplace_back(std::move(name), std::move(record));
  }
  void set_service(ServiceKey service, Revision modified) {
    services_.emplace_back(std::move(service), ServiceEntry{modified, {}});
  }
  void set_kind_revision(model::Kind kind, Revision modified) { newest(kind, modified); }
  void set_extinction(Revision modified) { view_.extinction = modified; }

  Result<ViewPtr> finish(Revision revision);

private:
  template <class T>
  using Items = std::vector<std::pair<model::Name, RecordPtr<T>>>;
  template <class K>
  using Keys = std::vector<std::pair<K, bool>>;
  using Pair = std::pair<model::Name, std::string>;

  void newest(model::Kind kind, Revision modified) {
    auto& known = newest_[kind];
    known = std::max(known, modified);
  }
  Status index_instances();
  void index_checks();
  void index_slices();
  template <class K>
  static PersistentMap<K, bool> sorted(Keys<K> keys) {
    std::sort(keys.begin(), keys.end());
    return PersistentMap<K, bool>::from_sorted(std::move(keys));
  }
  template <class T>
  void fill_table() {
    // A store scans in the order of keys, which is that of names.
    std::get<Table<T>>(view_.tables_) =
        Table<T>::from_sorted(std::move(std::get<Items<T>>(items_)));
  }

  View view_;
  PerRecord<Items> items_;
  std::vector<std::pair<ServiceKey, ServiceEntry>> services_;
  std::map<model::Kind, Revision> newest_;
};

/// Per node and per service; each must have the node that it is on and its service's row.
Status ViewLoader::index_instances() {
  Keys<Pair> on_nodes;
  std::vector<std::pair<ServiceKey, model::Name>> of_services;
  for (auto& [name, record] : std::get<Items<model::ServiceInstance>>(items_)) {
    auto& instance = record->value;
    model::Name node{instance.peer, instance.node};
    if (!view_.table<model::Node>().contains(node))
      return fail(Errc::corrupt, "stored {}: its node {} is missing",
                  model::to_string(model::key_of(instance)), instance.node);
    on_nodes.push_back({{std::move(node), instance.id}, true});
    of_services.push_back({{instance.peer, instance.service}, name});
  }
  view_.node_instances = sorted(std::move(on_nodes));

  std::sort(of_services.begin(), of_services.end());
  auto it = of_services.begin();
  for (auto& [service, entry] : services_) { // Both are sorted by service.
    Keys<model::Name> instances;
    for (; it != of_services.end() && it->first == service; ++it)
      instances.emplace_back(it->second, true);
    if (instances.empty())
      return fail(Errc::corrupt, "stored {}: has no instance or is out of its order",
                  model::to_string(service_index_key(service)));
    entry.instances = PersistentMap<model::Name, bool>::from_sorted(std::move(instances));
  }
  if (it != of_services.end())
    return fail(Errc::corrupt, "stored {}: is missing",
                model::to_string(service_index_key(it->first)));
  view_.services = PersistentMap<ServiceKey, ServiceEntry>::from_sorted(std::move(services_));
  return {};
}

void ViewLoader::index_checks() {
  Keys<Pair> checks;
  for (auto& item : std::get<Items<model::HealthCheck>>(items_))
    checks.push_back({{owner_of(item.second->value), item.second->value.id}, true});
  view_.checks = sorted(std::move(checks));
}

void ViewLoader::index_slices() {
  Keys<Pair> slices;
  for (auto& [name, record] : std::get<Items<model::EndpointSlice>>(items_))
    if (auto* service = service_of(record->value))
      slices.push_back({{{name.ns, *service}, name.name}, true});
  view_.slices = sorted(std::move(slices));
}

Result<ViewPtr> ViewLoader::finish(Revision revision) {
  fill_table<model::Node>();
  if (auto indexed = index_instances(); !indexed)
    return fail(indexed.error());
  index_checks();
  index_slices();
  each_kind([&]<class T>() {
    if constexpr (!std::is_same_v<T, model::Node>)
      fill_table<T>();
  });
  view_.kind_revisions =
      PersistentMap<model::Kind, Revision>::from_sorted({newest_.begin(), newest_.end()});
  view_.revision = revision;
  return std::make_shared<const View>(std::move(view_));
}

Result<Catalog> Catalog::load(const storage::Store& store, CommandLimits limits) {
  ViewLoader loader;
  Status read;
  auto scanned = store.scan("", [&](std::string_view key, std::string_view value) {
    read = read_row(loader, key, value);
    return read.has_value();
  });
  if (!scanned)
    return fail(scanned.error());
  if (!read)
    return fail(read.error());
  auto view = loader.finish(store.revision());
  if (!view)
    return fail(view.error());
  Catalog catalog{limits};
  catalog.view_ = std::move(*view);
  return catalog;
}

} // namespace strait::catalog
