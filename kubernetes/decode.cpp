#include "kubernetes/decode.hpp"

#include "kubernetes/decode_kinds.hpp"

#include <algorithm>
#include <array>

namespace strait::kubernetes {

namespace {

enum class Scope : std::uint8_t { cluster, namespaced };

using Decode = Document (*)(Fields& root, model::Meta meta);

template <class T>
Document decode_as(Fields& root, model::Meta meta) {
  T object;
  if constexpr (requires { object.meta.name; }) {
    object.meta = std::move(meta);
  } else {
    // A config entry has one namespace in Consul's community edition: the object's is of no matter.
    object.name = std::move(meta.name.name);
    object.meta = std::move(meta.annotations);
  }
  decode(root, object);
  return object;
}

struct KindRow {
  std::string_view kind;
  Scope scope;
  std::array<std::string_view, 3> versions;
  rules::TextRule name_rule;
  Decode decode;
};

constexpr std::string_view gateway_v1 = "gateway.networking.k8s.io/v1";
constexpr std::string_view gateway_v1beta1 = "gateway.networking.k8s.io/v1beta1";
constexpr std::string_view gateway_v1alpha2 = "gateway.networking.k8s.io/v1alpha2";
constexpr std::string_view gateway_v1alpha3 = "gateway.networking.k8s.io/v1alpha3";
constexpr std::string_view consul = "consul.hashicorp.com/v1alpha1";
constexpr std::string_view legacy_consul = "api-gateway.consul.hashicorp.com/v1alpha1";

constexpr auto subdomain = rules::dns_subdomain;
constexpr std::array kinds{
    KindRow{"GatewayClass",
            Scope::cluster,
            {gateway_v1, gateway_v1beta1},
            subdomain,
            decode_as<model::GatewayClass>},
    KindRow{"GatewayClassConfig",
            Scope::cluster,
            {consul, legacy_consul},
            subdomain,
            decode_as<model::GatewayClassConfig>},
    KindRow{"Gateway",
            Scope::namespaced,
            {gateway_v1, gateway_v1beta1},
            subdomain,
            decode_as<model::Gateway>},
    KindRow{"HTTPRoute",
            Scope::namespaced,
            {gateway_v1, gateway_v1beta1},
            subdomain,
            decode_as<model::HttpRoute>},
    KindRow{"TCPRoute",
            Scope::namespaced,
            {gateway_v1, gateway_v1alpha2},
            subdomain,
            decode_as<model::TcpRoute>},
    KindRow{"ReferenceGrant",
            Scope::namespaced,
            {gateway_v1, gateway_v1beta1},
            subdomain,
            decode_as<model::ReferenceGrant>},
    KindRow{"MeshService",
            Scope::namespaced,
            {consul, legacy_consul},
            subdomain,
            decode_as<model::MeshService>},
    KindRow{"Service", Scope::namespaced, {"v1"}, rules::dns_label, decode_as<model::Service>},
    KindRow{"EndpointSlice",
            Scope::namespaced,
            {"discovery.k8s.io/v1"},
            subdomain,
            decode_as<model::EndpointSlice>},
    KindRow{"Secret", Scope::namespaced, {"v1"}, subdomain, decode_as<model::Secret>},
    KindRow{"ConfigMap", Scope::namespaced, {"v1"}, subdomain, decode_as<model::ConfigMap>},
    KindRow{"Namespace", Scope::cluster, {"v1"}, rules::dns_label, decode_as<model::Namespace>},
    KindRow{"ExportedServices",
            Scope::namespaced,
            {consul},
            subdomain,
            decode_as<model::ExportedServices>},
    KindRow{"ServiceIntentions",
            Scope::namespaced,
            {consul},
            subdomain,
            decode_as<model::ServiceIntentions>},
    KindRow{"GRPCRoute",
            Scope::namespaced,
            {gateway_v1, gateway_v1alpha2},
            subdomain,
            decode_as<model::GrpcRoute>},
    KindRow{"TLSRoute",
            Scope::namespaced,
            {gateway_v1, gateway_v1alpha3, gateway_v1alpha2},
            subdomain,
            decode_as<model::TlsRoute>},
    KindRow{"UDPRoute",
            Scope::namespaced,
            {gateway_v1, gateway_v1alpha2},
            subdomain,
            decode_as<model::UdpRoute>},
    KindRow{
        "ListenerSet", Scope::namespaced, {gateway_v1}, subdomain, decode_as<model::ListenerSet>},
    KindRow{"BackendTLSPolicy",
            Scope::namespaced,
            {gateway_v1, gateway_v1alpha3},
            subdomain,
            decode_as<model::BackendTlsPolicy>},
    KindRow{
        "GatewayPolicy", Scope::namespaced, {consul}, subdomain, decode_as<model::GatewayPolicy>},
    KindRow{"RouteAuthFilter",
            Scope::namespaced,
            {consul},
            subdomain,
            decode_as<model::RouteAuthFilter>},
    KindRow{"RouteRetryFilter",
            Scope::namespaced,
            {consul},
            subdomain,
            decode_as<model::RouteRetryFilter>},
    KindRow{"RouteTimeoutFilter",
            Scope::namespaced,
            {consul},
            subdomain,
            decode_as<model::RouteTimeoutFilter>},
    KindRow{"JWTProvider", Scope::namespaced, {consul}, subdomain, decode_as<model::JwtProvider>},
    KindRow{"ServiceResolver",
            Scope::namespaced,
            {consul},
            rules::service_name,
            decode_as<model::ServiceResolver>},
    KindRow{"Pod", Scope::namespaced, {"v1"}, subdomain, decode_as<model::Pod>},
};

std::string kind_names() {
  std::string names;
  for (auto& row : kinds)
    names += (names.empty() ? "" : ", ") + std::string{row.kind};
  return names;
}

std::string text_at(const Node& node, std::string_view key) {
  auto* found = node.find(key);
  auto* text = found ? std::get_if<std::string>(&found->value) : nullptr;
  return text ? *text : std::string{};
}

/// "HTTPRoute default/web", as far as the document tells.
std::string title_of(const Node& node) {
  auto kind = text_at(node, "kind");
  auto* metadata = node.find("metadata");
  if (!metadata)
    return kind;
  auto name = text_at(*metadata, "name");
  auto ns = text_at(*metadata, "namespace");
  auto row = std::find_if(kinds.begin(), kinds.end(), [&](auto& it) { return it.kind == kind; });
  if (ns.empty() && row != kinds.end() && row->scope == Scope::namespaced)
    ns = "default";
  auto full = model::to_string(model::Name{ns, name});
  return full.size() > 600 ? kind : kind + " " + full;
}

void decode_meta(Fields& meta, const KindRow& row, model::Meta& out) {
  meta.text("name", out.name.name, row.name_rule, Need::required);
  if (row.scope == Scope::cluster) {
    meta.refuse("namespace", fmt::format("a {} has no namespace", row.kind));
  } else {
    out.name.ns = "default";
    meta.text("namespace", out.name.ns, rules::dns_label);
  }
  meta.text("uid", out.uid, rules::not_empty);
  meta.integer("generation", out.generation, {0, INT64_MAX});
  std::string created;
  meta.text("creationTimestamp", created, rules::timestamp);
  if (!created.empty())
    out.created = from_rfc3339(created);
  meta.map("labels", out.labels, rules::qualified_name, rules::label_value);
  meta.map("annotations", out.annotations, rules::annotation_key, rules::any);
  meta.skip({"managedFields", "resourceVersion", "finalizers", "ownerReferences", "selfLink",
             "deletionTimestamp", "deletionGracePeriodSeconds", "generateName"});
}

/// Once the kind is known also beside errors.
std::optional<Document> decode_node(const Node& node, Report& report) {
  Fields root{report, node, ""};
  if (!report.errors.empty())
    return {};
  std::string version, kind;
  root.text("apiVersion", version, rules::not_empty, Need::required);
  root.text("kind", kind, rules::not_empty, Need::required);
  if (!report.errors.empty())
    return {};
  auto row = std::find_if(kinds.begin(), kinds.end(), [&](auto& it) { return it.kind == kind; });
  if (row == kinds.end()) {
    root.error("kind", fmt::format("\"{}\" is no kind that Strait knows; it knows {}",
                                   kind.substr(0, 80), kind_names()));
    return {};
  }
  if (version.empty() ||
      std::find(row->versions.begin(), row->versions.end(), version) == row->versions.end()) {
    std::string expected;
    for (auto known : row->versions)
      if (!known.empty())
        expected += (expected.empty() ? "" : " or ") + std::string{known};
    root.error("apiVersion", fmt::format("expected {} for a {}, got \"{}\"", expected, kind,
                                         version.substr(0, 80)));
    return {};
  }
  model::Meta meta;
  root.object(
      "metadata", [&](Fields& fields) { decode_meta(fields, *row, meta); }, Need::required);
  root.skip({"status"});
  auto document = row->decode(root, std::move(meta));
  root.finish();
  std::visit(
      [&](auto& object) {
        if constexpr (requires { object.unsupported; })
          object.unsupported = std::move(report.unsupported);
      },
      document);
  return document;
}

class Collector {
public:
  Collector(Decoded& out, std::string_view source) : out_{out}, source_{source} {}

  void add(const Node& node) {
    if (text_at(node, "kind") == "List" && text_at(node, "apiVersion") == "v1")
      return add_list(node);
    Report report{.source = std::string{source_}, .title = title_of(node)};
    if (auto document = decode_node(node, report); document && report.errors.empty())
      out_.objects.push_back(std::move(*document));
    for (auto& error : report.errors)
      add(std::move(error));
  }

  void add(Error error) {
    if (out_.errors.size() + 1 < max_errors)
      out_.errors.push_back(std::move(error));
    else if (out_.errors.size() < max_errors)
      out_.errors.push_back({Errc::exhausted, fmt::format("{}: too many errors; the rest is not "
                                                          "shown",
                                                          source_)});
  }

private:
  void add_list(const Node& node) {
    Report report{.source = std::string{source_}, .title = "List"};
    Fields root{report, node, ""};
    root.skip({"apiVersion", "kind", "metadata", "items"});
    root.finish();
    auto* found = node.find("items");
    auto* items = found ? std::get_if<Node::List>(&found->value) : nullptr;
    if (!items)
      root.error("items", "expected a list");
    for (auto& error : report.errors)
      add(std::move(error));
    if (!items || !report.errors.empty())
      return;
    for (auto& item : *items) {
      if (text_at(item, "kind") == "List")
        add({Errc::invalid, place(source_, item.at) + "List: items: a List may not hold a List"});
      else
        add(item);
    }
  }

  Decoded& out_;
  std::string_view source_;
};

/// All that is wrong is in the one error, parted by "; ".
Error error_of(const Report& report) {
  std::string all;
  for (auto& error : report.errors)
    all += (all.empty() ? "" : "; ") + error.detail;
  return {Errc::invalid, std::move(all)};
}

/// False if the kind has no such list.
bool tell(Document& document, const std::vector<model::Unsupported>& problems) {
  return std::visit(
      [&](auto& object) {
        if constexpr (requires { object.unsupported; }) {
          object.unsupported.insert(object.unsupported.begin(), problems.begin(), problems.end());
          return true;
        }
        return false;
      },
      document);
}

} // namespace

Decoded decode_yaml(std::string_view text, std::string_view source) {
  Decoded decoded;
  Collector collector{decoded, source};
  auto parsed = parse_yaml(text, source);
  for (auto& document : parsed.documents)
    collector.add(document);
  for (auto& error : parsed.errors)
    collector.add(std::move(error));
  return decoded;
}

Result<Document> decode_json(std::string_view text, std::string_view source) {
  auto tree = parse_json(text, source);
  if (!tree)
    return fail(std::move(tree.error()));
  Report report{.source = std::string{source}, .title = title_of(*tree)};
  auto document = decode_node(*tree, report);
  if (!document || !report.errors.empty())
    return fail(error_of(report));
  return std::move(*document);
}

Result<Document> decode_live(const Node& object) {
  Report report{.title = title_of(object), .unknown = Unknown::list};
  auto document = decode_node(object, report);
  bool usable = document && !key_of(*document).name.name.empty();
  if (!usable || (!report.problems.empty() && !tell(*document, report.problems)))
    return fail(error_of(report));
  return std::move(*document);
}

} // namespace strait::kubernetes
