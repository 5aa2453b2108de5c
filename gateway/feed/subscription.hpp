#pragma once

#include "base/result.hpp"
#include "base/time.hpp"
#include "gateway/feed/frames.hpp"

#include <optional>
#include <random>
#include <string>
#include <variant>
#include <vector>

namespace strait::gateway::feed {

struct SubscriptionOptions {
  std::string gateway_namespace, gateway_name, proxy_id, version;
  Millis retry_min{100}; ///< Doubled with each failure, and shortened at random by up to a half.
  Millis retry_max{10000};
  Millis dial_within{5000};
  Millis redirect_within{2000}; ///< For the first word from where an AgentRedirect sent us.
  Millis status_every{10000};
  Millis max_silence{35000}; ///< An agent that says nothing for so long is gone.
  /// A save costs as much as there are routes, and makes a disk busy that others use too: changes
  /// in a row share one. The first config is saved at once, a later one when nothing changed …
  Millis save_calm{1000};
  Millis save_overdue{30'000}; ///< … for so long, or after so long though changes keep coming.
  std::uint64_t seed = 0;      ///< Of the randomness in the waiting; different for each proxy.
};

/// The proxy's side: one for the life of the process, over any number of streams. It does nothing
/// by itself: the caller brings frames and the time, and carries out the effects in their order.
/// Without an agent the proxy serves what it has.
///
/// An Apply is answered by applied() once every worker serves the epoch, or by refused(); until
/// then no further Apply comes. A Save is answered by saved(); until then no further Save comes,
/// and later configs wait, the last of them only. Memory: three configs that share what is equal.
class Subscription {
public:
  enum class Phase : std::uint8_t { down, dialing, live };

  struct Dial {
    std::string address; ///< "host:port"; empty: the agent's that the process was given.
  };
  struct Send {
    ProxyFrame frame;
  };
  struct HangUp { ///< lost() need not be called after it.
    std::string why;
    bool trouble = true; ///< Else nothing is wrong.
  };
  struct Apply { ///< To the SnapshotBuilder and the workers.
    Delta delta;
  };
  struct Save { ///< To disk: what to serve after a restart without an agent.
    Config config;
  };
  using Effect = std::variant<Dial, Send, HangUp, Apply, Save>;
  using Effects = std::vector<Effect>;

  explicit Subscription(SubscriptionOptions options)
      : options_{std::move(options)}, retry_{options_.retry_min}, random_{options_.seed} {}

  /// Once, first of all, with what load() found; its whole is applied before anything is dialled.
  Effects start(Instant now, std::optional<Config> saved);
  Effects tick(Instant now);
  Effects connected(Instant now);
  Effects received(Instant now, ConfigFrame frame);
  /// The stream ended, or dialling failed.
  Effects lost(Instant now, std::string why);
  /// Every worker serves the delta of the last Apply; what the builder left out of it.
  Effects applied(Instant now, const std::vector<Error>& errors);
  /// The builder did not take the delta of the last Apply.
  Effects refused(Instant now, const Error& error);
  /// The last Save is done, or failed.
  void saved() { saving_ = false; }
  /// Told to the agent with the next status; at most max_status_counters.
  void count(std::map<std::string, std::uint64_t> counters);

  Phase phase() const { return phase_; }
  /// What is served; epoch 0 if nothing.
  const Config& config() const { return config_; }
  /// Why the last stream ended, or the last dialling failed.
  const std::string& last_error() const { return last_error_; }

private:
  Effects tick_stream(Instant now);
  void save_if_due(Instant now, Effects& effects);
  Effects take(Delta delta);
  Effects follow(Instant now, const std::string& address);
  Effects hang_up(Instant now, std::string why);
  void fall(Instant now, std::string why);
  Send greeting() const;

  SubscriptionOptions options_;
  Phase phase_ = Phase::down;
  Millis retry_;
  Instant dial_at_{}, dialed_at_{}, heard_at_{}, status_at_{};
  std::minstd_rand random_;
  std::string address_;     // Of the stream, or of what is dialled next; empty: the own agent's.
  std::string unreachable_; // Where the last AgentRedirect led to nothing, or not for good.
  Config config_;
  std::optional<Config> pending_;        // What the last Apply leads to, until it is answered.
  bool pending_is_saved_ = false;        // It came from disk.
  std::optional<Instant> unsaved_since_; // What is served is not what was saved last.
  Instant changed_at_{};
  bool saving_ = false, saved_once_ = false;
  bool heard_ = false;     // Something over this stream.
  bool hello_due_ = false; // Connected while something was pending: what we have is not known.
  bool ack_due_ = false;   // Whether the pending delta came over this very stream.
  std::map<std::string, std::uint64_t> counters_;
  std::string last_error_;
};

} // namespace strait::gateway::feed
