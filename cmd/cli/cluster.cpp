#include "cmd/cli/cluster.hpp"

#include "kubernetes/kubeconfig.hpp"
#include "kubernetes/watch.hpp"

namespace strait::cli {

namespace {

constexpr std::string_view field_manager = "strait-install";

Result<kubernetes::ClientConfig> config_of(const Arguments& arguments, const Context& context) {
  auto& environment = context.environment;
  auto file = arguments.value("kubeconfig");
  auto name = arguments.value("context");
  if (file.empty())
    file = environment("KUBECONFIG");
  if (!file.empty())
    return kubernetes::load_kubeconfig(file, name);
  auto pod =
      kubernetes::in_cluster_config({[&](const char* variable) { return environment(variable); }});
  if (pod || environment("HOME").empty())
    return pod;
  return kubernetes::load_kubeconfig(
      std::filesystem::path{environment("HOME")} / ".kube" / "config", name);
}

} // namespace

std::vector<Option> cluster_options() {
  return {{"namespace", 'n', "NS", "Where the controller runs", "strait"},
          {"kubeconfig", 0, "FILE", "How to reach the cluster; else $KUBECONFIG, or as kubectl"},
          {"context", 0, "NAME", "Context of the kubeconfig; else its current one"}};
}

Outcome<Cluster> Cluster::open(const Arguments& arguments, Context& context) {
  auto refuse = [](const Error& error) {
    return tl::unexpected<Failure>{Failure{ExitCode::failed, error.detail}};
  };
  auto config = config_of(arguments, context);
  if (!config)
    return refuse(config.error());
  auto loop = net::EventLoop::create();
  if (!loop)
    return refuse(loop.error());
  Cluster out;
  out.loop_ = std::move(*loop);
  auto client = kubernetes::Client::create(*out.loop_, std::move(*config));
  if (!client)
    return refuse(client.error());
  out.client_ = std::move(*client);
  return out;
}

Cluster::~Cluster() {
  if (client_)
    client_->close();
}

Result<kubernetes::Response> Cluster::send(kubernetes::Request request) {
  Result<kubernetes::Response> out = fail(Errc::internal, "no answer");
  client_->request(std::move(request), [&](Result<kubernetes::Response> response) {
    out = std::move(response);
    loop_->stop();
  });
  loop_->run();
  return out;
}

Status Cluster::apply(const kubernetes::Node& document) {
  auto id = kubernetes::id_of(document);
  auto path = id ? kubernetes::path_of(*id) : fail(id.error());
  if (!path)
    return fail(path.error());
  auto response =
      send(kubernetes::apply_request(*path, kubernetes::write_json(document, 0), field_manager));
  if (!response)
    return fail(response.error());
  return kubernetes::outcome_of(*response);
}

Result<std::optional<kubernetes::Node>> Cluster::get(const kubernetes::ObjectId& id) {
  auto path = kubernetes::path_of(id);
  if (!path)
    return fail(path.error());
  auto response = send({.path = *path});
  if (!response)
    return fail(response.error());
  auto outcome = kubernetes::outcome_of(*response);
  if (!outcome && outcome.error().code == Errc::not_found)
    return std::optional<kubernetes::Node>{};
  if (!outcome)
    return fail(outcome.error());
  auto object = kubernetes::parse_json(response->body, to_string(id));
  if (!object)
    return fail(object.error());
  return std::optional{std::move(*object)};
}

Status Cluster::patch(const kubernetes::ObjectId& id, const kubernetes::Node& changes) {
  auto path = kubernetes::path_of(id);
  if (!path)
    return fail(path.error());
  auto response = send({.method = "PATCH",
                        .path = *path,
                        .body = kubernetes::write_json(changes, 0),
                        .content_type = std::string{kubernetes::merge_patch}});
  if (!response)
    return fail(response.error());
  return kubernetes::outcome_of(*response);
}

Result<bool> Cluster::remove(const kubernetes::ObjectId& id) {
  auto path = kubernetes::path_of(id);
  if (!path)
    return fail(path.error());
  auto response = send(
      {.method = "DELETE",
       .path = *path,
       .body = R"({"apiVersion":"v1","kind":"DeleteOptions","propagationPolicy":"Foreground"})"});
  if (!response)
    return fail(response.error());
  auto outcome = kubernetes::outcome_of(*response);
  if (!outcome && outcome.error().code == Errc::not_found)
    return false;
  if (!outcome)
    return fail(outcome.error());
  return true;
}

Result<std::vector<kubernetes::ObjectId>> Cluster::list(const std::string& api_version,
                                                        const std::string& kind,
                                                        const std::string& label_selector) {
  auto path = kubernetes::collection_of({api_version, kind, {}});
  if (!path)
    return fail(path.error());
  auto response = send({.path = *path, .query = {{"labelSelector", label_selector}}});
  if (!response)
    return fail(response.error());
  std::vector<kubernetes::ObjectId> out;
  auto outcome = kubernetes::outcome_of(*response);
  if (!outcome && outcome.error().code == Errc::not_found)
    return out; // The cluster does not have the kind.
  if (!outcome)
    return fail(outcome.error());
  auto page = kubernetes::parse_list(response->body, api_version, kind);
  if (!page)
    return fail(page.error());
  for (auto& item : page->items)
    out.push_back({api_version, kind, item.name});
  return out;
}

} // namespace strait::cli
