#include "kubernetes/object_path.hpp"

#include <array>

namespace strait::kubernetes {

namespace {

struct KindRow {
  std::string_view kind, plural;
  bool namespaced;
};

constexpr std::array kinds{
    KindRow{"ClusterRole", "clusterroles", false},
    KindRow{"ClusterRoleBinding", "clusterrolebindings", false},
    KindRow{"ConfigMap", "configmaps", true},
    KindRow{"CustomResourceDefinition", "customresourcedefinitions", false},
    KindRow{"DaemonSet", "daemonsets", true},
    KindRow{"Deployment", "deployments", true},
    KindRow{"GatewayClass", "gatewayclasses", false},
    KindRow{"GatewayClassConfig", "gatewayclassconfigs", false},
    KindRow{"HorizontalPodAutoscaler", "horizontalpodautoscalers", true},
    KindRow{"Lease", "leases", true},
    KindRow{"Namespace", "namespaces", false},
    KindRow{"NetworkPolicy", "networkpolicies", true},
    KindRow{"PersistentVolumeClaim", "persistentvolumeclaims", true},
    KindRow{"PodDisruptionBudget", "poddisruptionbudgets", true},
    KindRow{"Role", "roles", true},
    KindRow{"RoleBinding", "rolebindings", true},
    KindRow{"Secret", "secrets", true},
    KindRow{"Service", "services", true},
    KindRow{"ServiceAccount", "serviceaccounts", true},
};

std::string text_at(const Node* node, std::string_view key) {
  auto* value = node ? node->find(key) : nullptr;
  auto* text = value ? std::get_if<std::string>(&value->value) : nullptr;
  return text ? *text : std::string{};
}

} // namespace

std::string to_string(const ObjectId& id) { return id.kind + " " + model::to_string(id.name); }

Result<ObjectId> id_of(const Node& document) {
  auto* meta = document.find("metadata");
  ObjectId id{text_at(&document, "apiVersion"),
              text_at(&document, "kind"),
              {text_at(meta, "namespace"), text_at(meta, "name")}};
  for (auto [field, value] : {std::pair{"apiVersion", &id.api_version},
                              {"kind", &id.kind},
                              {"metadata.name", &id.name.name}})
    if (value->empty())
      return fail(Errc::invalid, "object {}: {}: expected a string", to_string(id), field);
  return id;
}

Result<std::string> collection_of(const ObjectId& id) {
  for (auto& row : kinds)
    if (row.kind == id.kind) {
      auto root = id.api_version.find('/') == std::string::npos ? "/api/" : "/apis/";
      if (!row.namespaced || id.name.ns.empty())
        return fmt::format("{}{}/{}", root, id.api_version, row.plural);
      return fmt::format("{}{}/namespaces/{}/{}", root, id.api_version, id.name.ns, row.plural);
    }
  return fail(Errc::invalid, "{}: not a kind that Strait writes", to_string(id));
}

Result<std::string> path_of(const ObjectId& id) {
  return collection_of(id).map([&](std::string path) { return path + "/" + id.name.name; });
}

} // namespace strait::kubernetes
