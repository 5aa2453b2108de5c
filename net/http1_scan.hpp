#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#if defined(__SSE2__)
#include <bit>
#include <emmintrin.h>
#endif

namespace strait::net::http1 {

/// What a byte may be part of.
enum CharClass : std::uint8_t {
  char_token = 1,  ///< RFC 9110 §5.6.2
  char_value = 2,  ///< Field content: blank, tab, visible, obs-text.
  char_target = 4, ///< Visible ASCII but '#', which no request target holds (RFC 9112 §3.2).
  char_host = 8,   ///< A registered name (RFC 3986 §3.2.2), without the comma.
};

inline constexpr auto char_classes = [] {
  std::array<std::uint8_t, 256> classes{};
  for (unsigned c = 0; c < 256; ++c) {
    bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    auto among = [&](std::string_view set) {
      return c != 0 && set.find(static_cast<char>(c)) != std::string_view::npos;
    };
    auto& bits = classes[c];
    if (alnum || among("!#$%&'*+-.^_`|~"))
      bits |= char_token;
    if ((c >= 0x20 && c != 0x7f) || c == '\t')
      bits |= char_value;
    if (c > 0x20 && c < 0x7f && c != '#')
      bits |= char_target;
    if (alnum || among("-._~%!$&'()*+;="))
      bits |= char_host;
  }
  return classes;
}();

inline bool is(CharClass kind, char c) {
  return char_classes[static_cast<unsigned char>(c)] & kind;
}

inline std::size_t find_not(CharClass kind, std::string_view text, std::size_t from) {
  while (from < text.size() && is(kind, text[from]))
    ++from;
  return from;
}

/// The first byte from `from` on that cannot be part of a field value; text.size() if all can.
inline std::size_t find_value_end(std::string_view text, std::size_t from) {
#if defined(__SSE2__)
  // A byte is bad if it is below 0x20 and no tab, or is 0x7f. Unsigned "below" as max(x, 0x20) !=
  // x.
  const auto blank = _mm_set1_epi8(0x20), tab = _mm_set1_epi8('\t'), del = _mm_set1_epi8(0x7f);
  while (from + 16 <= text.size()) {
    auto block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + from));
    auto high = _mm_cmpeq_epi8(_mm_max_epu8(block, blank), block);
    auto good = _mm_andnot_si128(_mm_cmpeq_epi8(block, del),
                                 _mm_or_si128(high, _mm_cmpeq_epi8(block, tab)));
    auto bad = ~static_cast<unsigned>(_mm_movemask_epi8(good)) & 0xffffU;
    if (bad)
      return from + static_cast<std::size_t>(std::countr_zero(bad));
    from += 16;
  }
#endif
  return find_not(char_value, text, from);
}

} // namespace strait::net::http1
