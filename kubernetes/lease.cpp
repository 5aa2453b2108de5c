#include "kubernetes/lease.hpp"

#include "kubernetes/encode_nodes.hpp"
#include "kubernetes/watch.hpp"

namespace strait::kubernetes {

namespace {

std::string micro_time(WallTime time) {
  auto text = to_rfc3339(time); // "…:00Z"
  auto millis = time.time_since_epoch().count() % 1'000;
  text.pop_back();
  return fmt::format("{}.{:03}000Z", text, millis);
}

std::int64_t integer_at(const Node& node, std::initializer_list<std::string_view> path) {
  auto* found = node_at(node, path);
  auto* number = found ? std::get_if<std::int64_t>(&found->value) : nullptr;
  return number ? *number : 0;
}

} // namespace

Result<LeaseRecord> parse_lease(std::string_view json) {
  auto tree = parse_json(json, "Lease");
  if (!tree)
    return fail(tree.error());
  LeaseRecord out;
  out.holder = text_at(*tree, {"spec", "holderIdentity"});
  out.duration_seconds = integer_at(*tree, {"spec", "leaseDurationSeconds"});
  out.transitions = integer_at(*tree, {"spec", "leaseTransitions"});
  out.acquire_time = text_at(*tree, {"spec", "acquireTime"});
  out.renew_time = text_at(*tree, {"spec", "renewTime"});
  out.feed_address = text_at(*tree, {"metadata", "annotations", feed_annotation});
  out.resource_version = text_at(*tree, {"metadata", "resourceVersion"});
  if (out.resource_version.empty())
    return fail(Errc::corrupt, "Lease: expected metadata.resourceVersion");
  return out;
}

Node encode_lease(const LeaseRecord& record, const std::string& ns, const std::string& name) {
  MapWriter annotations, metadata, spec, out;
  annotations.put(feed_annotation, record.feed_address);
  metadata.put("name", name);
  metadata.put("namespace", ns);
  metadata.put("annotations", annotations.take());
  metadata.put_unless_empty("resourceVersion", record.resource_version);
  spec.put("holderIdentity", record.holder);
  spec.put("leaseDurationSeconds", record.duration_seconds);
  spec.put("leaseTransitions", record.transitions);
  spec.put_unless_empty("acquireTime", record.acquire_time);
  spec.put_unless_empty("renewTime", record.renew_time);
  out.put("apiVersion", "coordination.k8s.io/v1");
  out.put("kind", "Lease");
  out.put("metadata", metadata.take());
  out.put("spec", spec.take());
  return out.take();
}

LeaseRecord Lease::mine(WallTime wall) const {
  auto record = seen_;
  record.renew_time = micro_time(wall);
  record.duration_seconds = options_.duration.count() / 1'000;
  record.feed_address = options_.feed_address;
  if (record.holder == options_.identity)
    return record;
  record.holder = options_.identity;
  record.acquire_time = record.renew_time;
  if (known_)
    ++record.transitions;
  return record;
}

Lease::Effects Lease::start(Instant now, WallTime) {
  seen_at_ = now;
  return {Get{}};
}

Lease::Effects Lease::got(Instant now, WallTime wall, std::optional<LeaseRecord> record) {
  Effects effects;
  if (released_)
    return effects;
  writing_since_ = now;
  if (!record) {
    known_ = false;
    seen_ = {};
    effects.push_back(Create{mine(wall)});
    return effects;
  }
  known_ = true;
  if (!(*record == seen_)) {
    seen_ = std::move(*record);
    seen_at_ = now;
  }
  bool ours = seen_.holder == options_.identity;
  auto lasts = std::max(options_.duration, Millis{1'000} * seen_.duration_seconds);
  bool run_out = seen_.holder.empty() || now - seen_at_ >= lasts;
  bool ended = !options_.replica.empty() && seen_.holder.starts_with(options_.replica);
  if (ours || run_out || ended) {
    effects.push_back(Update{mine(wall)});
    return effects;
  }
  if (std::exchange(leading_, false))
    effects.push_back(Lost{seen_.holder + " holds the lease"});
  effects.push_back(Wait{options_.retry});
  return effects;
}

Lease::Effects Lease::wrote(Instant now, LeaseRecord record) {
  Effects effects;
  known_ = true;
  seen_ = std::move(record);
  seen_at_ = now;
  if (released_)
    return effects;
  renewed_at_ = writing_since_;
  if (!std::exchange(leading_, true))
    effects.push_back(Elected{});
  effects.push_back(Wait{options_.retry});
  return effects;
}

void Lease::check_deadline(Instant now, const std::string& why, Effects& effects) {
  if (leading_ && now - renewed_at_ >= options_.renew_deadline) {
    leading_ = false;
    effects.push_back(Lost{"the lease could not be renewed in time: " + why});
  }
}

Lease::Effects Lease::failed(Instant now, const std::string& why) {
  Effects effects;
  if (released_)
    return effects;
  check_deadline(now, why, effects);
  effects.push_back(Wait{options_.retry});
  return effects;
}

Lease::Effects Lease::due(Instant now, WallTime) {
  Effects effects;
  if (released_)
    return effects;
  check_deadline(now, "no answer", effects);
  effects.push_back(Get{});
  return effects;
}

Lease::Effects Lease::release(WallTime wall) {
  Effects effects;
  released_ = true;
  if (!std::exchange(leading_, false))
    return effects;
  auto record = seen_;
  record.holder.clear();
  record.feed_address.clear();
  record.duration_seconds = 1;
  record.renew_time = micro_time(wall);
  effects.push_back(Update{record});
  effects.push_back(Lost{"released"});
  return effects;
}

} // namespace strait::kubernetes
