#pragma once

#include "actors/messages.hpp"
#include "base/log.hpp"
#include "gateway/feed/feed.hpp"
#include "gateway/feed/feed_wire.hpp"
#include "gateway/feed/subscription.hpp"

#include <filesystem>

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(strait::gateway::feed::ProxyFrame)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(strait::gateway::feed::ConfigFrame)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::shared_ptr<strait::gateway::feed::ProxyStream>)

namespace strait::actors {

using frame_atom = caf::atom_constant<caf::atom("frame")>;
using lost_atom = caf::atom_constant<caf::atom("lost")>;
using connected_atom = caf::atom_constant<caf::atom("connected")>;
using dial_atom = caf::atom_constant<caf::atom("dial")>;
using saved_atom = caf::atom_constant<caf::atom("saved")>;

/// One per connected proxy process, on the agent: from the stream's start to its end.
using FeedActor =
    caf::typed_actor<caf::reacts_to<frame_atom, gateway::feed::ProxyFrame>, // The wire.
                     caf::reacts_to<lost_atom, std::string>, // The wire: the stream ended; why.
                     caf::reacts_to<config_atom, Update>,    // The gateway actor.
                     caf::reacts_to<tick_atom>>;

struct FeedState {
  static inline const char* name = "feed";
  std::unique_ptr<gateway::feed::Feed> feed;
  model::Name gateway;
  bool attached = false;
  ProxyReport report;
};
struct FeedActorOptions {
  RootActor root;
  /// "host:port" where proxies are to be fed instead; empty: here. Asked a few times a second, on
  /// the actor's thread.
  std::function<std::string()> elsewhere = [] { return std::string{}; };
  Log log{};
};
FeedActor::behavior_type feed_actor(FeedActor::stateful_pointer<FeedState> self,
                                    std::shared_ptr<gateway::feed::ProxyStream> stream,
                                    FeedActorOptions options);

/// How a proxy process reaches the agent at "host:port" (empty: its own); replaced in tests.
using DialAgent = std::function<std::shared_ptr<gateway::feed::AgentStream>(
    const std::string& address, gateway::feed::AgentStreamEvents)>;

struct SubscriptionActorOptions {
  gateway::feed::SubscriptionOptions subscription;
  DialAgent dial;
  std::filesystem::path saved; ///< Where the last configuration is kept.
  Log log;
};

/// One in a proxy process: gets the configuration, keeps it on disk, hands it to the proxy actor.
using SubscriptionActor = caf::typed_actor<
    caf::reacts_to<attach_atom, ProxyActor>,       // cmd: the proxy to feed. Once, first of all.
    caf::reacts_to<connected_atom, std::uint64_t>, // The wire, by number of the attempt.
    caf::reacts_to<frame_atom, std::uint64_t, gateway::feed::ConfigFrame>,
    caf::reacts_to<lost_atom, std::uint64_t, std::string>,
    caf::reacts_to<served_atom, ProxyReport>, // The proxy actor.
    caf::reacts_to<saved_atom>,               // A thread of its own: the last save has ended.
    caf::reacts_to<tick_atom>>;

struct SubscriptionState {
  static inline const char* name = "subscription";
  std::unique_ptr<gateway::feed::Subscription> subscription;
  std::shared_ptr<gateway::feed::AgentStream> stream;
  std::uint64_t attempt = 0; ///< Events of an earlier one are late, and mean nothing.
  ProxyActor proxy;
  std::uint64_t applying = 0; ///< The epoch that the workers are taking over.
};
SubscriptionActor::behavior_type
subscription_actor(SubscriptionActor::stateful_pointer<SubscriptionState> self,
                   SubscriptionActorOptions options);

} // namespace strait::actors
