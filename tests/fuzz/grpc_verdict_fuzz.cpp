// links: strait_gateway_proxy
#include "gateway/proxy/grpc_auth.hpp"
#include "net/http1_names.hpp"

#include <cstdint>

// The content of an authorizer's answer. What is read of it must be fit for HTTP.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace strait;
  const auto verdict =
      gateway::proxy::read_grpc_verdict({reinterpret_cast<const char*>(data), size});
  if (!verdict)
    return 0;
  if (verdict->status < 200 || verdict->status > 599)
    __builtin_trap();
  for (const auto* list : {&verdict->request.set, &verdict->request.add, &verdict->response.set,
                           &verdict->response.add, &verdict->fields})
    for (const auto& field : *list)
      if (!net::http1::is_token(field.name) || !net::http1::is_field_value(field.value))
        __builtin_trap();
  return 0;
}
