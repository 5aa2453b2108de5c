#include "gateway/resolve/extension_filters.hpp"

#include "gateway/resolve/jwt.hpp"
#include "gateway/resolve/references.hpp"

#include <algorithm>

namespace strait::gateway::resolve {

namespace {

using model::Name;
using model::Reason;

/// The filter object, or null: then the route is refused.
template <class T>
const T* look_up(RouteReferences& references, const Name& name, const std::string& path) {
  references.depend({T::kind, name});
  auto* filter = references.view().find<T>(name);
  if (!filter)
    references.refuse(
        fmt::format("{}: {} {} does not exist", path, to_string(T::kind), to_string(name)),
        Reason::filter_not_found);
  else if (!filter->unsupported.empty())
    references.refuse(fmt::format("{}: {} {}: {}", path, to_string(T::kind), to_string(name),
                                  to_string(filter->unsupported.front())));
  return filter;
}

void add_codes(Retry& retry, std::uint16_t first, std::uint16_t last) {
  for (auto code = first; code <= last; ++code)
    retry.codes.push_back(code);
}

/// One word of retryOn, as Envoy defines them. False: none that Strait carries out.
bool add_trigger(const std::string& trigger, Retry& retry) {
  if (trigger == "5xx") {
    add_codes(retry, 500, 599);
    retry.on_connection_error = true;
  } else if (trigger == "gateway-error") {
    add_codes(retry, 502, 504);
    retry.on_connection_error = true;
  } else if (trigger == "retriable-4xx") {
    add_codes(retry, 409, 409);
  } else if (trigger == "connect-failure" || trigger == "reset" || trigger == "refused-stream" ||
             trigger == "reset-before-request") {
    retry.on_connection_error = true;
  } else if (trigger != "retriable-status-codes") {
    return false;
  }
  return true;
}

void apply(RouteReferences& references, const model::RouteRetryFilter& from,
           const std::string& path, HttpRule& rule) {
  if (rule.retry)
    return references.refuse(path + ": the rule says already how to try again",
                             Reason::incompatible_filters);
  Retry retry;
  retry.attempts = from.num_retries.value_or(1);
  retry.on_connection_error = from.retry_on_connect_failure;
  retry.codes = from.retry_on_status_codes;
  for (auto& trigger : from.retry_on)
    if (!add_trigger(trigger, retry))
      references.refuse(
          fmt::format("{}: RouteRetryFilter {}: spec.retryOn: \"{}\" is not supported", path,
                      to_string(from.meta.name), trigger));
  std::sort(retry.codes.begin(), retry.codes.end());
  retry.codes.erase(std::unique(retry.codes.begin(), retry.codes.end()), retry.codes.end());
  rule.retry = std::move(retry);
}

/// What the rule itself says of a timeout counts more.
void apply(const model::RouteTimeoutFilter& from, HttpRule& rule) {
  if (!rule.request_timeout)
    rule.request_timeout = from.request_timeout;
  rule.idle_timeout = from.idle_timeout;
}

void apply(RouteReferences& references, const model::RouteAuthFilter& from, const std::string& path,
           HttpRule& rule) {
  if (!from.jwt)
    return;
  Topics topics;
  auto jwt = jwt_of(references.view(), from.meta.name.ns, *from.jwt, topics);
  for (auto& topic : topics)
    references.depend(topic);
  if (jwt)
    rule.jwt.push_back(std::move(*jwt));
  else
    references.refuse(fmt::format("{}: RouteAuthFilter {}: {}", path, to_string(from.meta.name),
                                  jwt.error().message),
                      jwt.error().reason);
}

} // namespace

void apply_extension(RouteReferences& references, const model::ExtensionRef& ref,
                     const std::string& path, HttpRule& rule) {
  Name name{references.route().route.name.ns, ref.name};
  bool consul = is_consul_group(ref.group);
  if (consul && ref.kind == "RouteRetryFilter") {
    if (auto* filter = look_up<model::RouteRetryFilter>(references, name, path))
      apply(references, *filter, path, rule);
  } else if (consul && ref.kind == "RouteTimeoutFilter") {
    if (auto* filter = look_up<model::RouteTimeoutFilter>(references, name, path))
      apply(*filter, rule);
  } else if (consul && ref.kind == "RouteAuthFilter") {
    if (auto* filter = look_up<model::RouteAuthFilter>(references, name, path))
      apply(references, *filter, path, rule);
  } else {
    references.refuse(
        fmt::format("{}: kind {} of group \"{}\" is not supported", path, ref.kind, ref.group));
  }
}

} // namespace strait::gateway::resolve
