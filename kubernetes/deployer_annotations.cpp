#include "kubernetes/deployer_parts.hpp"

#include <algorithm>
#include <charconv>

/// What annotations of a Gateway ask of its pods (consul-k8s's names).
namespace strait::kubernetes::deployer {

namespace {

constexpr std::string_view prefix = "consul.hashicorp.com/";
constexpr std::int64_t replicas_most = 1'000;
constexpr std::int64_t percent_most = 1'000;

const std::string* annotation(const model::Gateway& gateway, std::string_view name) {
  auto it = gateway.meta.annotations.find(std::string{prefix} + std::string{name});
  return it == gateway.meta.annotations.end() ? nullptr : &it->second;
}

tl::unexpected<Error> wrong(const model::Gateway& gateway, std::string_view name,
                            std::string_view expected, const std::string& got) {
  return fail(Errc::invalid, "Gateway {}: metadata.annotations[{}{}]: expected {}, got \"{}\"",
              to_string(gateway.meta.name), prefix, name, expected, got);
}

/// 1..most, or what is otherwise.
Result<std::int64_t> number(const model::Gateway& gateway, std::string_view name, std::int64_t most,
                            std::int64_t otherwise) {
  auto* text = annotation(gateway, name);
  if (!text)
    return otherwise;
  std::int64_t out = 0;
  auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), out);
  if (error != std::errc{} || end != text->data() + text->size() || out < 1 || out > most)
    return wrong(gateway, name, fmt::format("a whole number from 1 to {}", most), *text);
  return out;
}

Result<bool> flag(const model::Gateway& gateway, std::string_view name) {
  auto* text = annotation(gateway, name);
  if (!text)
    return false;
  if (*text != "true" && *text != "false")
    return wrong(gateway, name, "true or false", *text);
  return *text == "true";
}

Result<std::optional<Node>> probe(const model::Gateway& gateway, std::string_view name) {
  auto* text = annotation(gateway, name);
  if (!text)
    return std::nullopt;
  auto parsed = parse_json(*text, "annotation");
  if (!parsed || !std::holds_alternative<Node::Map>(parsed->value))
    return wrong(gateway, name, "a probe of core/v1 as a JSON object", *text);
  return std::move(*parsed);
}

Node ready_probe() {
  MapWriter get, out;
  get.put("path", "/ready");
  get.put("port", "ready");
  out.put("httpGet", get.take());
  out.put("periodSeconds", std::int64_t{2});
  return out.take();
}

} // namespace

Result<Replicas> replicas_of(const model::Gateway& gateway,
                             const model::GatewayClassConfig* config) {
  Replicas out;
  std::int64_t least = 1, most = replicas_most;
  if (config) {
    out.count = config->default_instances.value_or(1);
    least = config->min_instances.value_or(1);
    most = config->max_instances.value_or(replicas_most);
  }
  auto count = number(gateway, "default-replicas", replicas_most, out.count);
  auto scaled = flag(gateway, "hpa-enabled");
  if (!count || !scaled)
    return fail(count ? scaled.error() : count.error());
  out.count = std::clamp(*count, least, std::max(least, most));
  if (!*scaled)
    return out;
  Replicas::Autoscale autoscale;
  for (auto [name, limit, into] :
       {std::tuple{"hpa-minimum-replicas", replicas_most, &autoscale.min},
        {"hpa-maximum-replicas", replicas_most, &autoscale.max},
        {"hpa-cpu-utilisation-target", percent_most, &autoscale.cpu_percent},
        {"hpa-cpu-utilization-target", percent_most, &autoscale.cpu_percent}}) {
    auto value = number(gateway, name, limit, *into);
    if (!value)
      return fail(value.error());
    *into = *value;
  }
  if (autoscale.max < autoscale.min)
    return wrong(gateway, "hpa-maximum-replicas",
                 fmt::format("at least hpa-minimum-replicas, {}", autoscale.min),
                 std::to_string(autoscale.max));
  out.autoscale = autoscale;
  return out;
}

Result<Probes> probes_of(const model::Gateway& gateway) {
  auto liveness = probe(gateway, "liveness-probe");
  auto readiness = probe(gateway, "readiness-probe");
  auto startup = probe(gateway, "startup-probe");
  for (auto* it : {&liveness, &readiness, &startup})
    if (!*it)
      return fail(it->error());
  // No liveness by default: a gateway that has nothing to serve is not to be started again.
  return Probes{*liveness, *startup, readiness->value_or(ready_probe())};
}

} // namespace strait::kubernetes::deployer
