#pragma once

#include "catalog/model/object.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace strait::actors {

/// Whether every proxy of a gateway serves something as it is bound now.
enum class Serving : std::uint8_t {
  unknown, ///< Nobody has been heard since the gateway's actor started: nothing is said.
  serving,
  pending, ///< Some proxy has not acknowledged it yet.
  no_proxies,
};

/// A route (no listener), or one listener of a Gateway or a ListenerSet.
struct ServedKey {
  model::ObjectKey object;
  std::string listener;
  friend auto operator<=>(const ServedKey&, const ServedKey&) = default;
  friend bool operator==(const ServedKey&, const ServedKey&) = default;
};

/// What every proxy of one gateway has acknowledged: a pure machine.
///
/// The rule. What changed with an epoch is pending until each proxy acknowledged that epoch or a
/// later one; then it is serving until it changes again, or until nobody has been there for a while
/// (nobody()). A proxy counts from its first acknowledgement on: before it, it serves nothing and
/// is given no traffic, so one that comes with a rollout takes nothing back. One that leaves counts
/// no more.
///
/// A change or an acknowledgement costs what it changes the word on, and a logarithm; the first
/// acknowledgement after nobody was there, and nobody(), change the word on everything.
class ServingLedger {
public:
  /// Proxies that may count at once; those beyond are passed over.
  static constexpr std::size_t proxies_max = 10'000;
  /// The epoch of what no configuration holds yet.
  static constexpr std::uint64_t not_yet = UINT64_MAX;

  /// The key stands in the configurations from the epoch on as it is bound now.
  void changed(const ServedKey& key, std::uint64_t epoch);
  /// Nothing is said of it any more.
  void removed(const ServedKey& key);

  /// A proxy's acknowledgement; an epoch of 0 is none. The number is the proxy's, of this process.
  void served(std::uint64_t proxy, std::uint64_t epoch);
  void left(std::uint64_t proxy);
  /// For long enough no proxy has been there; without effect if one is.
  void nobody();
  bool empty() const { return proxies_.empty(); }

  /// Keys whose word is another than at the last take(); unknown: it was removed.
  std::vector<std::pair<ServedKey, Serving>> take();

  struct Counters {
    std::size_t keys_looked_at = 0;
  };
  const Counters& counters() const { return counters_; }

private:
  enum class Proxies : std::uint8_t { unheard, none, some };
  struct Entry {
    std::uint64_t epoch = 0;
    Serving told = Serving::unknown;
    bool waits = true;
    bool gone = false; // Until that is told.
  };
  std::uint64_t acknowledged() const { return served_.empty() ? 0 : *served_.begin(); }
  Serving word_on(const Entry& entry) const;
  void everything();
  void advance();

  Proxies state_ = Proxies::unheard;
  std::map<ServedKey, Entry> entries_;
  std::set<std::pair<std::uint64_t, ServedKey>> waiting_; // By epoch: what is not acknowledged.
  std::map<std::uint64_t, std::uint64_t> proxies_;        // What each serves.
  std::multiset<std::uint64_t> served_;                   // The same, sorted.
  std::set<ServedKey> touched_;                           // Since the last take().
  Counters counters_;
};

} // namespace strait::actors
