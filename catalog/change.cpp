#include "catalog/change.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

namespace strait::catalog {

bool Change::fits(const model::ObjectKey& key) {
  if (key.name.name.empty())
    refuse(Errc::invalid, "{}: name: must not be empty", model::to_string(key.kind));
  // A node scope is two names and a slash.
  else if (key.name.name.size() > limits_.name_bytes_max ||
           key.name.ns.size() > 2 * limits_.name_bytes_max + 1)
    refuse(Errc::exhausted, "{}: name: must not be longer than {} bytes",
           model::to_string(key.kind), limits_.name_bytes_max);
  return !refused();
}

void Change::write(const model::ObjectKey& key, std::string value) {
  if (value.size() > limits_.object_bytes_max)
    refuse(Errc::exhausted, "{}: has {} bytes when encoded, at most {} are kept",
           model::to_string(key), value.size(), limits_.object_bytes_max);
  writes_[key] = {encode_key(key), std::move(value), false};
}

void Change::erased(const model::ObjectKey& key) {
  writes_[key] = {encode_key(key), {}, true};
  // What is left cannot tell when something was taken away.
  writer_.set_kind_revision(key.kind, revision());
  write(kind_index_key(key.kind), encode_index(revision()));
}

void Change::touch_for(const model::ServiceInstance& instance) {
  touched_.insert({instance.peer, instance.service});
}
void Change::touch_for(const model::HealthCheck& check) {
  if (check.service_id.empty()) {
    if (auto* node = view().find<model::Node>({check.peer, check.node}))
      touch_for(*node);
  } else if (auto* instance = view().find<model::ServiceInstance>(owner_of(check))) {
    touch_for(*instance);
  }
}
void Change::touch_for(const model::Node& node) {
  for (auto& id : instances_on(view(), model::key_of(node).name))
    touch_for(*view().find<model::ServiceInstance>({node_scope(node.peer, node.name), id}));
}

Result<Outcome> Change::finish() {
  if (error_)
    return fail(std::move(*error_));
  if (writes_.empty())
    return Outcome{{base_->revision, {}}, base_, {}, {}};
  Outcome outcome;
  outcome.commit.revision = revision();
  for (auto& [key, write] : writes_)
    if (!is_index(key.kind))
      outcome.changed.push_back(key);
  for (auto& service : touched_) {
    auto* entry = view().services.find(service);
    if (!entry)
      continue;
    if (!entry->instances.empty()) {
      writer_.set_service(service, revision());
      write(service_index_key(service), encode_index(revision()));
    } else {
      writer_.unset_service(service);
      writer_.set_extinction(revision());
      auto key = service_index_key(service);
      writes_[key] = {encode_key(key), {}, true};
      write(extinction_key(), encode_index(revision()));
    }
    outcome.services.push_back(service);
  }
  for (auto& [key, write] : writes_)
    outcome.commit.writes.push_back(std::move(write));
  writer_.set_revision(revision());
  outcome.view = writer_.finish();
  return outcome;
}

void require(Change& change, const model::ObjectKey& key, const Cas& cas, Revision modified) {
  if (!cas || *cas == modified)
    return;
  if (*cas == 0)
    change.refuse(Errc::conflict, "{}: exists already, last changed at revision {}",
                  model::to_string(key), modified);
  else if (modified == 0)
    change.refuse(Errc::conflict, "{}: does not exist, expected revision {}", model::to_string(key),
                  *cas);
  else
    change.refuse(Errc::conflict, "{}: was changed at revision {}, expected {}",
                  model::to_string(key), modified, *cas);
}

std::string derive_uid(const model::ObjectKey& key, Revision created) {
  auto text = fmt::format("strait/{}/", created) + encode_key(key);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  digest[6] = static_cast<unsigned char>((digest[6] & 0x0FU) | 0x80U);
  digest[8] = static_cast<unsigned char>((digest[8] & 0x3FU) | 0x80U);
  std::string uid;
  for (std::size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10)
      uid += '-';
    uid += fmt::format("{:02x}", digest[i]);
  }
  return uid;
}

bool check_name(Change& change, const CommandLimits& limits, std::string_view field,
                std::string_view name) {
  if (name.empty())
    change.refuse(Errc::invalid, "{}: must not be empty", field);
  else if (name.size() > limits.name_bytes_max)
    change.refuse(Errc::exhausted, "{}: must not be longer than {} bytes", field,
                  limits.name_bytes_max);
  return !change.refused();
}

Result<Outcome> Catalog::apply(const Command& command, WallTime now) {
  Change change{view_, limits_};
  std::visit([&](auto& it) { catalog::apply(change, limits_, it, now); }, command);
  auto outcome = change.finish();
  if (outcome)
    view_ = outcome->view;
  return outcome;
}

} // namespace strait::catalog
