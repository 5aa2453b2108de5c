#include "api/lists.hpp"

#include "net/http1_names.hpp"

#include <algorithm>

namespace strait::api {

std::string peer_of(const Call& call) {
  auto peer = call.parameters.get("peer");
  std::transform(peer.begin(), peer.end(), peer.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  return peer;
}

NodeSelection::NodeSelection(const Call& call) {
  for (auto& text : call.parameters.all("node-meta")) {
    auto colon = text.find(':');
    pairs_.emplace_back(text.substr(0, colon),
                        colon == std::string::npos ? "" : text.substr(colon + 1));
  }
}

bool NodeSelection::takes(const catalog::Record<model::Node>* node) const {
  return std::all_of(pairs_.begin(), pairs_.end(), [&](auto& pair) {
    if (!node)
      return false;
    auto found = node->value.meta.find(pair.first);
    return found != node->value.meta.end() && found->second == pair.second;
  });
}

bool NodeSelection::takes(const catalog::View& view, const std::string& peer,
                          const std::string& node) const {
  return pairs_.empty() || takes(view.record<model::Node>({peer, node}).get());
}

InstanceSelection::InstanceSelection(const Call& call)
    : tags_{call.parameters.all("tag")}, nodes_{call} {
  std::erase(tags_, "");
}

bool InstanceSelection::takes(const catalog::InstanceHealth& instance) const {
  auto& tags = instance.instance->value.tags;
  return nodes_.takes(instance.node.get()) &&
         std::all_of(tags_.begin(), tags_.end(), [&](auto& wanted) {
           return std::any_of(tags.begin(), tags.end(), [&](auto& tag) {
             return net::http1::equal_ignoring_case(tag, wanted);
           });
         });
}

Result<FilterPtr> list_filter(const Call& call, Element element) {
  auto& text = call.parameters.get("filter");
  if (text.empty())
    return FilterPtr{};
  auto filter = Filter::compile(text, element);
  if (!filter)
    return fail(std::move(filter.error()));
  return std::make_shared<const Filter>(std::move(*filter));
}

} // namespace strait::api
