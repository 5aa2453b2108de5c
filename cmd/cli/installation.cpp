#include "cmd/cli/installation.hpp"

#include "kubernetes/watch.hpp"

#include <map>

namespace strait::cli {

namespace {

constexpr std::string_view managed_by = "strait-install";

struct Manifest {
  std::map<std::string_view, std::string> values;
  std::map<std::string_view, bool> words; ///< Of "#if WORD" and "#unless WORD".
};

Manifest manifest_of(const InstallSettings& it) {
  return {{{"namespace", it.ns},
           {"version", it.version},
           {"image", it.image},
           {"gateway_image", it.gateway_image},
           {"pull_policy", it.pull_policy},
           {"datacenter", it.datacenter},
           {"log_level", it.log_level},
           {"service_type", it.service_type},
           {"scc", it.scc},
           {"replicas", std::to_string(it.replicas)},
           {"metrics_port", std::to_string(it.metrics_port)},
           {"map_ports", std::to_string(it.map_privileged_container_ports)}},
          {{"openshift", it.openshift},
           {"metrics", it.metrics_port != 0},
           {"consul", it.consul_class}}};
}

/// Cuts a condition off the line. Whether the line stays; not_found: a word that is not known.
Result<bool> stays(std::string_view& line, const Manifest& manifest) {
  for (auto [mark, wanted] :
       {std::pair{std::string_view{" #if "}, true}, {std::string_view{" #unless "}, false}}) {
    auto at = line.find(mark);
    if (at == std::string_view::npos)
      continue;
    auto word = manifest.words.find(line.substr(at + mark.size()));
    if (word == manifest.words.end())
      return fail(Errc::internal, "manifest: no such condition: {}", line);
    line = line.substr(0, at);
    return word->second == wanted;
  }
  return true;
}

Status fill(std::string& out, std::string_view line, const Manifest& manifest) {
  for (;;) {
    auto begin = line.find("${");
    auto end = line.find('}', begin);
    if (begin == std::string_view::npos || end == std::string_view::npos)
      break;
    auto value = manifest.values.find(line.substr(begin + 2, end - begin - 2));
    if (value == manifest.values.end())
      return fail(Errc::internal, "manifest: no such setting: {}", line);
    (out += line.substr(0, begin)) += value->second;
    line.remove_prefix(end + 1);
  }
  (out += line) += '\n';
  return {};
}

Result<std::vector<kubernetes::Node>> documents(std::string_view text, std::string_view source) {
  auto parsed = kubernetes::parse_yaml(text, source);
  if (!parsed.errors.empty())
    return fail(Errc::internal, "{}", parsed.errors.front().detail);
  return std::move(parsed.documents);
}

} // namespace

Result<std::vector<kubernetes::Node>> installation(std::string_view text,
                                                   const InstallSettings& settings) {
  auto manifest = manifest_of(settings);
  std::string filled;
  while (!text.empty()) {
    auto end = text.find('\n');
    auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.starts_with('#'))
      continue;
    auto kept = stays(line, manifest);
    if (!kept)
      return fail(kept.error());
    if (*kept)
      if (auto done = fill(filled, line, manifest); !done)
        return fail(done.error());
  }
  return documents(filled, "manifest");
}

kubernetes::Node namespace_document(const std::string& name) {
  return kubernetes::parse_yaml(
             fmt::format("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {}\n  labels:\n"
                         "    app.kubernetes.io/managed-by: {}\n",
                         name, managed_by),
             "namespace")
      .documents.front();
}

bool made_by_install(const kubernetes::Node& object) {
  return kubernetes::text_at(object, {"metadata", "labels", "app.kubernetes.io/managed-by"}) ==
         managed_by;
}

Result<std::vector<kubernetes::Node>> custom_resource_definitions(std::string_view crds) {
  return documents(crds, "crds");
}

} // namespace strait::cli
