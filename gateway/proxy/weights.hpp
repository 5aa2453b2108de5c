#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace strait::gateway::proxy {

/// Whose turn it is: smooth weighted round robin. Over any run of picks as long as the sum of the
/// weights (divided by what they have in common) each index is picked exactly its weight's times,
/// spread evenly. A pure machine; one thread.
class SmoothWeights {
public:
  static constexpr std::size_t none = static_cast<std::size_t>(-1);

  /// Forgets the turns so far.
  void reset(std::size_t count) { current_.assign(count, 0); }
  std::size_t size() const { return current_.size(); }

  /// The next index, `weight(i)` being its weight now (0: never); none if all are 0. A weight may
  /// be 0 for a while (an ejected endpoint): what it missed is not made up for.
  template <class Weight>
  std::size_t pick(Weight weight) {
    std::int64_t total = 0;
    std::size_t best = none;
    for (std::size_t i = 0; i < current_.size(); ++i) {
      const auto w = static_cast<std::int64_t>(weight(i));
      if (w == 0) {
        current_[i] = 0;
        continue;
      }
      current_[i] += w;
      total += w;
      if (best == none || current_[i] > current_[best])
        best = i;
    }
    if (best != none)
      current_[best] -= total;
    return best;
  }

private:
  std::vector<std::int64_t> current_;
};

} // namespace strait::gateway::proxy
