#pragma once

#include "catalog/kinds.hpp"
#include "catalog/record_fields.hpp"

#include <random>

/// For tests: records with every field filled by chance. Uses the codec's own list of fields; that
/// the list is whole is shown by a test that counts members.
namespace strait::catalog::wire {

class Filler {
public:
  explicit Filler(std::uint64_t seed) : random_{seed} {}

  template <class T>
  void operator()(std::uint32_t, T& value) {
    fill(value);
  }
  template <class T>
  void operator()(std::uint32_t, T& value, T) {
    fill(value);
  }
  template <class T>
  void fill(T& value) {
    if constexpr (std::is_same_v<T, std::string>) {
      value = text();
    } else if constexpr (IsOptional<T>::value) {
      value.reset();
      if (chance(2))
        fill(value.emplace());
    } else if constexpr (IsVector<T>::value) {
      value.clear();
      for (auto count = below(4); count > 0; --count)
        fill(value.emplace_back());
    } else if constexpr (IsMap<T>::value) {
      value.clear();
      for (auto count = below(4); count > 0; --count)
        fill(value[key<typename T::key_type>()]);
    } else if constexpr (IsVariant<T>::value) {
      fill_variant(value, std::make_index_sequence<std::variant_size_v<T>>{});
    } else if constexpr (IsTime<T>) {
      value = T{Millis{static_cast<std::int64_t>(chance(3) ? 0 : random_())}};
    } else if constexpr (StoredAsText<T>::value) {
      value = StoredAsText<T>::all[below(StoredAsText<T>::all.size())];
    } else if constexpr (std::is_enum_v<T>) {
      std::uint64_t number = 0;
      do
        number = below(64);
      while (!StoredAsNumber<T>::exists(number));
      value = static_cast<T>(number);
    } else if constexpr (std::is_same_v<T, bool>) {
      value = chance(2);
    } else if constexpr (std::is_integral_v<T>) {
      value = chance(4) ? T{} : static_cast<T>(random_());
    } else {
      fields(*this, value);
    }
  }
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  bool chance(std::uint64_t one_in) { return below(one_in) == 0; }
  /// Any bytes, short or empty.
  std::string text() {
    std::string text;
    for (auto count = below(9); count > 0; --count)
      text += chance(3) ? static_cast<char>(below(3) == 0 ? 0 : random_())
                        : static_cast<char>('a' + below(26));
    return text;
  }

private:
  template <class K>
  K key() {
    K key{};
    fill(key);
    return key;
  }
  template <class V, std::size_t... I>
  void fill_variant(V& value, std::index_sequence<I...>) {
    auto chosen = below(sizeof...(I));
    ((I == chosen ? fill(value.template emplace<I>()) : void()), ...);
  }
  std::mt19937_64 random_;
};

} // namespace strait::catalog::wire
