#pragma once

#include "base/result.hpp"
#include "base/time.hpp"
#include "catalog/view.hpp"

#include <map>
#include <random>
#include <set>
#include <string>
#include <variant>
#include <vector>

namespace strait::catalog {

/// Named maxima and defaults of fetching key sets; Consul's values where it has one.
struct KeySetLimits {
  std::size_t fetches_running_max = 8; ///< More that are due wait for a free place.
  Millis refetch_default{300'000}, refetch_min{1'000}, refetch_max{86'400'000};
  Millis timeout_default{10'000}, timeout_max{60'000}; ///< Of one fetch.
  Millis connect_timeout_default{5'000};
  Millis backoff_base_default{1'000}, backoff_base_min{100};
  Millis backoff_max_default{10'000};
  std::uint32_t retries_max = 100;
  std::size_t problem_bytes_max = 512;
};

/// Says when to fetch the key set of which JWTProvider, and what to keep of what came: after
/// `refetch` the next one, after a failure again with growing, jittered waits. The last good set
/// stays. It does nothing by itself: the caller brings the time, the providers and what was found,
/// and carries out the effects. Owned by one thread.
class KeySetFetches {
public:
  /// To be answered by found(), once.
  struct Fetch {
    model::Name provider;
    std::uint64_t number = 0; ///< To be given back with the result.
    std::string uri;          ///< "http://…" or "https://…"
    std::string ca_pem;       ///< Empty: this machine's roots.
    Millis timeout{}, connect_timeout{};
  };
  /// A WriteKeySet command to send; only when it differs from what is kept.
  struct Write {
    model::KeySet set;
  };
  using Effect = std::variant<Fetch, Write>;
  using Effects = std::vector<Effect>;

  explicit KeySetFetches(std::uint64_t seed, KeySetLimits limits = {})
      : limits_{limits}, random_{seed} {}

  /// The providers as they are now. One that is new or is fetched otherwise than before is due at
  /// once; what it had kept is read from the view. Cost: the number of providers.
  Effects look(Instant now, const View& view);
  /// What is due. Call at next_due() or later.
  Effects tick(Instant now);
  /// When tick() will have something to do; Instant::max(): never, before something is found.
  Instant next_due() const;
  /// A key set that was checked to be one, or why there is none. What is found for a provider that
  /// is gone or has changed is dropped.
  Effects found(Instant now, WallTime wall, const model::Name& provider, std::uint64_t number,
                const Result<std::string>& jwks);

  std::size_t size() const { return providers_.size(); }
  std::size_t fetches_running() const { return running_; }

private:
  struct Provider {
    std::string uid, uri;
    std::optional<Millis> refetch;
    model::JwtProvider::Fetch policy;
    model::KeySet kept;
    Instant due = Instant::max();
    std::uint64_t number = 0; ///< Of the fetch under way; 0: none.
    std::uint32_t failures = 0;
    bool seen = false; ///< By the look() at hand.
  };
  void plan(const model::Name& name, Provider& provider, Instant due);
  void start_due(Instant now, Effects& effects);
  Millis refetch_of(const Provider& provider) const;
  Millis wait_after_failure(const Provider& provider);
  bool worth_telling(const Provider& provider) const;

  KeySetLimits limits_;
  std::mt19937_64 random_;
  std::map<model::Name, Provider> providers_;
  std::set<std::pair<Instant, model::Name>> due_;
  std::size_t running_ = 0;
  std::uint64_t last_number_ = 0;
};

} // namespace strait::catalog
