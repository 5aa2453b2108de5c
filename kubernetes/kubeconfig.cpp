#include "kubernetes/kubeconfig.hpp"

#include "kubernetes/document.hpp"
#include "net/base64.hpp"
#include "net/http_call.hpp"

#include <fstream>
#include <sstream>

namespace strait::kubernetes {

namespace {

/// Reads one kubeconfig; what goes wrong ends in `error`, the first of it.
class Reading {
public:
  Reading(std::string_view source, const std::filesystem::path& directory)
      : source_{source}, directory_{directory} {}

  std::string text(const Node& map, std::string_view key, std::string_view where) {
    auto* found = map.find(key);
    if (!found || found->is_null())
      return {};
    if (auto* value = std::get_if<std::string>(&found->value))
      return *value;
    refuse(fmt::format("{}.{}: expected a string, got {}", where, key, type_name(*found)));
    return {};
  }
  bool flag(const Node& map, std::string_view key, std::string_view where) {
    auto* found = map.find(key);
    if (!found || found->is_null())
      return false;
    if (auto* value = std::get_if<bool>(&found->value))
      return *value;
    refuse(fmt::format("{}.{}: expected true or false, got {}", where, key, type_name(*found)));
    return false;
  }
  std::string base64(const Node& map, std::string_view key, std::string_view where) {
    auto encoded = text(map, key, where);
    auto decoded = net::from_base64(encoded);
    if (!decoded)
      refuse(fmt::format("{}.{}: expected base64", where, key));
    return decoded.value_or("");
  }
  std::string file(const Node& map, std::string_view key, std::string_view where) {
    auto name = text(map, key, where);
    return name.empty() ? name : (directory_ / name).lexically_normal().string();
  }
  /// The map `inner` of the entry of that name in the list `list`.
  const Node* entry(const Node& root, std::string_view list, std::string_view name,
                    std::string_view inner) {
    auto* all = root.find(list);
    auto* items = all ? std::get_if<Node::List>(&all->value) : nullptr;
    if (items)
      for (auto& item : *items) {
        auto* called = item.find("name");
        auto* value = called ? std::get_if<std::string>(&called->value) : nullptr;
        if (!value || *value != name)
          continue;
        if (auto* found = item.find(inner); found && std::get_if<Node::Map>(&found->value))
          return found;
        refuse(fmt::format("{} \"{}\": {} is missing", list, name, inner));
        return nullptr;
      }
    refuse(fmt::format("{}: there is none named \"{}\"", list, name), Errc::not_found);
    return nullptr;
  }
  void refuse(const std::string& text, Errc code = Errc::invalid) {
    if (!error)
      error = Error{code, fmt::format("{}: {}", source_, text)};
  }

  std::optional<Error> error;

private:
  std::string source_;
  const std::filesystem::path& directory_;
};

void read_cluster(Reading& reading, const Node& cluster, const std::string& where,
                  ClientConfig& out) {
  out.server = reading.text(cluster, "server", where);
  out.tls_server_name = reading.text(cluster, "tls-server-name", where);
  out.ca_pem = reading.base64(cluster, "certificate-authority-data", where);
  if (out.ca_pem.empty())
    out.ca_file = reading.file(cluster, "certificate-authority", where);
  out.insecure_skip_tls_verify = reading.flag(cluster, "insecure-skip-tls-verify", where);
  if (out.server.empty())
    return reading.refuse(where + ".server: is missing");
  if (auto origin = net::HttpOrigin::parse(out.server); !origin)
    return reading.refuse(where + ".server: " + origin.error().detail);
  if (out.insecure_skip_tls_verify && !(out.ca_pem.empty() && out.ca_file.empty()))
    reading.refuse(where + ": insecure-skip-tls-verify may not stand beside a "
                           "certificate-authority");
  if (!reading.text(cluster, "proxy-url", where).empty())
    reading.refuse(where + ".proxy-url: is not supported");
}

void read_user(Reading& reading, const Node& user, const std::string& where, ClientConfig& out) {
  for (auto plugin : {"exec", "auth-provider"})
    if (auto* found = user.find(plugin); found && !found->is_null())
      reading.refuse(fmt::format("{}.{}: Strait starts no credential plugins; give this user a "
                                 "token, a tokenFile or a client-certificate",
                                 where, plugin));
  for (auto key : {"username", "password"})
    if (auto* found = user.find(key); found && !found->is_null())
      reading.refuse(fmt::format("{}.{}: Kubernetes has no basic authentication any more; give a "
                                 "token or a client-certificate",
                                 where, key));
  for (auto key : {"as", "as-groups", "as-uid"})
    if (auto* found = user.find(key); found && !found->is_null())
      reading.refuse(fmt::format("{}.{}: impersonation is not supported", where, key));
  out.client_certificate_pem = reading.base64(user, "client-certificate-data", where);
  if (out.client_certificate_pem.empty())
    out.client_certificate_file = reading.file(user, "client-certificate", where);
  out.client_key_pem = reading.base64(user, "client-key-data", where);
  if (out.client_key_pem.empty())
    out.client_key_file = reading.file(user, "client-key", where);
  out.token_file = reading.file(user, "tokenFile", where);
  if (out.token_file.empty())
    out.token = reading.text(user, "token", where);
  bool certificate = !out.client_certificate_pem.empty() || !out.client_certificate_file.empty();
  bool key = !out.client_key_pem.empty() || !out.client_key_file.empty();
  if (certificate != key)
    reading.refuse(
        fmt::format("{}: {} is missing", where, certificate ? "client-key" : "client-certificate"));
}

} // namespace

Result<ClientConfig> parse_kubeconfig(std::string_view text, std::string_view source,
                                      std::string_view context,
                                      const std::filesystem::path& directory) {
  if (text.size() > kubeconfig_bytes_max)
    return fail(Errc::exhausted, "{}: has more than {} bytes", source, kubeconfig_bytes_max);
  auto parsed = parse_yaml(text, source);
  if (!parsed.errors.empty())
    return fail(parsed.errors.front());
  if (parsed.documents.size() != 1)
    return fail(Errc::invalid, "{}: expected one document, got {}", source,
                parsed.documents.size());
  auto& root = parsed.documents.front();
  Reading reading{source, directory};
  if (auto kind = reading.text(root, "kind", ""); kind != "Config" && !reading.error)
    reading.refuse(fmt::format("kind: expected Config, got \"{}\"", kind));
  auto name = context.empty() ? reading.text(root, "current-context", "") : std::string{context};
  if (name.empty())
    reading.refuse("current-context is not set; name a context");
  ClientConfig out;
  auto* found = reading.error ? nullptr : reading.entry(root, "contexts", name, "context");
  if (found) {
    auto where = fmt::format("context \"{}\"", name);
    auto cluster = reading.text(*found, "cluster", where);
    auto user = reading.text(*found, "user", where);
    if (auto ns = reading.text(*found, "namespace", where); !ns.empty())
      out.default_namespace = ns;
    if (auto* node = reading.entry(root, "clusters", cluster, "cluster"))
      read_cluster(reading, *node, fmt::format("cluster \"{}\"", cluster), out);
    // A context without a user is anonymous.
    if (auto* node = user.empty() ? nullptr : reading.entry(root, "users", user, "user"))
      read_user(reading, *node, fmt::format("user \"{}\"", user), out);
  }
  if (reading.error)
    return fail(*reading.error);
  return out;
}

Result<ClientConfig> load_kubeconfig(const std::filesystem::path& file, std::string_view context) {
  if (file.string().find(':') != std::string::npos)
    return fail(Errc::invalid, "{}: several kubeconfig files in one are not supported; name one",
                file.string());
  std::ifstream in{file, std::ios::binary};
  std::ostringstream text;
  if (!in || !(text << in.rdbuf()))
    return fail(Errc::not_found, "{}: the kubeconfig cannot be read", file.string());
  return parse_kubeconfig(text.str(), file.string(), context, file.parent_path());
}

Result<ClientConfig> in_cluster_config(const InCluster& pod) {
  auto host = pod.environment("KUBERNETES_SERVICE_HOST");
  auto port = pod.environment("KUBERNETES_SERVICE_PORT");
  if (host.empty() || port.empty())
    return fail(Errc::not_found,
                "not in a pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set; "
                "name a kubeconfig instead");
  ClientConfig out;
  bool ipv6 = host.find(':') != std::string::npos;
  out.server = fmt::format("https://{}{}{}:{}", ipv6 ? "[" : "", host, ipv6 ? "]" : "", port);
  if (auto origin = net::HttpOrigin::parse(out.server); !origin)
    return fail(Errc::invalid, "KUBERNETES_SERVICE_HOST and _PORT: {}", origin.error().detail);
  out.token_file = (pod.service_account / "token").string();
  out.ca_file = (pod.service_account / "ca.crt").string();
  for (auto& file : {out.token_file, out.ca_file})
    if (!std::ifstream{file})
      return fail(Errc::not_found,
                  "{}: cannot be read; the pod needs a service account "
                  "(automountServiceAccountToken)",
                  file);
  if (std::string ns; std::ifstream{pod.service_account / "namespace"} >> ns)
    out.default_namespace = ns;
  return out;
}

} // namespace strait::kubernetes
