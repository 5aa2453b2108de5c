#include "cmd/cli/object_columns.hpp"

#include <algorithm>

namespace strait::cli {

namespace {

using json::Node;
using model::Kind;

Column plain(std::string header, std::string path) {
  return {std::move(header),
          [path = std::move(path)](const Node& object) { return json::text_at(object, path); }};
}

Column list(std::string header, std::string path) {
  return {std::move(header), [path = std::move(path)](const Node& object) {
            return json::joined(json::at(object, path));
          }};
}

/// What stands under `key` in each item of the list at `path`.
Column each(std::string header, std::string path, std::string key) {
  return {std::move(header), [path = std::move(path), key = std::move(key)](const Node& object) {
            std::string out;
            for (const auto& item : json::items(json::at(object, path)))
              if (auto text = json::text_at(item, key); !text.empty())
                out += (out.empty() ? "" : ",") + text;
            return out;
          }};
}

Column count(std::string header, std::string path) {
  return {std::move(header), [path = std::move(path)](const Node& object) {
            const auto* found = json::at(object, path);
            const auto* map = found ? std::get_if<Node::Map>(&found->value) : nullptr;
            return std::to_string(map ? map->size() : json::items(found).size());
          }};
}

/// Every condition of the object: its own, or a route's towards each of its parents, or a policy's
/// towards each of its ancestors.
std::vector<const Node*> conditions_of(const Node& object) {
  std::vector<const Node*> out;
  for (const auto& condition : json::items(json::at(object, "status.conditions")))
    out.push_back(&condition);
  for (const auto* towards : {"status.parents", "status.ancestors"})
    for (const auto& parent : json::items(json::at(object, towards)))
      for (const auto& condition : json::items(json::find(&parent, "conditions")))
        out.push_back(&condition);
  return out;
}

/// True where it is true everywhere, otherwise the reason why not: "InvalidKind".
Column condition(std::string header, std::string type) {
  return {std::move(header), [type = std::move(type)](const Node& object) {
            std::string out;
            for (const auto* condition : conditions_of(object)) {
              if (json::text_at(*condition, "type") != type)
                continue;
              auto status = json::text_at(*condition, "status");
              if (status != "True")
                return status + " (" + json::text_at(*condition, "reason") + ")";
              out = status;
            }
            return out.empty() ? "Unknown" : out;
          }};
}

/// The messages of conditions that are not as they should be.
Column messages() {
  return {"MESSAGE", [](const Node& object) {
            std::string out;
            for (const auto* condition : conditions_of(object)) {
              auto message = json::text_at(*condition, "message");
              // Conflicted is good when it is False; every other type when it is True.
              bool good = (json::text_at(*condition, "status") == "True") !=
                          (json::text_at(*condition, "type") == "Conflicted");
              if (!good && !message.empty() && out.find(message) == std::string::npos)
                out += (out.empty() ? "" : "; ") + message;
            }
            return out;
          }};
}

/// "ns/name" of each parent, with "#listener" where one is named.
Column parents() {
  return {"PARENTS", [](const Node& object) {
            std::string out;
            for (const auto& parent : json::items(json::at(object, "spec.parentRefs"))) {
              auto ns = json::text_at(parent, "namespace");
              auto section = json::text_at(parent, "sectionName");
              out += (out.empty() ? "" : ",") + (ns.empty() ? "" : ns + "/") +
                     json::text_at(parent, "name") + (section.empty() ? "" : "#" + section);
            }
            return out;
          }};
}

/// "http:8080/HTTP" of each listener.
Column listeners() {
  return {"LISTENERS", [](const Node& object) {
            std::string out;
            for (const auto& listener : json::items(json::at(object, "spec.listeners")))
              out += (out.empty() ? "" : ",") + json::text_at(listener, "name") + ":" +
                     json::text_at(listener, "port") + "/" + json::text_at(listener, "protocol");
            return out;
          }};
}

/// "dc2/web" of each target of a ServiceResolver, in their order.
Column failover() {
  return {"FAILOVER", [](const Node& object) {
            std::string out;
            for (const auto& target : json::items(json::at(object, "spec.failover.*.targets"))) {
              auto peer = json::text_at(target, "peer"), service = json::text_at(target, "service");
              out += (out.empty() ? "" : ",") + peer +
                     (peer.empty() || service.empty() ? "" : "/") + service;
            }
            return out;
          }};
}

std::vector<Column> columns_of_kind(Kind kind) {
  switch (kind) {
  case Kind::gateway_class:
    return {plain("CONTROLLER", "spec.controllerName"), condition("ACCEPTED", "Accepted")};
  case Kind::gateway_class_config:
    return {plain("SERVICETYPE", "spec.serviceType"), plain("LOGLEVEL", "spec.logLevel"),
            plain("INSTANCES", "spec.deployment.defaultInstances")};
  case Kind::gateway:
    return {plain("CLASS", "spec.gatewayClassName"), each("ADDRESS", "status.addresses", "value"),
            condition("ACCEPTED", "Accepted"), condition("PROGRAMMED", "Programmed")};
  case Kind::listener_set:
    return {plain("GATEWAY", "spec.parentRef.name"), condition("ACCEPTED", "Accepted"),
            condition("PROGRAMMED", "Programmed")};
  case Kind::http_route:
  case Kind::grpc_route:
  case Kind::tls_route:
    return {list("HOSTNAMES", "spec.hostnames"), condition("ACCEPTED", "Accepted"),
            condition("RESOLVED", "ResolvedRefs")};
  case Kind::tcp_route:
  case Kind::udp_route:
    return {condition("ACCEPTED", "Accepted"), condition("RESOLVED", "ResolvedRefs")};
  case Kind::backend_tls_policy:
    return {each("TARGETS", "spec.targetRefs", "name"),
            plain("HOSTNAME", "spec.validation.hostname"), condition("ACCEPTED", "Accepted")};
  case Kind::gateway_policy:
    return {plain("GATEWAY", "spec.targetRef.name"),
            plain("LISTENER", "spec.targetRef.sectionName"), condition("ACCEPTED", "Accepted")};
  case Kind::route_auth_filter:
    return {each("PROVIDERS", "spec.jwt.providers", "name"), condition("ACCEPTED", "Accepted")};
  case Kind::route_retry_filter:
    return {plain("RETRIES", "spec.numRetries"), list("RETRYON", "spec.retryOn")};
  case Kind::route_timeout_filter:
    return {plain("REQUEST", "spec.requestTimeout"), plain("IDLE", "spec.idleTimeout")};
  case Kind::jwt_provider:
    return {plain("ISSUER", "spec.issuer"), list("AUDIENCES", "spec.audiences")};
  case Kind::service_resolver:
    return {failover(), condition("ACCEPTED", "Accepted"), condition("RESOLVED", "ResolvedRefs")};
  case Kind::reference_grant:
    return {each("FROM", "spec.from", "namespace"), each("TO", "spec.to", "kind")};
  case Kind::mesh_service:
    return {plain("SERVICE", "spec.name"), plain("PEER", "spec.peer")};
  case Kind::service:
    return {plain("TYPE", "spec.type"), each("PORTS", "spec.ports", "port")};
  case Kind::endpoint_slice:
    return {plain("ADDRESSTYPE", "addressType"), each("PORTS", "ports", "port"),
            count("ENDPOINTS", "endpoints")};
  case Kind::secret:
    return {plain("TYPE", "type"), count("DATA", "data")};
  case Kind::config_map:
    return {count("DATA", "data")};
  case Kind::pod:
    return {plain("STATUS", "status.phase"), plain("IP", "status.podIP"),
            plain("HOST", "status.hostIP")};
  case Kind::exported_services:
    return {each("SERVICES", "spec.services", "name")};
  case Kind::service_intentions:
    return {plain("DESTINATION", "spec.destination.name"), each("SOURCES", "spec.sources", "name"),
            each("ACTIONS", "spec.sources", "action")};
  default:
    return {};
  }
}

std::vector<Column> wide_columns_of_kind(Kind kind) {
  switch (kind) {
  case Kind::gateway:
  case Kind::listener_set:
    return {listeners(), messages()};
  case Kind::http_route:
  case Kind::grpc_route:
  case Kind::tcp_route:
  case Kind::tls_route:
  case Kind::udp_route:
    return {parents(), messages()};
  case Kind::backend_tls_policy:
  case Kind::gateway_policy:
  case Kind::route_auth_filter:
  case Kind::service_resolver:
    return {messages()};
  case Kind::jwt_provider:
    return {plain("KEYS", "spec.jsonWebKeySet.remote.uri")};
  case Kind::gateway_class:
    return {plain("DESCRIPTION", "spec.description"), messages()};
  case Kind::service_intentions:
    return {each("PEERS", "spec.sources", "peer")};
  default:
    return {};
  }
}

} // namespace

std::string age(WallTime then, WallTime now) {
  using namespace std::chrono;
  if (then == WallTime{})
    return "";
  auto passed = std::max(Millis{0}, now - then);
  if (passed < minutes{2})
    return std::to_string(duration_cast<seconds>(passed).count()) + "s";
  if (passed < hours{2})
    return std::to_string(duration_cast<minutes>(passed).count()) + "m";
  if (passed < hours{48})
    return std::to_string(duration_cast<hours>(passed).count()) + "h";
  return std::to_string(duration_cast<hours>(passed).count() / 24) + "d";
}

std::vector<Column> columns_of(const ColumnOptions& options) {
  std::vector<Column> out;
  if (options.with_namespace)
    out.push_back(plain("NAMESPACE", "metadata.namespace"));
  out.push_back(plain("NAME", "metadata.name"));
  for (auto& column : columns_of_kind(options.kind))
    out.push_back(std::move(column));
  out.push_back({"AGE", [now = options.now](const Node& object) {
                   return age(from_rfc3339(json::text_at(object, "metadata.creationTimestamp")),
                              now);
                 }});
  if (options.wide)
    for (auto& column : wide_columns_of_kind(options.kind))
      out.push_back(std::move(column));
  return out;
}

} // namespace strait::cli
