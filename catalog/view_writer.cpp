#include "catalog/view_writer.hpp"

namespace strait::catalog {

model::ObjectKey key_of(const AnyRecord& record) {
  return std::visit([](auto& it) { return model::key_of(it); }, record);
}

model::ObjectKey service_index_key(const ServiceKey& service) {
  return {model::Kind::service_index, {service.peer, service.service}};
}
model::ObjectKey kind_index_key(model::Kind kind) {
  return {model::Kind::kind_index, {"", std::string{model::to_string(kind)}}};
}
model::ObjectKey extinction_key() { return {model::Kind::kind_index, {"", "extinction"}}; }

std::string node_scope(const std::string& peer, const std::string& node) {
  return peer + "/" + node;
}
const std::string* service_of(const model::EndpointSlice& slice) {
  auto label = slice.meta.labels.find(std::string{service_name_label});
  return label == slice.meta.labels.end() ? nullptr : &label->second;
}
model::Name owner_of(const model::HealthCheck& check) {
  return {node_scope(check.peer, check.node), check.service_id};
}

void ViewWriter::link(const model::ServiceInstance* old, const model::ServiceInstance* now) {
  bool same_service = old && now && old->service == now->service;
  if (old && !same_service) {
    ServiceKey service{old->peer, old->service};
    ServiceEntry entry = *view_.services.find(service);
    entry.instances = entry.instances.without(key_of(*old).name);
    view_.services = view_.services.with(service, std::move(entry));
  }
  if (now && !same_service) {
    ServiceKey service{now->peer, now->service};
    auto* found = view_.services.find(service);
    ServiceEntry entry = found ? *found : ServiceEntry{};
    entry.instances = entry.instances.with(key_of(*now).name, true);
    view_.services = view_.services.with(service, std::move(entry));
  }
  if (old && !now)
    view_.node_instances =
        view_.node_instances.without(std::pair{model::Name{old->peer, old->node}, old->id});
  if (now && !old)
    view_.node_instances =
        view_.node_instances.with({model::Name{now->peer, now->node}, now->id}, true);
}

void ViewWriter::link(const model::HealthCheck* old, const model::HealthCheck* now) {
  if (old && now && old->service_id == now->service_id)
    return;
  if (old)
    view_.checks = view_.checks.without(std::pair{owner_of(*old), old->id});
  if (now)
    view_.checks = view_.checks.with({owner_of(*now), now->id}, true);
}

void ViewWriter::link(const model::EndpointSlice* old, const model::EndpointSlice* now) {
  auto* before = old ? service_of(*old) : nullptr;
  auto* after = now ? service_of(*now) : nullptr;
  if (before && after && *before == *after)
    return;
  if (before)
    view_.slices = view_.slices.without(
        std::pair{model::Name{old->meta.name.ns, *before}, old->meta.name.name});
  if (after)
    view_.slices =
        view_.slices.with({model::Name{now->meta.name.ns, *after}, now->meta.name.name}, true);
}

void ViewWriter::set_service(const ServiceKey& service, Revision modified) {
  auto* found = view_.services.find(service);
  ServiceEntry entry = found ? *found : ServiceEntry{};
  entry.modified = modified;
  view_.services = view_.services.with(service, std::move(entry));
}
void ViewWriter::unset_service(const ServiceKey& service) {
  view_.services = view_.services.without(service);
}
void ViewWriter::set_kind_revision(model::Kind kind, Revision modified) {
  view_.kind_revisions = view_.kind_revisions.with(kind, modified);
}

Result<ViewPtr> replay(const View& view, const storage::Commit& commit) {
  ViewWriter writer{view};
  for (auto& write : commit.writes) {
    if (!write.erase) {
      if (auto read = read_row(writer, write.key, write.value); !read)
        return fail(read.error());
      continue;
    }
    auto key = decode_key(write.key);
    if (!key)
      return fail(key.error());
    if (key->kind == model::Kind::service_index)
      writer.unset_service({key->name.ns, key->name.name});
    else
      with_kind(key->kind, [&]<class T>() { writer.unset<T>(key->name); });
  }
  writer.set_revision(commit.revision);
  return writer.finish();
}

} // namespace strait::catalog
