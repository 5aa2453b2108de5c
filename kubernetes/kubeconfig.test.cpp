#include "kubernetes/kubeconfig.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <fstream>
#include <map>

using namespace strait;
using namespace strait::kubernetes;

namespace {

constexpr const char* two_contexts = R"(
apiVersion: v1
kind: Config
current-context: lab
preferences: {}
clusters:
- name: lab
  cluster:
    server: https://10.0.0.1:6443
    certificate-authority: pki/ca.crt
- name: other
  cluster: {server: "https://[fd00::1]", certificate-authority-data: Y2E=, tls-server-name: kube}
users:
- name: admin
  user: {client-certificate: /etc/pki/admin.crt, client-key: admin.key}
- name: robot
  user: {token: abc}
contexts:
- name: lab
  context: {cluster: lab, user: admin}
- name: second
  context: {cluster: other, user: robot, namespace: gateways}
- name: nobody
  context: {cluster: other}
)";

Result<ClientConfig> parse(std::string_view text, std::string_view context = "") {
  return parse_kubeconfig(text, "config", context, "/etc/kube");
}

std::string refusal(std::string_view cluster, std::string_view user) {
  auto text = fmt::format("kind: Config\ncurrent-context: c\n"
                          "contexts: [{{name: c, context: {{cluster: k, user: u}}}}]\n"
                          "clusters: [{{name: k, cluster: {{{}}}}}]\n"
                          "users: [{{name: u, user: {{{}}}}}]\n",
                          cluster, user);
  auto parsed = parse(text);
  return parsed ? "accepted" : parsed.error().detail;
}

} // namespace

TEST_CASE("the current context of a kubeconfig says where and as whom") {
  auto config = parse(two_contexts);
  REQUIRE(config);
  CHECK(config->server == "https://10.0.0.1:6443");
  CHECK(config->ca_file == "/etc/kube/pki/ca.crt");
  CHECK(config->client_certificate_file == "/etc/pki/admin.crt");
  CHECK(config->client_key_file == "/etc/kube/admin.key");
  CHECK(config->default_namespace == "default");
}

TEST_CASE("another context may be named, with data in the file and a user that has a token") {
  auto config = parse(two_contexts, "second");
  REQUIRE(config);
  CHECK(config->server == "https://[fd00::1]");
  CHECK(config->ca_pem == "ca");
  CHECK(config->tls_server_name == "kube");
  CHECK(config->token == "abc");
  CHECK(config->default_namespace == "gateways");
  CHECK(parse(two_contexts, "nobody")->token.empty());
}

TEST_CASE("a kubeconfig that cannot be used is refused with the entry and the field") {
  CHECK(parse(two_contexts, "third").error() ==
        Error{Errc::not_found, "config: contexts: there is none named \"third\""});
  CHECK(parse("kind: Config").error().detail ==
        "config: current-context is not set; name a context");
  CHECK(parse("kind: Pod").error().detail == "config: kind: expected Config, got \"Pod\"");
  CHECK(parse("a: [").error().detail.substr(0, 7) == "config:");
  auto server = "server: https://k";
  CHECK(refusal("a: b", "") == "config: cluster \"k\".server: is missing");
  CHECK(refusal("server: ftp://k", "") ==
        "config: cluster \"k\".server: \"ftp://k\": expected http:// or https://");
  CHECK(refusal("server: https://k, certificate-authority-data: '!'", "") ==
        "config: cluster \"k\".certificate-authority-data: expected base64");
  CHECK_THAT(refusal(server, "exec: {command: aws}"),
             Catch::StartsWith("config: user \"u\".exec: Strait starts no credential plugins"));
  CHECK_THAT(refusal(server, "auth-provider: {name: gcp}"),
             Catch::StartsWith("config: user \"u\".auth-provider: Strait starts no"));
  CHECK_THAT(refusal(server, "username: root"), Catch::Contains("no basic authentication"));
  CHECK(refusal(server, "client-certificate: a") == "config: user \"u\": client-key is missing");
  CHECK(refusal(server, "token: 5") ==
        "config: user \"u\".token: expected a string, got an integer");
  CHECK_THAT(
      refusal("server: https://k, certificate-authority: a, insecure-skip-tls-verify: true", ""),
      Catch::Contains("may not stand beside"));
  CHECK(refusal(server, "token: abc") == "accepted");
  CHECK(parse(std::string(kubeconfig_bytes_max + 1, ' ')).error().code == Errc::exhausted);
}

TEST_CASE("a kubeconfig file that is not there is named") {
  auto missing = load_kubeconfig("/nowhere/config", "");
  CHECK(missing.error() ==
        Error{Errc::not_found, "/nowhere/config: the kubeconfig cannot be read"});
  CHECK(load_kubeconfig("/a:/b", "").error().code == Errc::invalid);
}

TEST_CASE("a pod is told by its environment and its service account") {
  std::string directory = (std::filesystem::temp_directory_path() / "strait-pod-XXXXXX").string();
  REQUIRE(::mkdtemp(directory.data()));
  std::map<std::string, std::string> variables;
  InCluster pod{[&](const char* name) { return variables[name]; }, directory};
  CHECK_THAT(in_cluster_config(pod).error().detail, Catch::StartsWith("not in a pod"));
  variables = {{"KUBERNETES_SERVICE_HOST", "10.96.0.1"}, {"KUBERNETES_SERVICE_PORT", "443"}};
  CHECK_THAT(in_cluster_config(pod).error().detail, Catch::Contains("/token: cannot be read"));
  std::ofstream{directory + "/token"} << "t";
  std::ofstream{directory + "/ca.crt"} << "c";
  std::ofstream{directory + "/namespace"} << "strait-system";
  auto config = in_cluster_config(pod);
  REQUIRE(config);
  CHECK(config->server == "https://10.96.0.1:443");
  CHECK(config->token_file == directory + "/token");
  CHECK(config->ca_file == directory + "/ca.crt");
  CHECK(config->default_namespace == "strait-system");
  variables["KUBERNETES_SERVICE_HOST"] = "fd00::1";
  CHECK(in_cluster_config(pod)->server == "https://[fd00::1]:443");
  std::filesystem::remove_all(directory);
}
