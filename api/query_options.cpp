#include "api/query_options.hpp"

#include "api/duration.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace strait::api {

Reply refuse_wan_federation(std::string_view what) {
  return text_reply(500, fmt::format("{}: WAN federation is not supported; connect datacenters by "
                                     "peering (POST /v1/peering/token)",
                                     what));
}

Reply no_path_to(std::string_view datacenter) {
  return refuse_wan_federation(fmt::format("No path to datacenter \"{}\"", datacenter));
}

tl::expected<QueryOptions, Reply>
read_options(const Parameters& parameters, const AgentIdentity& self,
             const std::function<std::string_view(std::string_view)>& headers,
             const QueryLimits& limits) {
  auto bad = [](std::string text) {
    return tl::unexpected<Reply>(text_reply(400, std::move(text)));
  };
  QueryOptions options;
  if (auto& text = parameters.get("index"); !text.empty()) {
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), options.index);
    if (error != std::errc{} || end != text.data() + text.size())
      return bad("Invalid index");
  }
  options.wait = limits.wait_default;
  if (auto& text = parameters.get("wait"); !text.empty()) {
    auto wait = parse_duration(text);
    if (!wait || wait->count() < 0)
      return bad("Invalid wait time");
    if (wait->count() > 0)
      options.wait = std::min(*wait, limits.wait_max);
  }
  bool stale = parameters.has("stale"), consistent = parameters.has("consistent");
  if (stale && consistent)
    return bad("Cannot specify ?stale with ?consistent, conflicting semantics.");
  if (parameters.has("cached") && consistent)
    return bad("Cannot specify ?cached with ?consistent, conflicting semantics.");
  if (stale || consistent)
    options.consistency = stale ? "stale" : "consistent";
  for (auto& [name, feature] :
       {std::pair{"ns", "Namespaces are"}, std::pair{"partition", "Partitions are"}}) {
    auto* header = name == std::string_view{"ns"} ? "X-Consul-Namespace" : "X-Consul-Partition";
    if (!parameters.get(name).empty())
      return bad(fmt::format("Invalid query parameter: \"{}\" - {} a Consul Enterprise feature",
                             name, feature));
    if (!headers(header).empty())
      return bad(
          fmt::format("Invalid header: \"{}\" - {} a Consul Enterprise feature", header, feature));
  }
  for (auto* name : {"sg", "sameness-group"})
    if (!parameters.get(name).empty())
      return bad(fmt::format("Invalid query parameter: \"{}\" - Sameness groups are a Consul "
                             "Enterprise feature",
                             name));
  auto& datacenter =
      parameters.has("datacenter") ? parameters.get("datacenter") : parameters.get("dc");
  if (!datacenter.empty() && datacenter != self.datacenter)
    return tl::unexpected<Reply>(no_path_to(datacenter));
  options.peer = parameters.get("peer");
  std::transform(options.peer.begin(), options.peer.end(), options.peer.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  options.pretty = parameters.has("pretty");
  return options;
}

std::string query_key(const Call& call) {
  constexpr std::array ignored{"index", "wait",   "token", "stale",     "consistent",
                               "dc",    "leader", "near",  "max_stale", "datacenter"};
  std::vector<std::string> pairs;
  for (auto& [name, value] : call.parameters.pairs())
    if (std::find(ignored.begin(), ignored.end(), name) == ignored.end())
      pairs.push_back(std::to_string(name.size()) + "." + name + "=" + value);
  std::sort(pairs.begin(), pairs.end());
  std::string key = call.path;
  for (auto& pair : pairs)
    key += '\0' + pair;
  return key;
}

} // namespace strait::api
