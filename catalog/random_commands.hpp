#pragma once

#include "catalog/command.hpp"
#include "catalog/random_records.hpp"

namespace strait::catalog {

/// For tests: commands over a small set of names, so that they meet; some of them are refused.
class RandomCommands {
public:
  explicit RandomCommands(std::uint64_t seed) : fill_{seed} {}

  Command next() {
    switch (fill_.below(14)) {
    case 0:
    case 1:
      return Put{object(), fill_.chance(8) ? Cas{fill_.below(40)} : Cas{}};
    case 2:
      return Remove{key_of(object()), fill_.chance(8) ? Cas{fill_.below(40)} : Cas{}};
    case 3:
    case 4:
    case 5:
      return registration();
    case 6:
      return Deregister{node_name(), fill_.chance(4) ? "" : id(), fill_.chance(4) ? "" : id()};
    case 7:
      return ReportCheck{node_name(), id(), health(), fill_.chance(2) ? "" : "out"};
    case 8:
    case 9:
      return imported();
    case 10:
      return ImportList{peer(), {service(), service()}};
    case 11:
      return peering();
    case 12:
      return rare();
    default:
      return status();
    }
  }

private:
  std::string pick(std::initializer_list<const char*> from) {
    return *(from.begin() + fill_.below(from.size()));
  }
  std::string node_name() { return pick({"n1", "n2", "n3"}); }
  std::string service() { return pick({"web", "api", "db", "consul"}); }
  std::string id() { return pick({"a", "b", "c", "d"}); }
  std::string peer() { return pick({"east", "west"}); }
  model::Health health() { return static_cast<model::Health>(fill_.below(3)); }

  AnyRecord object() {
    AnyRecord object;
    std::size_t chosen = fill_.below(14), index = 0;
    each_kind([&]<class T>() {
      if constexpr (HasMeta<T> || std::is_same_v<T, model::ExportedServices> ||
                    std::is_same_v<T, model::ServiceIntentions>) {
        if (index++ != chosen)
          return;
        T value;
        if (fill_.chance(2))
          fill_.fill(value);
        if constexpr (HasMeta<T>) {
          value.meta.name = {pick({"", "default"}), id()};
          value.meta.uid = pick({"", "", "6f1d9a3e-95d4-4f6e-9d53-6c7a1a0e2b11"});
          value.meta.labels = {};
          if (fill_.chance(2))
            value.meta.labels["kubernetes.io/service-name"] = service();
        } else {
          value.name = id();
        }
        object = std::move(value);
      }
    });
    return object;
  }
  model::Node node(const std::string& name) {
    return {.name = name, .address = pick({"10.0.0.1", "10.0.0.2"})};
  }
  model::HealthCheck check(std::string service_id) {
    return {.id = id(),
            .name = "check",
            .status = health(),
            .service_id = fill_.chance(2) ? "" : std::move(service_id)};
  }
  Command registration() {
    Register command{.node = node(node_name()), .skip_node_update = fill_.chance(5)};
    auto service_id = id();
    if (!fill_.chance(6))
      command.instance = model::ServiceInstance{
          .id = service_id, .service = service(), .tags = {pick({"v1", "v2"})}};
    for (auto count = fill_.below(3); count > 0; --count)
      command.checks.push_back(check(service_id));
    return command;
  }
  Command imported() {
    Import command{.peer = peer(), .service = service()};
    for (auto count = fill_.below(4); count > 0; --count) {
      Import::Instance given{.node = node(node_name())};
      given.instance = {.id = id(), .service = command.service};
      for (auto checks = fill_.below(3); checks > 0; --checks)
        given.checks.push_back(check(given.instance.id));
      command.instances.push_back(std::move(given));
    }
    return command;
  }
  Command peering() {
    if (fill_.chance(3))
      return ReportPeering{.name = peer(),
                           .state = model::PeeringState::active,
                           .imported = std::pair{"store", fill_.below(100)}};
    WritePeering command;
    command.peering.name = peer();
    command.peering.state = model::PeeringState::pending;
    if (command.peering.name == "west")
      command.peering.peer_server_addresses = {"10.1.0.1:8503"};
    if (fill_.chance(2))
      command.secrets = model::PeeringSecrets{.active_stream = id()};
    return command;
  }
  Command rare() {
    switch (fill_.below(5)) {
    case 4: {
      KeepRoute command{{"default", id()}, {model::Kind::http_route, {"default", id()}}, {}};
      if (fill_.chance(2))
        command.kept = model::KeptRoute{command.gateway, command.route, 1, {}, {}, {}, id()};
      return command;
    }
    case 3:
      if (fill_.chance(2))
        return Put{model::JwtProvider{.meta = {.name = {"default", id()}}}};
      return WriteKeySet{{.provider = {"default", id()}, .uri = "https://x", .jwks = id()}};
    case 0:
      return ForgetPeering{peer(), fill_.chance(3)};
    case 1:
      return ImportTrust{{.peer = peer(), .trust_domain = "x.consul", .root_pems = {id()}}};
    default:
      return WriteAuthority{{.trust_domain = "d.consul", .roots = {{.id = id()}}}};
    }
  }
  Command status() {
    auto of = key_of(object());
    return ReportStatus{{.object = of,
                         .conditions = {{.type = model::ConditionType::accepted,
                                         .status = fill_.chance(2),
                                         .reason = model::Reason::accepted}}}};
  }

  wire::Filler fill_;
};

} // namespace strait::catalog
