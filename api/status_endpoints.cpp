#include "api/consul_json.hpp"
#include "api/router.hpp"

/// status/*, the roots of the certificate authority, and the root of the tree.
namespace strait::api {

namespace {

using catalog::View;
using model::Kind;

/// The server itself: it is its datacenter's leader, and the address shows which one answered.
std::string server_address(const AgentIdentity& self) {
  bool ipv6 = self.advertise_address.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", ipv6 ? "[" : "", self.advertise_address, ipv6 ? "]" : "",
                     self.server_port);
}

Outcome leader(const Surroundings& at, const Call&) {
  JsonWriter json;
  json.text(server_address(at.self));
  return Reply{200, json.take()};
}

Outcome peers(const Surroundings& at, const Call&) {
  JsonWriter json;
  json.begin_array().text(server_address(at.self)).end_array();
  return Reply{200, json.take()};
}

Outcome roots(const Surroundings&, const Call&) {
  auto answer = [](const View& view) {
    for (auto& item : view.table<model::CertificateAuthority>()) {
      JsonWriter json;
      write_roots(json, *item.second);
      return Reply{200, json.take()};
    }
    return text_reply(500, "CA has not finished initializing");
  };
  return Read{[](const View& view) { return view.kind_revision(Kind::certificate_authority); },
              answer,
              {{Kind::certificate_authority, {}}}};
}

} // namespace

void add_status_endpoints(Router& router) {
  router.add("GET", "/v1/status/leader", leader);
  router.add("GET", "/v1/status/peers", peers);
  router.add("GET", "/v1/connect/ca/roots", roots);
  router.add("GET", "/v1/agent/connect/ca/roots", roots);
  router.add("GET", "/", [](auto&, auto&) -> Outcome {
    return text_reply(200, "Strait agent: the API is under /v1 and /strait/v1, metrics under "
                           "/metrics\n");
  });
}

} // namespace strait::api
