#include "kubernetes/document_types.hpp"

namespace strait::kubernetes {

model::ObjectKey key_of(const Document& document) {
  return std::visit([](auto& object) { return model::key_of(object); }, document);
}

std::optional<model::Manifest> manifest_of(const Document& document) {
  return std::visit(
      [](auto& object) -> std::optional<model::Manifest> {
        if constexpr (requires { model::Manifest{object}; })
          return model::Manifest{object};
        else
          return {};
      },
      document);
}

Document document_of(model::Manifest manifest) {
  return std::visit([](auto&& object) { return Document{std::move(object)}; }, std::move(manifest));
}

const std::vector<model::Unsupported>& unsupported_in(const Document& document) {
  static const std::vector<model::Unsupported> none;
  return std::visit(
      [](auto& object) -> const std::vector<model::Unsupported>& {
        if constexpr (requires { object.unsupported; })
          return object.unsupported;
        else
          return none;
      },
      document);
}

} // namespace strait::kubernetes
