#include "base/overload.hpp"
#include "peering/message.hpp"
#include "proto/consul/peerstream.pb.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

namespace strait::peering {
namespace {

namespace pb = hashicorp::consul::internal::peerstream;
namespace pbp = hashicorp::consul::internal::peering;
namespace pbs = hashicorp::consul::internal::service;

std::string deterministic(const google::protobuf::MessageLite& message) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream{&bytes};
    google::protobuf::io::CodedOutputStream coded{&stream};
    coded.SetSerializationDeterministic(true); // Maps in key order.
    message.SerializeToCodedStream(&coded);
  }
  return bytes;
}

template <class Map>
model::StringMap string_map(const Map& in) {
  return {in.begin(), in.end()};
}

template <class Strings>
void add_all(Strings& out, const std::vector<std::string>& in) {
  for (const auto& text : in)
    out.Add()->assign(text);
}

template <class Strings>
std::vector<std::string> strings(const Strings& in) {
  return {in.begin(), in.end()};
}

void fill(pbs::Node& out, const model::Node& in) {
  out.set_id(in.id);
  out.set_node(in.name);
  out.set_address(in.address);
  out.set_datacenter(in.datacenter);
  for (const auto& [key, value] : in.tagged_addresses)
    (*out.mutable_taggedaddresses())[key] = value;
  for (const auto& [key, value] : in.meta)
    (*out.mutable_meta())[key] = value;
  out.mutable_raftindex();
}

void fill(pbs::NodeService& out, const model::ServiceInstance& in) {
  out.set_kind(in.service_kind);
  out.set_id(in.id);
  out.set_service(in.service);
  add_all(*out.mutable_tags(), in.tags);
  out.set_address(in.address);
  for (const auto& [key, value] : in.meta)
    (*out.mutable_meta())[key] = value;
  out.set_port(in.port);
  out.mutable_weights()->set_passing(in.weight_passing);
  out.mutable_weights()->set_warning(in.weight_warning);
  out.set_enabletagoverride(in.enable_tag_override);
  out.mutable_proxy()->set_destinationservicename(in.proxy_destination);
  out.mutable_connect();
  if (in.peer_meta) {
    auto& meta = *out.mutable_connect()->mutable_peermeta();
    add_all(*meta.mutable_sni(), in.peer_meta->sni);
    add_all(*meta.mutable_spiffeid(), in.peer_meta->spiffe_ids);
    meta.set_protocol(in.peer_meta->protocol);
  }
  out.mutable_raftindex();
  out.mutable_enterprisemeta();
  for (const auto& [key, address] : in.tagged_addresses) {
    auto& tagged = (*out.mutable_taggedaddresses())[key];
    tagged.set_address(address.address);
    tagged.set_port(address.port);
  }
}

void fill(pbs::HealthCheck& out, const model::HealthCheck& in) {
  out.set_node(in.node);
  out.set_checkid(in.id);
  out.set_name(in.name);
  out.set_status(std::string{model::to_string(in.status)});
  out.set_notes(in.notes);
  out.set_output(in.output);
  out.set_serviceid(in.service_id);
  out.set_servicename(in.service_name);
  add_all(*out.mutable_servicetags(), in.service_tags);
  out.set_type(in.type);
  out.mutable_raftindex();
  out.mutable_enterprisemeta();
}

Result<std::uint16_t> port(std::int32_t value, const std::string& service) {
  if (value < 0 || value > 65535)
    return fail(Errc::invalid, "exported service {}: port {}: must be 0..65535", service, value);
  return static_cast<std::uint16_t>(value);
}

model::Node node_from(const pbs::Node& in) {
  return {.name = in.node(),
          .id = in.id(),
          .address = in.address(),
          .datacenter = in.datacenter(),
          .tagged_addresses = string_map(in.taggedaddresses()),
          .meta = string_map(in.meta())};
}

Result<model::ServiceInstance> instance_from(const pbs::NodeService& in, const std::string& node) {
  auto number = port(in.port(), in.service());
  if (!number)
    return fail(number.error());
  model::ServiceInstance out{.node = node,
                             .id = in.id(),
                             .service = in.service(),
                             .service_kind = in.kind(),
                             .tags = strings(in.tags()),
                             .address = in.address(),
                             .port = *number,
                             .meta = string_map(in.meta()),
                             .enable_tag_override = in.enabletagoverride(),
                             .proxy_destination = in.proxy().destinationservicename()};
  for (const auto& [key, address] : in.taggedaddresses()) {
    auto tagged = port(address.port(), in.service());
    if (!tagged)
      return fail(tagged.error());
    out.tagged_addresses[key] = {address.address(), *tagged};
  }
  if (in.has_weights()) {
    out.weight_passing = in.weights().passing();
    out.weight_warning = in.weights().warning();
  }
  if (in.connect().has_peermeta()) {
    const auto& meta = in.connect().peermeta();
    out.peer_meta = model::PeerMeta{strings(meta.sni()), strings(meta.spiffeid()), meta.protocol()};
  }
  return out;
}

Result<model::HealthCheck> check_from(const pbs::HealthCheck& in, const std::string& node) {
  auto status = model::health_from(in.status());
  if (!status)
    return fail(Errc::invalid, "check {} of service {}: status \"{}\" is unknown", in.checkid(),
                in.servicename(), in.status());
  return model::HealthCheck{.node = node,
                            .id = in.checkid(),
                            .name = in.name(),
                            .status = *status,
                            .notes = in.notes(),
                            .output = in.output(),
                            .service_id = in.serviceid(),
                            .service_name = in.servicename(),
                            .service_tags = strings(in.servicetags()),
                            .type = in.type()};
}

Result<catalog::Import::Instance> import_from(const pbs::CheckServiceNode& in,
                                              const std::string& service) {
  if (in.node().node().empty())
    return fail(Errc::invalid, "exported service {}: an instance without a node name", service);
  if (in.service().id().empty())
    return fail(Errc::invalid, "exported service {}: an instance without an id on node {}", service,
                in.node().node());
  if (in.service().service() != service)
    return fail(Errc::invalid, "exported service {}: an instance of service \"{}\"", service,
                in.service().service());
  catalog::Import::Instance out;
  out.node = node_from(in.node());
  auto instance = instance_from(in.service(), out.node.name);
  if (!instance)
    return fail(instance.error());
  out.instance = std::move(*instance);
  for (const auto& check : in.checks()) {
    if (check.checkid().empty())
      return fail(Errc::invalid, "exported service {}: a check without an id on node {}", service,
                  out.node.name);
    auto made = check_from(check, out.node.name);
    if (!made)
      return fail(made.error());
    out.checks.push_back(std::move(*made));
  }
  return out;
}

template <class Pb>
Result<Pb> parse(std::string_view bytes, Resource resource) {
  Pb message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return fail(Errc::corrupt, "{}: {} bytes cannot be decoded", type_url(resource), bytes.size());
  return message;
}

Status within(std::string_view what, int count, std::size_t max) {
  if (static_cast<std::size_t>(count) <= max)
    return {};
  return fail(Errc::exhausted, "received {} {}, the maximum is {}", count, what, max);
}

Result<Payload> service_from(const std::string& id, std::string_view bytes,
                             const PayloadLimits& limits) {
  auto in = parse<pb::ExportedService>(bytes, Resource::exported_service);
  if (!in)
    return fail(in.error());
  if (id.empty())
    return fail(Errc::invalid, "exported service: the resource has no id");
  if (auto ok = within("instances", in->nodes_size(), limits.instances_max); !ok)
    return fail(ok.error());
  ExportedService out{.name = id, .instances = {}};
  for (const auto& node : in->nodes()) {
    auto instance = import_from(node, id);
    if (!instance)
      return fail(instance.error());
    out.instances.push_back(std::move(*instance));
  }
  return out;
}

} // namespace

std::string encode_payload(const Payload& payload) {
  return std::visit(overload{[](const ExportedService& in) {
                               pb::ExportedService out;
                               for (const auto& instance : in.instances) {
                                 auto& node = *out.add_nodes();
                                 fill(*node.mutable_node(), instance.node);
                                 fill(*node.mutable_service(), instance.instance);
                                 for (const auto& check : instance.checks)
                                   fill(*node.add_checks(), check);
                               }
                               return deterministic(out);
                             },
                             [](const ExportedServiceList& in) {
                               pb::ExportedServiceList out;
                               add_all(*out.mutable_services(), in.services);
                               return deterministic(out);
                             },
                             [](const model::TrustBundle& in) {
                               pbp::PeeringTrustBundle out;
                               out.set_trustdomain(in.trust_domain);
                               add_all(*out.mutable_rootpems(), in.root_pems);
                               out.set_exportedpartition(in.exported_partition);
                               return deterministic(out);
                             },
                             [](const ServerAddresses& in) {
                               pbp::PeeringServerAddresses out;
                               add_all(*out.mutable_addresses(), in.addresses);
                               return deterministic(out);
                             }},
                    payload);
}

Result<Payload> decode_payload(Resource resource, const std::string& id, std::string_view bytes,
                               const PayloadLimits& limits) {
  switch (resource) {
  case Resource::exported_service:
    return service_from(id, bytes, limits);
  case Resource::exported_service_list: {
    auto in = parse<pb::ExportedServiceList>(bytes, resource);
    if (!in)
      return fail(in.error());
    if (auto ok = within("exported services", in->services_size(), limits.services_max); !ok)
      return fail(ok.error());
    return ExportedServiceList{strings(in->services())};
  }
  case Resource::trust_bundle: {
    auto in = parse<pbp::PeeringTrustBundle>(bytes, resource);
    if (!in)
      return fail(in.error());
    if (auto ok = within("root certificates", in->rootpems_size(), limits.roots_max); !ok)
      return fail(ok.error());
    return model::TrustBundle{.trust_domain = in->trustdomain(),
                              .root_pems = strings(in->rootpems()),
                              .exported_partition = in->exportedpartition()};
  }
  case Resource::server_addresses: {
    auto in = parse<pbp::PeeringServerAddresses>(bytes, resource);
    if (!in)
      return fail(in.error());
    if (auto ok = within("server addresses", in->addresses_size(), limits.addresses_max); !ok)
      return fail(ok.error());
    return ServerAddresses{strings(in->addresses())};
  }
  }
  return fail(Errc::invalid, "unknown resource");
}

} // namespace strait::peering
