#include "kubernetes/config_entry_fields.hpp"
#include "kubernetes/decode_kinds.hpp"
#include "kubernetes/encode_kinds.hpp"

namespace strait::kubernetes {

namespace {

using Target = model::ServiceResolver::Target;

/// The one subset that Strait has: all of a service.
constexpr std::string_view every_subset = "*";

void decode_target(Fields& fields, Target& out) {
  fields.text("service", out.service, rules::service_name);
  fields.text("namespace", out.ns, rules::dns_label);
  fields.text("peer", out.peer, rules::peer_name);
  refuse_tenancy(fields, {"partition"});
  fields.unsupported({"serviceSubset", "datacenter"});
  if (!out.peer.empty() && !out.ns.empty())
    fields.error("namespace", "must not be given with a peer");
  bool other = fields.has("serviceSubset") || fields.has("datacenter");
  if (out.service.empty() && out.peer.empty() && !other)
    fields.error("must name a service or a peer");
}

void decode_failover(Fields& fields, std::vector<Target>& out) {
  if (fields.has("targets"))
    fields.list("targets", out, {1, model::ServiceResolver::targets_max}, decode_target);
  // The short form of one target.
  Target only;
  fields.text("service", only.service, rules::service_name);
  fields.text("namespace", only.ns, rules::dns_label);
  fields.unsupported({"serviceSubset", "datacenters", "samenessGroup", "policy"});
  bool other =
      fields.has("serviceSubset") || fields.has("datacenters") || fields.has("samenessGroup");
  if (only != Target{} && fields.has("targets"))
    return fields.error("targets", "must not be given with service or namespace");
  if (!only.service.empty())
    out.push_back(std::move(only));
  else if (!fields.has("targets") && !other)
    fields.error("must have targets or a service");
}

} // namespace

void decode_resolver(Fields& owner, model::ServiceResolver& out) {
  owner.object("failover", [&](Fields& subsets) {
    for (auto& subset : subsets.keys())
      if (subset != every_subset)
        subsets.unsupported({subset});
    subsets.object(every_subset, [&](Fields& fields) { decode_failover(fields, out.failover); });
  });
  owner.unsupported({"defaultSubset", "subsets", "redirect", "connectTimeout", "requestTimeout",
                     "prioritizeByLocality", "loadBalancer"});
}

void decode(Fields& root, model::ServiceResolver& out) {
  root.object("spec", [&](Fields& spec) { decode_resolver(spec, out); });
}

Node encode_failover(const model::ServiceResolver& resolver, Spelling spelling) {
  auto key = [&](const char* camel, const char* pascal) {
    return spelling == Spelling::object ? camel : pascal;
  };
  MapWriter subsets, failover;
  failover.put(key("targets", "Targets"), list_of(resolver.failover, [&](auto& target) {
                 MapWriter out;
                 out.put_unless_empty(key("service", "Service"), target.service);
                 out.put_unless_empty(key("namespace", "Namespace"), target.ns);
                 out.put_unless_empty(key("peer", "Peer"), target.peer);
                 return out.take();
               }));
  subsets.put(every_subset, failover.take());
  return subsets.take();
}

void encode(MapWriter& root, const model::ServiceResolver& object) {
  MapWriter spec;
  if (!object.failover.empty())
    spec.put("failover", encode_failover(object, Spelling::object));
  root.put("spec", spec.take());
}

} // namespace strait::kubernetes
