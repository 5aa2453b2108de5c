#include "kubernetes/config_entry.hpp"

#include <catch2/catch.hpp>

using namespace strait;
using namespace strait::kubernetes;

namespace {
std::string refused(std::string_view json) {
  auto entry = decode_config_entry(json);
  REQUIRE_FALSE(entry);
  return entry.error().detail;
}
} // namespace

TEST_CASE("a config entry is read in CamelCase and in snake_case") {
  model::ExportedServices expected;
  expected.services = {{"api", {"dc1"}}, {"*", {"dc2", "dc3"}}};
  expected.meta = {{"some_Key", "v"}};
  for (auto text : {R"({"Kind": "exported-services", "Name": "default", "Meta": {"some_Key": "v"},
                       "Services": [{"Name": "api", "Consumers": [{"Peer": "dc1"}]},
                                    {"Name": "*", "Namespace": "default",
                                     "Consumers": [{"Peer": "dc2"}, {"Peer": "dc3"}]}]})",
                    R"({"kind": "exported-services", "name": "default", "meta": {"some_Key": "v"},
                       "services": [{"name": "api", "consumers": [{"peer": "dc1"}]},
                                    {"name": "*", "consumers": [{"peer": "dc2"},
                                                                {"peer": "dc3"}]}]})"}) {
    auto entry = decode_config_entry(text);
    if (!entry)
      FAIL(entry.error().detail);
    CHECK(*entry == ConfigEntry{expected});
  }
}

TEST_CASE("a config entry is written as Consul answers it, and reads back as it was") {
  model::ServiceIntentions intentions;
  intentions.name = "api";
  intentions.sources = {{"web", "dc1", true, "from afar"}, {"*", "", false, ""}};
  auto text = encode_config_entry(intentions, 5, 7);
  CHECK(text == R"({"Kind":"service-intentions","Name":"api","Sources":[)"
                R"({"Name":"web","Peer":"dc1","Action":"allow","Type":"consul",)"
                R"("Description":"from afar"},{"Name":"*","Action":"deny","Type":"consul"}],)"
                R"("CreateIndex":5,"ModifyIndex":7})");
  auto entry = decode_config_entry(text);
  REQUIRE(entry);
  CHECK(*entry == ConfigEntry{intentions});
}

TEST_CASE("a config entry that Strait cannot carry out is refused by name") {
  CHECK(refused(R"({"Kind": "service-splitter", "Name": "web", "Splits": []})") ==
        "service-splitter/web: kind service-splitter is not implemented; Strait takes "
        "exported-services, service-intentions and service-resolver");
  CHECK(refused(R"({"Name": "web"})") == "1:1: Kind: required");
  CHECK(refused(R"({"Kind": "exported-services", "Name": "x"})") ==
        "1:39: exported-services/x: Name: must be \"default\": there is one such entry");
  CHECK(
      refused(
          R"({"Kind":"exported-services","Name":"default","Services":[{"Name":"a","Consumers":[{"Partition":"p"}]}]})")
          .find("consumers[0].partition: there are no partitions; name a peer") !=
      std::string::npos);
  CHECK(refused(R"({"Kind":"exported-services","Name":"default","Service":[]})") ==
        "1:56: exported-services/default: Service: unknown field; did you mean Services?");
  CHECK(
      refused(
          R"({"Kind":"service-intentions","Name":"a","Sources":[{"Name":"b","Action":"allow","Permissions":[]}]})")
          .ends_with("permissions: not implemented; give an action"));
  CHECK(refused(
            R"({"Kind":"service-intentions","Name":"a","Sources":[{"Name":"b","Action":"maybe"}]})")
            .ends_with("action: expected allow or deny, got \"maybe\""));
  CHECK(refused(R"({"Kind":"service-intentions","Name":"a","kind":"service-intentions"})")
            .ends_with("kind: this field is given in two spellings"));
  CHECK(
      refused(
          R"({"Kind":"service-intentions","Name":"a","Sources":[{"Name":"b","Action":"deny","Namespace":"x"}]})")
          .ends_with("namespace: only \"default\" exists here, got \"x\""));
}

TEST_CASE("a service-resolver is the object of its name in Consul's only namespace") {
  model::ServiceResolver expected;
  expected.meta.name = {"default", "web"};
  expected.meta.annotations = {{"team", "edge"}};
  expected.failover = {{"web", "", "dc2"}, {"web-backup", "", ""}};
  auto entry = decode_config_entry(
      R"({"Kind": "service-resolver", "Name": "web", "Meta": {"team": "edge"},
          "Failover": {"*": {"Targets": [{"Service": "web", "Peer": "dc2"},
                                         {"service": "web-backup", "Partition": "default"}]}}})");
  if (!entry)
    FAIL(entry.error().detail);
  CHECK(*entry == ConfigEntry{expected});
  auto text = encode_config_entry(*entry, 5, 7);
  CHECK(text == R"({"Kind":"service-resolver","Name":"web","Failover":{"*":{"Targets":[)"
                R"({"Service":"web","Peer":"dc2"},{"Service":"web-backup"}]}},)"
                R"("Meta":{"team":"edge"},"CreateIndex":5,"ModifyIndex":7})");
  CHECK(decode_config_entry(text) == entry);
}

TEST_CASE("what of a service-resolver is not carried out is refused, with what is") {
  auto not_taken = [](const std::string& field) {
    return refused(R"({"Kind":"service-resolver","Name":"web",)" + field + "}");
  };
  const std::string why =
      ": not implemented; Strait takes Failover of subset \"*\" to a Service or "
      "to Targets of Service and Peer";
  CHECK(not_taken(R"("Redirect":{"Service":"b"})") == "1:52: service-resolver/web: redirect" + why);
  CHECK(not_taken(R"("ConnectTimeout":"5s")").ends_with("connectTimeout" + why));
  CHECK(not_taken(R"("Failover":{"v1":{"Service":"b"}})").ends_with("failover.v1" + why));
  CHECK(not_taken(R"("Failover":{"*":{"Datacenters":["dc2"]}})")
            .ends_with("failover.*.datacenters" + why));
  CHECK(not_taken(R"("Failover":{"*":{"Targets":[{"Peer":"dc2","ServiceSubset":"v1"}]}})")
            .ends_with("failover.*.targets[0].serviceSubset" + why));
  CHECK(refused(R"({"Kind":"service-resolver","Name":"*"})").ends_with("must be of one service"));
}
