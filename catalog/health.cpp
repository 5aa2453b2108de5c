#include "catalog/health.hpp"

#include <algorithm>

namespace strait::catalog {

namespace {

/// FNV-1a: the same on every machine and in every run.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (unsigned char byte : text)
    hash = (hash ^ byte) * 0x100000001b3;
  return hash;
}

bool is_probe(const model::CheckDefinition& definition) {
  return !definition.http.empty() || !definition.tcp.empty();
}

Status runnable(const model::HealthCheck& check, const CheckLimits& limits) {
  auto& definition = check.definition;
  auto bad = [&](std::string_view field, std::string_view expected) {
    return fail(Errc::invalid, "check {}: {}: {}", check.id, field, expected);
  };
  int kinds = !definition.http.empty() + !definition.tcp.empty() + (definition.ttl != Millis{});
  if (check.id.empty())
    return fail(Errc::invalid, "check: CheckID: must not be empty");
  if (kinds != 1)
    return bad("Definition", "must have one of HTTP, TCP and TTL");
  if (definition.ttl < Millis{})
    return bad("TTL", "must be more than 0");
  if (is_probe(definition) && definition.interval < limits.interval_min)
    return bad("Interval", "must be at least 1s");
  if (definition.timeout < Millis{})
    return bad("Timeout", "must not be less than 0");
  if (definition.success_before_passing < 0)
    return bad("SuccessBeforePassing", "must not be less than 0");
  if (definition.failures_before_critical < 0)
    return bad("FailuresBeforeCritical", "must not be less than 0");
  if (definition.deregister_after < Millis{})
    return bad("DeregisterCriticalServiceAfter", "must not be less than 0");
  return {};
}

} // namespace

Status CheckRunner::add(Instant now, const model::HealthCheck& definition) {
  if (auto valid = runnable(definition, limits_); !valid)
    return valid;
  auto& id = definition.id;
  auto found = checks_.find(id);
  if (found != checks_.end() && found->second.definition.definition == definition.definition &&
      found->second.definition.service_id == definition.service_id)
    return {};
  if (found == checks_.end() && checks_.size() >= limits_.checks_max)
    return fail(Errc::exhausted, "check {}: at most {} checks are run", id, limits_.checks_max);
  remove(id);
  auto& check = checks_[id];
  check.definition = definition;
  check.status = definition.status;
  check.output = definition.output;
  auto& what = definition.definition;
  if (is_probe(what))
    plan(id, check, now + Millis{hash_of(id) % static_cast<std::uint64_t>(what.interval.count())});
  else
    plan(id, check, now + what.ttl);
  if (check.status == model::Health::critical && what.deregister_after != Millis{})
    plan_deregister(id, check, now + std::max(what.deregister_after, limits_.deregister_after_min));
  return {};
}

void CheckRunner::remove(const CheckId& id) {
  auto it = checks_.find(id);
  if (it == checks_.end())
    return;
  auto& check = it->second;
  waiting_.erase({check.due, id});
  plan(id, check, Instant::max());
  plan_deregister(id, check, Instant::max());
  if (check.probe != 0)
    --running_; // Its result will be dropped.
  checks_.erase(it);
}

void CheckRunner::plan(const CheckId& id, Check& check, Instant due) {
  due_.erase({check.due, id});
  check.due = due;
  if (due != Instant::max())
    due_.emplace(due, id);
}
void CheckRunner::plan_deregister(const CheckId& id, Check& check, Instant at) {
  deregister_.erase({check.deregister_at, id});
  check.deregister_at = at;
  if (at != Instant::max())
    deregister_.emplace(at, id);
}

Instant CheckRunner::next_due() const {
  auto due = due_.empty() ? Instant::max() : due_.begin()->first;
  if (!waiting_.empty() && running_ < limits_.probes_running_max) // A removed check left a place.
    due = std::min(due, waiting_.begin()->first);
  return deregister_.empty() ? due : std::min(due, deregister_.begin()->first);
}

CheckRunner::Effects CheckRunner::tick(Instant now) {
  Effects effects;
  while (!due_.empty() && due_.begin()->first <= now) {
    auto [due, id] = *due_.begin();
    auto& check = checks_.at(id);
    if (!is_probe(check.definition.definition)) {
      plan(id, check, Instant::max()); // Until the next report.
      settle(now, id, check, model::Health::critical, "TTL expired", effects);
    } else {
      due_.erase(due_.begin());
      check.waiting = true;
      waiting_.emplace(due, id);
    }
  }
  start_waiting(now, effects);
  while (!deregister_.empty() && deregister_.begin()->first <= now) {
    auto id = deregister_.begin()->second;
    auto& check = checks_.at(id);
    plan_deregister(id, check, Instant::max());
    if (!check.definition.service_id.empty())
      effects.push_back(DeregisterService{check.definition.service_id, id});
  }
  return effects;
}

void CheckRunner::start_waiting(Instant now, Effects& effects) {
  while (!waiting_.empty() && running_ < limits_.probes_running_max) {
    auto id = waiting_.begin()->second;
    waiting_.erase(waiting_.begin());
    effects.push_back(start(now, id, checks_.at(id)));
  }
}

CheckRunner::Effect CheckRunner::start(Instant now, const CheckId& id, Check& check) {
  auto& what = check.definition.definition;
  check.waiting = false;
  check.probe = ++last_probe_;
  check.due = now; // The next one is planned from here when this one ends.
  ++running_;
  auto timeout = what.timeout == Millis{} ? limits_.timeout_default : what.timeout;
  if (what.tcp.empty())
    return ProbeHttp{id,
                     check.probe,
                     what.http,
                     what.method.empty() ? "GET" : what.method,
                     what.body,
                     what.header,
                     what.tls_skip_verify,
                     timeout};
  return ProbeTcp{id, check.probe, what.tcp, timeout};
}

/// The check, if the probe is the one that it waits for; its place is free again.
CheckRunner::Check* CheckRunner::finished(const CheckId& id, std::uint64_t probe) {
  auto it = checks_.find(id);
  if (it == checks_.end() || probe == 0 || it->second.probe != probe)
    return nullptr;
  it->second.probe = 0;
  --running_;
  return &it->second;
}

CheckRunner::Effects CheckRunner::answered(Instant now, const CheckId& id, std::uint64_t probe,
                                           const Result<HttpAnswer>& answer) {
  Effects effects;
  auto* check = finished(id, probe);
  if (!check)
    return effects;
  if (!answer) {
    found(now, id, *check, model::Health::critical, answer.error().detail, effects);
  } else {
    auto& what = check->definition.definition;
    auto status = answer->status / 100 == 2 ? model::Health::passing
                  : answer->status == 429   ? model::Health::warning
                                            : model::Health::critical;
    found(now, id, *check, status,
          fmt::format("HTTP {} {}: {} Output: {}", what.method.empty() ? "GET" : what.method,
                      what.http, answer->status, answer->body),
          effects);
  }
  return effects;
}

CheckRunner::Effects CheckRunner::connected(Instant now, const CheckId& id, std::uint64_t probe,
                                            const Status& result) {
  Effects effects;
  if (auto* check = finished(id, probe))
    found(now, id, *check, result ? model::Health::passing : model::Health::critical,
          result ? fmt::format("TCP connect {}: Success", check->definition.definition.tcp)
                 : result.error().detail,
          effects);
  return effects;
}

Result<CheckRunner::Effects> CheckRunner::reported(Instant now, const CheckId& id,
                                                   model::Health status, std::string output) {
  auto it = checks_.find(id);
  if (it == checks_.end())
    return fail(Errc::not_found, "Unknown check ID '{}'", id);
  auto ttl = it->second.definition.definition.ttl;
  if (ttl == Millis{})
    return fail(Errc::invalid, "CheckID '{}' does not have associated TTL", id);
  Effects effects;
  plan(id, it->second, now + ttl);
  settle(now, id, it->second, status, std::move(output), effects);
  return effects;
}

/// A probe's result: thresholds, the next run, and whoever waits for the free place.
void CheckRunner::found(Instant now, const CheckId& id, Check& check, model::Health status,
                        std::string output, Effects& effects) {
  auto& what = check.definition.definition;
  // At a fixed pace from the start of the last probe, but never in the past.
  plan(id, check, std::max(now, check.due + what.interval));
  bool good = status != model::Health::critical;
  auto& row = good ? check.successes : check.failures;
  (good ? check.failures : check.successes) = 0;
  auto needed = good ? what.success_before_passing : what.failures_before_critical;
  // Consul's rule: so many results in a row must have gone before, then this one counts.
  if (row >= needed)
    settle(now, id, check, status, std::move(output), effects);
  else
    ++row;
  start_waiting(now, effects);
}

void CheckRunner::settle(Instant now, const CheckId& id, Check& check, model::Health status,
                         std::string output, Effects& effects) {
  if (output.size() > limits_.output_bytes_max)
    output.resize(limits_.output_bytes_max);
  auto after = check.definition.definition.deregister_after;
  if (status != model::Health::critical)
    plan_deregister(id, check, Instant::max());
  else if (check.status != model::Health::critical && after != Millis{})
    plan_deregister(id, check, now + std::max(after, limits_.deregister_after_min));
  if (check.status == status && check.output == output)
    return;
  check.status = status;
  check.output = output;
  effects.push_back(Report{id, status, std::move(output)});
}

} // namespace strait::catalog
