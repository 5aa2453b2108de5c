#pragma once

#include "catalog/view.hpp"

namespace strait::catalog {

/// Calls visit.operator()<T>() for the record type T of the kind; false if the kind has none.
template <class F, std::size_t I = 0>
bool with_kind(model::Kind kind, F&& visit) {
  if constexpr (I < std::variant_size_v<AnyRecord>) {
    using T = std::variant_alternative_t<I, AnyRecord>;
    if (T::kind != kind)
      return with_kind<F, I + 1>(kind, std::forward<F>(visit));
    visit.template operator()<T>();
    return true;
  } else {
    return false;
  }
}

/// Calls visit.operator()<T>() for every record type, in AnyRecord's order.
template <class F, std::size_t... I>
void each_kind(F&& visit, std::index_sequence<I...>) {
  (visit.template operator()<std::variant_alternative_t<I, AnyRecord>>(), ...);
}
template <class F>
void each_kind(F&& visit) {
  each_kind(visit, std::make_index_sequence<std::variant_size_v<AnyRecord>>{});
}

/// Kinds that are written by Put: their objects have metav1.ObjectMeta.
template <class T>
concept HasMeta = requires(const T& object) {
  object.meta.generation;
};

} // namespace strait::catalog
