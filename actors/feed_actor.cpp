#include "actors/feed_actor.hpp"

#include "base/overload.hpp"
#include "gateway/feed/saved_config.hpp"

#include <caf/event_based_actor.hpp>

namespace strait::actors {

namespace {

using gateway::feed::Feed;
using gateway::feed::Subscription;

constexpr std::chrono::milliseconds tick_every{250};

struct FeedSteps {
  FeedActor::stateful_pointer<FeedState> self;
  std::shared_ptr<gateway::feed::ProxyStream> stream;
  FeedActorOptions options;

  void carry_out(const Feed::Effects& effects) const {
    auto& state = self->state;
    if (auto& hello = state.feed->hello(); hello && !std::exchange(state.attached, true)) {
      state.gateway = {hello->gateway_namespace, hello->gateway_name};
      state.report.id = hello->proxy_id;
      options.log.info("proxy {} of Gateway {} is connected", hello->proxy_id,
                       to_string(state.gateway));
      self->send(options.root, attach_atom::value, state.gateway, ConfigSink{self});
    }
    for (auto& effect : effects)
      std::visit(overload{[&](const Feed::Send& it) {
                            if (auto* delta = std::get_if<gateway::Delta>(&it.frame))
                              state.report.sent = delta->epoch;
                            stream->send(it.frame);
                          },
                          [&](const Feed::Serving& it) {
                            state.report.served = it.epoch;
                            state.report.errors = it.errors;
                            self->send(options.root, served_atom::value, state.gateway,
                                       ConfigSink{self}, state.report);
                          },
                          [&](const Feed::Reported&) {},
                          [&](const Feed::HangUp& it) {
                            options.log.warn("proxy {} of Gateway {}: {}", state.report.id,
                                             to_string(state.gateway), it.why);
                            stream->close(it.why);
                          }},
                 effect);
  }
};

struct SubscriptionSteps {
  SubscriptionActor::stateful_pointer<SubscriptionState> self;
  SubscriptionActorOptions options;

  void carry_out(const Subscription::Effects& effects) const {
    for (auto& effect : effects)
      std::visit([&](auto& it) { carry_out(it); }, effect);
  }
  void carry_out(const Subscription::Dial& it) const {
    // The wire may still have a word to say when this actor is gone: it holds the address only.
    auto address = caf::actor_cast<caf::actor_addr>(self);
    auto tell = [address](auto&&... message) {
      if (auto strong = caf::actor_cast<caf::strong_actor_ptr>(address))
        caf::anon_send(caf::actor_cast<SubscriptionActor>(std::move(strong)),
                       std::forward<decltype(message)>(message)...);
    };
    auto attempt = ++self->state.attempt;
    gateway::feed::AgentStreamEvents events;
    events.connected = [=] { tell(connected_atom::value, attempt); };
    events.received = [=](gateway::feed::ConfigFrame frame) {
      tell(frame_atom::value, attempt, std::move(frame));
    };
    events.ended = [=](const std::string& why) { tell(lost_atom::value, attempt, why); };
    self->state.stream = options.dial(it.address, std::move(events));
  }
  void carry_out(const Subscription::Send& it) const {
    if (self->state.stream)
      self->state.stream->send(it.frame);
  }
  void carry_out(const Subscription::HangUp& it) const {
    it.trouble ? options.log.warn("{}", it.why) : options.log.info("{}", it.why);
    if (auto stream = std::exchange(self->state.stream, nullptr)) {
      ++self->state.attempt;
      stream->close();
    }
  }
  void carry_out(const Subscription::Apply& it) const {
    auto& state = self->state;
    auto delta = std::make_shared<const gateway::Delta>(it.delta);
    auto base = delta->from == 0 ? gateway::Config{} : state.subscription->config();
    auto config = std::make_shared<const gateway::Config>(gateway::apply(base, *delta));
    state.applying = delta->epoch;
    self->send(state.proxy, config_atom::value,
               Update{{options.subscription.gateway_namespace, options.subscription.gateway_name},
                      config,
                      delta});
  }
  void carry_out(const Subscription::Save& it) const {
    // On a thread that may wait for the disk: no change waits for it.
    auto address = caf::actor_cast<caf::actor_addr>(self);
    self->system().spawn<caf::detached>([address, path = options.saved, log = options.log,
                                         config = it.config] {
      if (auto saved = gateway::feed::save(path, config); !saved)
        log.error("the configuration is served but not kept: {}", saved.error().detail);
      if (auto strong = caf::actor_cast<caf::strong_actor_ptr>(address))
        caf::anon_send(caf::actor_cast<SubscriptionActor>(std::move(strong)), saved_atom::value);
    });
  }

  void start() const {
    std::optional<gateway::Config> saved;
    auto loaded = gateway::feed::load(options.saved);
    if (loaded) {
      options.log.info("serving the last configuration, epoch {}, until the agent is heard",
                       loaded->epoch);
      saved = std::move(*loaded);
    } else if (loaded.error().code != Errc::not_found) {
      options.log.error("{}", loaded.error().detail);
    }
    carry_out(self->state.subscription->start(now_instant(), std::move(saved)));
  }
};

} // namespace

FeedActor::behavior_type feed_actor(FeedActor::stateful_pointer<FeedState> self,
                                    std::shared_ptr<gateway::feed::ProxyStream> stream,
                                    FeedActorOptions options) {
  FeedSteps steps{self, std::move(stream), std::move(options)};
  self->delayed_send(self, tick_every, tick_atom::value);
  return {
      [steps](frame_atom, const gateway::feed::ProxyFrame& frame) {
        auto& state = steps.self->state;
        if (!state.feed) {
          // Which gateway it is for comes with the first word.
          gateway::feed::FeedOptions whose;
          if (auto* hello = std::get_if<gateway::feed::Hello>(&frame)) {
            whose.gateway_namespace = hello->gateway_namespace;
            whose.gateway_name = hello->gateway_name;
          }
          state.feed = std::make_unique<Feed>(whose, now_instant());
        }
        steps.carry_out(state.feed->received(now_instant(), frame));
      },
      [steps](lost_atom, const std::string& why) {
        auto& state = steps.self->state;
        steps.options.log.info("proxy {} of Gateway {} is gone: {}", state.report.id,
                               to_string(state.gateway), why);
        if (state.attached)
          steps.self->send(steps.options.root, detach_atom::value, state.gateway,
                           ConfigSink{steps.self});
        steps.self->quit();
      },
      [steps](config_atom, const Update& update) {
        auto& state = steps.self->state;
        if (update.config && state.feed)
          steps.carry_out(state.feed->offer(now_instant(), *update.config));
      },
      [steps](tick_atom) {
        steps.self->delayed_send(steps.self, tick_every, tick_atom::value);
        if (auto& feed = steps.self->state.feed) {
          feed->lead(steps.options.elsewhere());
          steps.carry_out(feed->tick(now_instant()));
        }
      },
  };
}

SubscriptionActor::behavior_type
subscription_actor(SubscriptionActor::stateful_pointer<SubscriptionState> self,
                   SubscriptionActorOptions options) {
  auto& state = self->state;
  state.subscription = std::make_unique<Subscription>(options.subscription);
  SubscriptionSteps steps{self, std::move(options)};
  return {
      [steps](attach_atom, const ProxyActor& proxy) {
        steps.self->state.proxy = proxy;
        steps.start();
        steps.self->send(steps.self, tick_atom::value);
      },
      [steps](connected_atom, std::uint64_t attempt) {
        if (attempt == steps.self->state.attempt)
          steps.carry_out(steps.self->state.subscription->connected(now_instant()));
      },
      [steps](frame_atom, std::uint64_t attempt, const gateway::feed::ConfigFrame& frame) {
        if (attempt == steps.self->state.attempt)
          steps.carry_out(steps.self->state.subscription->received(now_instant(), frame));
      },
      [steps](lost_atom, std::uint64_t attempt, const std::string& why) {
        auto& own = steps.self->state;
        if (attempt != own.attempt)
          return;
        own.stream.reset();
        steps.carry_out(own.subscription->lost(now_instant(), why));
      },
      [steps](served_atom, const ProxyReport& report) {
        auto& own = steps.self->state;
        if (own.applying == 0 || report.served != own.applying)
          return;
        own.applying = 0;
        std::vector<Error> errors;
        for (auto& text : report.errors)
          errors.push_back({Errc::invalid, text});
        steps.carry_out(own.subscription->applied(now_instant(), errors));
      },
      [steps](saved_atom) { steps.self->state.subscription->saved(); },
      [steps](tick_atom) {
        steps.self->delayed_send(steps.self, tick_every, tick_atom::value);
        steps.carry_out(steps.self->state.subscription->tick(now_instant()));
      },
  };
}

} // namespace strait::actors
