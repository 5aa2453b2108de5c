#include "catalog/recoverable.hpp"

#include "catalog/kinds.hpp"

namespace strait::catalog {

namespace {

bool mirrored_in(const View& view, const model::ObjectKey& key) {
  bool mirrored = false;
  with_kind(key.kind, [&]<class T>() {
    if constexpr (HasMeta<T>)
      if (auto* object = view.find<T>(key.name))
        mirrored = is_mirrored(object->meta);
  });
  return mirrored;
}

bool recoverable(const Put& command, const View&) {
  return command.mirrored && std::visit(
                                 []<class T>(const T& object) {
                                   if constexpr (HasMeta<T>)
                                     return is_mirrored(object.meta);
                                   else
                                     return false;
                                 },
                                 command.object);
}
bool recoverable(const Remove& command, const View& before) {
  return mirrored_in(before, command.key);
}
bool recoverable(const ReportStatus& command, const View& before) {
  return mirrored_in(before, command.status.object);
}
template <class Other>
bool recoverable(const Other&, const View&) {
  return false;
}

} // namespace

bool is_recoverable(const Command& command, const View& before) {
  return std::visit([&](auto& it) { return recoverable(it, before); }, command);
}

} // namespace strait::catalog
