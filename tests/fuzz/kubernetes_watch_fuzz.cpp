// links: strait_kubernetes strait_net strait_base
#include "kubernetes/decode.hpp"
#include "kubernetes/kubeconfig.hpp"
#include "kubernetes/lease.hpp"
#include "kubernetes/reflector.hpp"
#include "kubernetes/server_kinds.hpp"
#include "kubernetes/status_patch.hpp"

#include <array>
#include <cstdlib>

/// What an API server (or a kubeconfig's author) may say. The first byte chooses who reads it.
/// Whatever was read is used as the edge would: a reflector takes it in, a status is merged with
/// it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace strait;
  using namespace strait::kubernetes;
  if (size == 0)
    return 0;
  std::string_view text{reinterpret_cast<const char*>(data) + 1, size - 1};
  constexpr std::array<std::string_view, 1> own{model::strait_controller};
  auto merge = [&](const Item& item) {
    (void)decode_live(*item.object);
    for (auto kind : {model::Kind::gateway, model::Kind::http_route, model::Kind::gateway_class}) {
      model::ObjectStatus status{.object = {kind, item.name}};
      status.conditions = {{.type = model::ConditionType::accepted, .status = true}};
      status.parents = {{{.name = "edge"}, std::string{own[0]}, status.conditions}};
      auto patch = status_patch(*item.object, status, own, WallTime{});
      // What is written must be what would be read: nothing is left to write then.
      if (patch && patch->find("status") == nullptr)
        std::abort();
    }
    (void)finalizer_patch(*item.object, true);
  };
  switch (data[0] % 6) {
  case 0:
    if (auto page = parse_list(text, "v1", "Service")) {
      Reflector reflector{{}};
      reflector.start({});
      for (auto& item : page->items)
        merge(item);
      reflector.listed({}, *page);
      if (page->continue_token.empty() && !reflector.synced())
        std::abort();
    }
    break;
  case 1:
    if (auto event = parse_event(text)) {
      Reflector reflector{{}};
      reflector.start({});
      reflector.listed({}, {"1", "", {}});
      if (event->item.object)
        merge(event->item);
      reflector.event({}, *event);
    }
    break;
  case 2:
    (void)parse_kubeconfig(text, "config", "", "/");
    break;
  case 3:
    if (auto lease = parse_lease(text)) {
      auto again = parse_lease(write_json(encode_lease(*lease, "ns", "name"), 0));
      if (!again || !(*again == *lease))
        std::abort();
    }
    break;
  case 4:
    (void)parse_group(text);
    (void)parse_resources(text);
    break;
  case 5:
    (void)support_of({{}, {{"crd", std::string{text}}}});
    break;
  }
  return 0;
}
