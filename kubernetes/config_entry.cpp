#include "kubernetes/config_entry.hpp"

#include "kubernetes/config_entry_fields.hpp"
#include "kubernetes/encode_nodes.hpp"

#include <algorithm>

namespace strait::kubernetes {

namespace {

/// Consul's own limits on the Meta of an entry.
constexpr Range meta_count{0, 64};

} // namespace

void refuse_tenancy(Fields& fields, std::initializer_list<std::string_view> keys) {
  for (auto key : keys) {
    std::string value;
    fields.text(key, value, rules::any);
    if (!value.empty() && value != "default")
      fields.error(key, fmt::format("only \"default\" exists here, got \"{}\"", value));
  }
}

void decode_exports(Fields& owner, std::string_view key, model::ExportedServices& out) {
  using Entry = model::ExportedServices::Entry;
  owner.list(key, out.services, exported_count, [](Fields& fields, Entry& entry) {
    struct Consumer {
      std::string peer;
    };
    std::vector<Consumer> consumers;
    fields.text("name", entry.service, rules::service_name_or_star, Need::required);
    refuse_tenancy(fields, {"namespace"});
    fields.list("consumers", consumers, consumer_count, [](Fields& inner, Consumer& consumer) {
      inner.text("peer", consumer.peer, rules::peer_name, Need::required);
      inner.refuse("samenessGroup", "not implemented; name each peer");
      inner.refuse("partition", "there are no partitions; name a peer");
    });
    for (auto& consumer : consumers)
      entry.peers.push_back(std::move(consumer.peer));
    fields.unique("consumers", entry.peers, "peer", [](auto& it) { return it; });
    if (std::find(entry.peers.begin(), entry.peers.end(), "") != entry.peers.end())
      fields.error("consumers", "each must name a peer");
  });
  owner.unique(key, out.services, "name", [](auto& it) { return it.service; });
}

void decode_sources(Fields& owner, std::string_view key, model::ServiceIntentions& out) {
  using Source = model::ServiceIntentions::Source;
  owner.list(key, out.sources, source_count, [](Fields& fields, Source& source) {
    fields.text("name", source.name, rules::service_name_or_star, Need::required);
    fields.text("peer", source.peer, rules::peer_name);
    fields.choice<bool, bool>("action", source.allow, {{"allow", true}, {"deny", false}},
                              Need::required);
    fields.text("description", source.description, rules::any);
    refuse_tenancy(fields, {"namespace", "partition"});
    fields.refuse("permissions", "not implemented; give an action");
    fields.refuse("samenessGroup", "not implemented; name each peer");
    // What Consul fills in by itself.
    std::string type;
    fields.one_of("type", type, {"consul"});
    fields.skip({"precedence", "legacyID", "legacyMeta", "legacyCreateTime", "legacyUpdateTime"});
  });
  owner.unique(key, out.sources, "name", [](auto& it) { return std::pair{it.name, it.peer}; });
}

Result<ConfigEntry> decode_config_entry(std::string_view json) {
  auto tree = parse_json(json, "");
  if (!tree)
    return fail(std::move(tree.error()));
  Report report{.keys = Keys::folded};
  Fields root{report, *tree, ""};
  std::string kind, name;
  root.text("Kind", kind, rules::not_empty, Need::required);
  root.text("Name", name, rules::service_name_or_star, Need::required);
  ConfigEntry entry;
  if (report.errors.empty()) {
    report.title = kind + "/" + name;
    refuse_tenancy(root, {"Namespace", "Partition"});
    root.skip({"CreateIndex", "ModifyIndex", "Hash", "Status"});
    model::StringMap meta;
    root.map("Meta", meta, rules::any, rules::any, meta_count);
    if (kind == "exported-services") {
      auto& exported = entry.emplace<model::ExportedServices>();
      exported.meta = std::move(meta);
      if (name != "default")
        root.error("Name", "must be \"default\": there is one such entry");
      decode_exports(root, "Services", exported);
    } else if (kind == "service-intentions") {
      auto& intentions = entry.emplace<model::ServiceIntentions>();
      intentions.name = name;
      intentions.meta = std::move(meta);
      decode_sources(root, "Sources", intentions);
      root.refuse("JWT", "not implemented");
    } else if (kind == "service-resolver") {
      auto& resolver = entry.emplace<model::ServiceResolver>();
      resolver.meta.name = {only_namespace, name};
      resolver.meta.annotations = std::move(meta);
      if (name == "*")
        root.error("Name", "must be of one service");
      decode_resolver(root, resolver);
      for (auto& field : report.unsupported)
        root.error(field.path,
                   "not implemented; Strait takes Failover of subset \"*\" to a Service "
                   "or to Targets of Service and Peer");
    } else {
      return fail(Errc::invalid,
                  "{}: kind {} is not implemented; Strait takes exported-services, "
                  "service-intentions and service-resolver",
                  report.title, kind);
    }
    root.finish();
  }
  if (report.errors.empty())
    return entry;
  std::string all;
  for (auto& error : report.errors)
    all += (all.empty() ? "" : "; ") + error.detail;
  return fail(Errc::invalid, "{}", all);
}

std::string encode_config_entry(const ConfigEntry& entry, std::uint64_t create_index,
                                std::uint64_t modify_index) {
  MapWriter out;
  if (auto* exported = std::get_if<model::ExportedServices>(&entry)) {
    out.put("Kind", "exported-services");
    out.put("Name", exported->name);
    out.put("Services", list_of(exported->services, [](auto& it) {
              MapWriter service;
              service.put("Name", it.service);
              service.put("Consumers", list_of(it.peers, [](auto& peer) {
                            MapWriter consumer;
                            consumer.put("Peer", peer);
                            return consumer.take();
                          }));
              return service.take();
            }));
    out.put_unless_empty("Meta", exported->meta);
  } else if (auto* intentions = std::get_if<model::ServiceIntentions>(&entry)) {
    out.put("Kind", "service-intentions");
    out.put("Name", intentions->name);
    out.put("Sources", list_of(intentions->sources, [](auto& it) {
              MapWriter source;
              source.put("Name", it.name);
              source.put_unless_empty("Peer", it.peer);
              source.put("Action", it.allow ? "allow" : "deny");
              source.put("Type", "consul");
              source.put_unless_empty("Description", it.description);
              return source.take();
            }));
    out.put_unless_empty("Meta", intentions->meta);
  } else if (auto* resolver = std::get_if<model::ServiceResolver>(&entry)) {
    out.put("Kind", "service-resolver");
    out.put("Name", resolver->meta.name.name);
    if (!resolver->failover.empty())
      out.put("Failover", encode_failover(*resolver, Spelling::config_entry));
    out.put_unless_empty("Meta", resolver->meta.annotations);
  }
  out.put("CreateIndex", static_cast<std::int64_t>(create_index));
  out.put("ModifyIndex", static_cast<std::int64_t>(modify_index));
  return write_json(out.take(), 0);
}

} // namespace strait::kubernetes
