#include "peering/export_table.hpp"

#include <algorithm>

namespace strait::peering {
namespace {

/// The revision that last changed what is exported to whom.
catalog::Revision rules_modified(const catalog::View& view) {
  catalog::Revision newest = 0;
  for (const auto& item : view.table<model::ExportedServices>())
    newest = std::max(newest, item.second->modified);
  return newest;
}

/// The revision that last changed anything that an export is made of.
catalog::Revision sources_modified(const catalog::View& view) {
  using model::Kind;
  catalog::Revision newest = 0;
  for (auto kind : {Kind::exported_services, Kind::service_instance, Kind::health_check, Kind::node,
                    Kind::certificate_authority})
    newest = std::max(newest, view.kind_revision(kind));
  return newest;
}

} // namespace

ExportTable::Key ExportTable::key_of(Resource resource, std::string id) {
  return {resource == Resource::exported_service ? 1 : 0, resource, std::move(id)};
}

void ExportTable::note(const Key& key, catalog::Revision modified) {
  revision_ = std::max(revision_, modified);
  auto& entry = entries_[key];
  if (entry.modified >= modified && entry.modified != 0)
    return;
  entry.modified = modified;
  entry.refusals = 0;
  entry.retry_at = {};
  entry.refusal.clear();
  if (subscribed(key.resource))
    waiting_.insert(key);
}

void ExportTable::refresh(catalog::ViewPtr view) {
  bool first = !view_;
  view_ = std::move(view);
  auto sources = sources_modified(*view_);
  if (!first && sources == sources_)
    return; // A heartbeat was noted, a route changed: nothing of ours.
  sources_ = sources;
  auto services = exported_services(*view_, peering_);
  // A resource that the peer may see for the first time counts as changed now, or, after a restart
  // of ours, when the rules last changed: before that it was the same set.
  auto since = first ? std::max<catalog::Revision>(rules_modified(*view_), 1) : view_->revision;
  std::set<Key> present;
  for (auto& item : exports_of(*view_, services, options_)) {
    auto key = key_of(item.resource, std::move(item.id));
    auto known = entries_.find(key) != entries_.end();
    note(key, known ? item.modified : std::max(item.modified, since));
    present.insert(std::move(key));
  }
  auto list = key_of(Resource::exported_service_list,
                     std::string{single_id(Resource::exported_service_list)});
  if (first || services != services_)
    note(list, since);
  present.insert(list);
  services_ = std::move(services);
  // Withdrawn: the list tells the peer. An answer that is still to come finds nothing.
  for (auto it = entries_.begin(); it != entries_.end();)
    if (present.count(it->first)) {
      ++it;
    } else {
      waiting_.erase(it->first);
      it = entries_.erase(it);
    }
}

void ExportTable::restart() {
  subscribed_.clear();
  waiting_.clear();
  on_the_way_.clear();
  bytes_on_the_way_ = 0;
  nonce_ = 0;
  for (auto& item : entries_) {
    item.second.on_the_way.clear();
    item.second.refusals = 0;
    item.second.retry_at = {};
    item.second.refusal.clear();
  }
}

void ExportTable::subscribe(Resource resource, const std::optional<StoreRevision>& imported,
                            const std::string& list_digest) {
  subscribed_.insert(resource);
  bool resumes = imported && imported->revision > 0;
  for (auto& [key, entry] : entries_) {
    if (key.resource != resource)
      continue;
    bool has = resumes && entry.modified <= imported->revision;
    if (resource == Resource::exported_service_list)
      has = resumes && list_digest == digest_of_names(services_);
    if (!resumes || (entry.held && entry.held->modified > imported->revision))
      entry.held.reset();
    if (!has)
      waiting_.insert(key);
  }
}

Payload ExportTable::payload_of(const Key& key, WallTime wall) const {
  switch (key.resource) {
  case Resource::exported_service:
    return export_service(*view_, peering_, key.id, options_);
  case Resource::exported_service_list:
    return ExportedServiceList{services_};
  case Resource::trust_bundle:
    return export_trust(*view_, wall);
  case Resource::server_addresses:
    return ServerAddresses{server_addresses(*view_)};
  }
  return {};
}

void ExportTable::refuse(Instant now, Entry& entry, std::string why) {
  auto wait = limits_.retry_first;
  for (int i = 0; i < entry.refusals && wait < limits_.retry_max; ++i)
    wait *= 2;
  entry.refusals = std::min(entry.refusals + 1, 64);
  entry.retry_at = now + std::min(wait, limits_.retry_max);
  entry.refusal = std::move(why);
}

std::vector<Response> ExportTable::release(Instant now, WallTime wall) {
  std::vector<Response> out;
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    if (on_the_way_.size() >= limits_.unacked_max)
      break;
    const auto& key = *it;
    auto& entry = entries_.at(key);
    if (!entry.on_the_way.empty() || entry.retry_at > now) {
      ++it;
      continue;
    }
    auto bytes = std::make_shared<const std::string>(encode_payload(payload_of(key, wall)));
    if (bytes->size() > limits_.payload_bytes_max) {
      refuse(now, entry,
             fmt::format("{} has {} bytes encoded, a peer takes at most {}", key.id, bytes->size(),
                         limits_.payload_bytes_max));
      ++it;
      continue;
    }
    auto hash = sha256(*bytes);
    if (entry.held && entry.held->hash == hash) { // Changed in what the peer does not see.
      entry.held->modified = entry.modified;
      it = waiting_.erase(it);
      continue;
    }
    if (!on_the_way_.empty() && bytes_on_the_way_ + bytes->size() > limits_.unacked_bytes_max)
      break;
    auto nonce = fmt::format("{:08x}", ++nonce_);
    auto url = std::string{type_url(key.resource)};
    entry.on_the_way = nonce;
    bytes_on_the_way_ += bytes->size();
    on_the_way_[nonce] = {key, std::move(hash), entry.modified, bytes->size()};
    out.push_back({nonce, url, key.id, url, std::move(bytes)});
    it = waiting_.erase(it);
  }
  return out;
}

bool ExportTable::answered(Instant now, const std::string& nonce,
                           const std::optional<Request::Failure>& failure) {
  auto found = on_the_way_.find(nonce);
  if (found == on_the_way_.end())
    return false;
  auto sent = std::move(found->second);
  on_the_way_.erase(found);
  bytes_on_the_way_ -= sent.bytes;
  auto it = entries_.find(sent.key);
  if (it == entries_.end() || it->second.on_the_way != nonce)
    return true; // Withdrawn meanwhile (and perhaps exported anew).
  auto& entry = it->second;
  entry.on_the_way.clear();
  if (!failure) {
    entry.held = Held{std::move(sent.hash), sent.modified};
    entry.refusals = 0;
    entry.refusal.clear();
    return true;
  }
  waiting_.insert(sent.key);
  refuse(now, entry, fmt::format("the peer refused {}: {}", sent.key.id, failure->message));
  return true;
}

bool ExportTable::tried_all() const {
  return on_the_way_.empty() && std::all_of(waiting_.begin(), waiting_.end(), [&](const Key& key) {
           return entries_.at(key).refusals > 0;
         });
}

std::optional<Instant> ExportTable::retry_at() const {
  std::optional<Instant> next;
  for (const auto& key : waiting_) {
    const auto& entry = entries_.at(key);
    if (entry.refusals > 0 && (!next || entry.retry_at < *next))
      next = entry.retry_at;
  }
  return next;
}

std::string ExportTable::refusal() const {
  for (const auto& key : waiting_)
    if (const auto& text = entries_.at(key).refusal; !text.empty())
      return text;
  return {};
}

} // namespace strait::peering
