#pragma once

#include "base/time.hpp"
#include "gateway/feed/frames.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace strait::gateway::feed {

struct FeedOptions {
  std::string gateway_namespace, gateway_name; ///< Whose config this feed has.
  Millis hello_within{5000};                   ///< Of the stream's start.
  Millis ack_within{30000};                    ///< Of a delta.
  Millis heartbeat{10000};
  Millis max_silence{35000}; ///< A proxy that says nothing for so long is gone.
  Millis leave_within{5000}; ///< Of an AgentRedirect.
  /// How long a proxy is fed here that is to be fed elsewhere: it has its config at once, and who
  /// else feeds it is known for certain by then. Longer if it comes from there in vain.
  Millis redirect_after{2000}, redirect_again{5000};
};

/// The agent's side of one connected proxy process: from the stream's start to its end. It does
/// nothing by itself: the caller brings configs, frames and the time, and carries out the effects
/// in their order. After HangUp nothing more comes. At most one delta is not acknowledged; of the
/// configs that come meanwhile only the latest is kept, so the memory is that of three configs that
/// share what is equal.
class Feed {
public:
  struct Send {
    ConfigFrame frame;
  };
  /// Every worker of the proxy serves the epoch; what it left out of it. Also told when a proxy
  /// comes back that has the latest already, and nothing is to be sent.
  struct Serving {
    std::uint64_t epoch = 0;
    std::vector<std::string> errors;
  };
  struct Reported {
    ProxyStatus status;
  };
  struct HangUp {
    std::string why;
  };
  using Effect = std::variant<Send, Serving, Reported, HangUp>;
  using Effects = std::vector<Effect>;

  Feed(FeedOptions options, Instant now)
      : options_{std::move(options)}, began_at_{now}, sent_at_{now}, heard_at_{now} {}

  /// The gateway's latest config, whose epoch is not 0; one of an epoch that is known already says
  /// nothing. Also before the hello.
  Effects offer(Instant now, Config config);
  Effects received(Instant now, ProxyFrame frame);
  /// Where the gateway's proxies are to be fed, "host:port"; empty: here. This one is sent there by
  /// a tick, if it understands AgentRedirect.
  void lead(std::string address) { elsewhere_ = std::move(address); }
  /// A few times a second is enough.
  Effects tick(Instant now);

  const std::optional<Hello>& hello() const { return hello_; }
  /// The proxy was sent elsewhere: it is fed no more, and its stream is about to end.
  bool redirected() const { return redirected_; }
  bool has_unacknowledged() const { return in_flight_.has_value(); }

private:
  Effects greeted(Instant now, Hello hello);
  Effects acknowledged(Instant now, Ack ack);
  Effect beat(Instant now);
  void find_out_what_it_has();
  bool is_to_leave(Instant now) const;
  Effects send_next(Instant now);
  Effects hang_up(std::string why);

  FeedOptions options_;
  Instant began_at_, sent_at_, heard_at_;
  std::string elsewhere_;
  std::optional<Hello> hello_;
  bool compared_ = false; // Whether the hello's digest was held against a config.
  bool ended_ = false;
  bool redirected_ = false;
  bool told_ = false; // Some Serving.
  bool whole_in_flight_ = false;
  std::optional<Config> has_;       // What the proxy is known to serve.
  std::optional<Config> in_flight_; // What the delta leads to that is not acknowledged.
  std::optional<Config> wanted_;
};

} // namespace strait::gateway::feed
