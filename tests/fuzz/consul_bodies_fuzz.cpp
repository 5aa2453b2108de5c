// links: strait_api
#include "api/consul_bodies.hpp"
#include "api/filter.hpp"
#include "api/json_writer.hpp"
#include "kubernetes/document.hpp"

#include <cstdint>
#include <cstdlib>

using namespace strait;

/// No body brings the decoders of the HTTP API down; what they take has the bounds that they
/// promise; and whatever the bytes are, writing them gives JSON.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text{reinterpret_cast<const char*>(data), size};
  const api::AgentIdentity self{.node_name = "agent"};
  if (auto body = api::decode_register(text, self))
    if (body->command.node.meta.size() > api::BodyLimits{}.meta_pairs_max)
      std::abort();
  if (auto body = api::decode_agent_service(text, self))
    if (body->instance.service.empty() || body->instance.node != self.node_name)
      std::abort();
  if (auto check = api::decode_agent_check(text, self))
    if (check->id.empty() || check->definition.interval.count() < 0)
      std::abort();
  api::decode_deregister(text);
  api::decode_check_update(text);
  api::decode_peering_token(text);
  api::decode_peering_establish(text);
  if (auto filter = api::Filter::compile(text, api::Element::check_service_node)) {
    filter->takes(R"({"Node":{"Node":"n","Meta":{"a":"b"}},"Service":{"Tags":["x"]},"Checks":[]})");
    filter->takes(text);
  }
  api::JsonWriter json;
  json.text(text);
  if (!kubernetes::parse_json(json.view(), ""))
    std::abort();
  api::pretty_json(json.view());
  return 0;
}
