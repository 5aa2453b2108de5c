// links: strait_kubernetes strait_model strait_base
#include "kubernetes/decode.hpp"
#include "kubernetes/encode.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>

using namespace strait::kubernetes;

namespace {

[[noreturn]] void broken(const char* what, const std::string& text) {
  std::fprintf(stderr, "%s:\n%s\n", what, text.c_str());
  std::abort();
}

/// The values of fields that are not implemented are not kept, so they cannot come back.
void forget_unsupported(Document& document) {
  std::visit(
      [](auto& object) {
        if constexpr (requires { object.unsupported; })
          object.unsupported.clear();
      },
      document);
}

} // namespace

/// No text brings the decoder down, and each object that it reads is written as YAML and as JSON
/// that read back as an equal object.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto decoded = decode_yaml({reinterpret_cast<const char*>(data), size}, "fuzz");
  for (auto& object : decoded.objects) {
    auto yaml = to_yaml(object), json = to_json(object);
    forget_unsupported(object);
    auto again = decode_yaml(yaml, "again");
    if (!again.errors.empty())
      broken(again.errors.front().detail.c_str(), yaml);
    if (again.objects.size() != 1 || again.objects.front() != object)
      broken("YAML reads back as another object", yaml);
    auto from_json = decode_json(json);
    if (!from_json)
      broken(from_json.error().detail.c_str(), json);
    if (*from_json != object)
      broken("JSON reads back as another object", json);
  }
  return 0;
}
