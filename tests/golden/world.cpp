#include "world.hpp"

#include "kubernetes/decode.hpp"
#include "tests/simulation/test_certificate.hpp"

#include <charconv>
#include <sstream>

namespace strait::golden {

namespace {

using catalog::Command;

Result<model::ServiceAddress> address_of(const std::string& text) {
  auto colon = text.rfind(':');
  model::ServiceAddress address{text.substr(0, colon), 0};
  if (colon != std::string::npos)
    std::from_chars(text.data() + colon + 1, text.data() + text.size(), address.port);
  if (address.port == 0)
    return fail(Errc::invalid, "\"{}\": expected ADDRESS:PORT", text);
  return address;
}

catalog::Register registration(const std::string& service, const model::ServiceAddress& at,
                               model::Health health) {
  catalog::Register command;
  command.node = {.name = "node-" + at.address, .address = at.address};
  command.instance = model::ServiceInstance{.id = service, .service = service, .port = at.port};
  command.checks.push_back({.node = command.node.name,
                            .id = "alive-" + service,
                            .status = health,
                            .service_id = service,
                            .service_name = service});
  return command;
}

catalog::Import imported(const std::string& peer, const std::string& service, bool proxy,
                         const model::ServiceAddress& at) {
  catalog::Import command{.peer = peer, .service = service + (proxy ? "-sidecar-proxy" : "")};
  catalog::Import::Instance it;
  it.node = {.peer = peer, .name = "mesh-gateway", .address = at.address};
  it.instance = {.peer = peer,
                 .node = it.node.name,
                 .id = command.service,
                 .service = command.service,
                 .port = at.port};
  if (proxy) {
    it.instance.service_kind = "connect-proxy";
    it.instance.peer_meta =
        model::PeerMeta{{service + ".default.default.cluster-01.external." + peer + ".consul"},
                        {"spiffe://" + peer + ".consul/ns/default/dc/" + peer + "/svc/" + service},
                        "http"};
  }
  command.instances.push_back(std::move(it));
  return command;
}

/// The commands of one "#! " line.
Result<std::vector<Command>> commands_of(const std::string& line, World& world) {
  std::istringstream words{line};
  std::string what, name, service, address, health;
  words >> what;
  if (what == "identity") {
    for (auto* id : {"identity", "mesh-gateway"})
      world.identities.push_back(std::make_shared<const gateway::Certificate>(
          gateway::Certificate{id, test::certificate_pem, test::key_pem}));
    return std::vector<Command>{};
  }
  if (what == "kubernetes") {
    world.kubernetes = true;
    return std::vector<Command>{};
  }
  if (what == "authority")
    return std::vector<Command>{catalog::WriteAuthority{{.trust_domain = "dc1.consul"}}};
  words >> name;
  if (what == "peering")
    return std::vector<Command>{
        catalog::WritePeering{.peering = {.name = name, .id = name, .remote_datacenter = name}},
        catalog::ImportTrust{{name, name + ".consul", {"root of " + name}, "default"}}};
  if (what == "imported")
    words >> service;
  words >> address >> health;
  auto at = address_of(address);
  if (!at)
    return fail(at.error());
  if (what == "imported")
    return std::vector<Command>{imported(name, service, false, *at),
                                imported(name, service, true, *at)};
  auto status = model::health_from(health);
  if (what == "service" && status)
    return std::vector<Command>{registration(name, *at, *status)};
  return fail(Errc::invalid, "\"#! {}\" is none of the lines known", line);
}

void insert_pair(model::Secret& secret) {
  for (auto& [key, value] : secret.data)
    if (value == "CERTIFICATE")
      value = test::certificate_pem;
    else if (value == "KEY")
      value = test::key_pem;
}

} // namespace

Result<World> read_world(const std::string& text, std::string_view controller) {
  World world;
  catalog::Catalog catalog;
  model::GatewayClass edge;
  edge.meta.name.name = "edge";
  edge.controller_name = controller;
  std::vector<Command> commands{catalog::Put{edge, {}}};
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("#! "))
      continue;
    auto more = commands_of(line.substr(3), world);
    if (!more)
      return fail(more.error());
    commands.insert(commands.end(), more->begin(), more->end());
  }
  auto decoded = kubernetes::decode_yaml(text, "input");
  if (!decoded.errors.empty())
    return fail(decoded.errors.front());
  for (auto& document : decoded.objects) {
    if (auto* secret = std::get_if<model::Secret>(&document))
      insert_pair(*secret);
    if (auto* map = std::get_if<model::ConfigMap>(&document))
      for (auto& [key, value] : map->data)
        if (value == "CERTIFICATE")
          value = test::certificate_pem;
    if (auto* it = std::get_if<model::GatewayClass>(&document);
        it && it->controller_name == "either/controller")
      it->controller_name = controller; // Of the controller asked for, with more to say.
    std::visit([&](auto& object) { commands.emplace_back(catalog::Put{object, {}}); }, document);
  }
  for (auto& command : commands)
    if (auto outcome = catalog.apply(command, WallTime{}); !outcome)
      return fail(outcome.error());
  world.view = catalog.view();
  return world;
}

} // namespace strait::golden
