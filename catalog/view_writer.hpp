#pragma once

#include "catalog/rows.hpp"

namespace strait::catalog {

/// The label that ties an EndpointSlice to its Service.
inline constexpr std::string_view service_name_label = "kubernetes.io/service-name";
/// The name of the Service that a slice belongs to, or null.
const std::string* service_of(const model::EndpointSlice& slice);
/// The node scope of instances and checks in their ObjectKey.
std::string node_scope(const std::string& peer, const std::string& node);
/// The name of the instance that a check belongs to; of its node: with an empty name.
model::Name owner_of(const model::HealthCheck& check);

/// Makes the next view from one: tables and the indexes that follow from them. Decides nothing:
/// revisions are given. Every step copies O(log n) nodes.
class ViewWriter {
public:
  explicit ViewWriter(const View& base) : view_{base} {}

  const View& view() const { return view_; }

  template <class T>
  void set(RecordPtr<T> record) {
    auto name = key_of(record->value).name;
    auto& table = std::get<Table<T>>(view_.tables_);
    auto* old = table.find(name);
    link(old ? &(*old)->value : nullptr, &record->value);
    view_.kind_revisions = view_.kind_revisions.with(T::kind, record->modified);
    table = table.with(std::move(name), std::move(record));
  }
  /// False if there was none.
  template <class T>
  bool unset(const model::Name& name) {
    auto& table = std::get<Table<T>>(view_.tables_);
    auto* found = table.find(name);
    if (!found)
      return false;
    auto old = *found;
    link(&old->value, static_cast<const T*>(nullptr));
    table = table.without(name);
    return true;
  }

  void set_service(const ServiceKey& service, Revision modified);
  /// Forgets a service that has no instance left.
  void unset_service(const ServiceKey& service);
  void set_kind_revision(model::Kind kind, Revision modified);
  void set_extinction(Revision modified) { view_.extinction = modified; }
  void set_revision(Revision revision) { view_.revision = revision; }

  ViewPtr finish() { return std::make_shared<const View>(std::move(view_)); }

private:
  // Keeps the indexes: `now` takes the place of `old`; either may be null.
  template <class T>
  void link(const T*, const T*) {}
  void link(const model::ServiceInstance* old, const model::ServiceInstance* now);
  void link(const model::HealthCheck* old, const model::HealthCheck* now);
  void link(const model::EndpointSlice* old, const model::EndpointSlice* now);

  View view_;
};

/// The view after one more commit, as it came from a store's log or watch.
Result<ViewPtr> replay(const View& view, const storage::Commit& commit);

} // namespace strait::catalog
