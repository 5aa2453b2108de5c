#include "actors/kubernetes_references.hpp"

#include "catalog/catalog.hpp"

#include <catch2/catch.hpp>

using namespace strait;
using model::Kind;
using model::ObjectKey;

TEST_CASE("only what our gateways, their listener sets and TLS policies refer to is read") {
  catalog::Catalog catalog;
  auto put = [&](catalog::AnyRecord object) {
    REQUIRE(catalog.apply(catalog::Put{std::move(object), {}}, {}));
  };
  auto listener = [](std::string secret, std::string ns) {
    model::Listener out{.name = "https", .port = 443, .protocol = "HTTPS"};
    out.tls.emplace();
    out.tls->certificates = {{.ns = std::move(ns), .name = std::move(secret)},
                             {.group = "example.com", .kind = "Vault", .name = "other"}};
    return out;
  };
  put(model::GatewayClass{.meta = {.name = {"", "strait"}},
                          .controller_name = std::string{model::strait_controller}});
  put(model::GatewayClass{.meta = {.name = {"", "other"}}, .controller_name = "example.com/c"});
  model::Gateway ours{.meta = {.name = {"edge", "ours"}}, .class_name = "strait"};
  ours.listeners = {listener("own", ""), listener("far", "certs")};
  ours.tls.backend_client_certificate = model::CertificateRef{.name = "client"};
  ours.tls.frontend = model::ClientValidation{.ca_refs = {{.name = "roots"}}};
  ours.tls.frontend_per_port[8443] =
      model::ClientValidation{.ca_refs = {{.kind = "Secret", .name = "port-roots"}}};
  put(ours);
  model::Gateway others{.meta = {.name = {"edge", "others"}}, .class_name = "other"};
  others.listeners = {listener("not-ours", "")};
  put(others);
  model::ListenerSet set{.meta = {.name = {"team", "set"}}};
  set.parent = {.ns = "edge", .name = "ours"};
  set.listeners = {listener("team-cert", "")};
  put(set);
  set.meta.name.name = "strange";
  set.parent.name = "others";
  set.listeners = {listener("strange-cert", "")};
  put(set);
  put(model::BackendTlsPolicy{.meta = {.name = {"shop", "tls"}}, .ca_refs = {{.name = "ca"}}});

  CHECK(actors::kubernetes_references(*catalog.view()) ==
        std::set<ObjectKey>{{Kind::secret, {"edge", "own"}},
                            {Kind::secret, {"certs", "far"}},
                            {Kind::secret, {"edge", "client"}},
                            {Kind::secret, {"edge", "port-roots"}},
                            {Kind::config_map, {"edge", "roots"}},
                            {Kind::secret, {"team", "team-cert"}},
                            {Kind::config_map, {"shop", "ca"}}});
}
