#include "cmd/cli/validation.hpp"

#include "kubernetes/decode.hpp"

namespace strait::cli {

Validation validate(const std::vector<Input>& inputs) {
  Validation out;
  for (const auto& input : inputs) {
    auto decoded = kubernetes::decode_yaml(input.text, input.source);
    out.objects += decoded.objects.size();
    for (auto& error : decoded.errors)
      out.errors.push_back(std::move(error.detail));
    for (const auto& object : decoded.objects)
      for (const auto& field : kubernetes::unsupported_in(object))
        out.warnings.push_back(fmt::format("{}: {}: {}: known, but not implemented", input.source,
                                           to_string(kubernetes::key_of(object)), field.path));
    if (decoded.objects.empty() && decoded.errors.empty())
      out.errors.push_back(input.source + ": holds no object");
  }
  return out;
}

} // namespace strait::cli
