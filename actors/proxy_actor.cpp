#include "actors/proxy_actor.hpp"

namespace strait::actors {

namespace {

/// The delta as the workers count, listening where this process may.
gateway::Delta for_workers(gateway::Delta delta, std::uint64_t published,
                           const std::string& bind_address) {
  if (delta.from != 0)
    delta.from = published;
  delta.epoch = published + 1;
  for (auto& [name, listener] : delta.listeners)
    if (listener && listener->address.empty()) {
      auto bound = *listener;
      bound.address = bind_address;
      listener = std::make_shared<const gateway::Listener>(std::move(bound));
    }
  return delta;
}

} // namespace

ProxyActor::behavior_type proxy_actor(ProxyActor::stateful_pointer<ProxyState> self,
                                      model::Name gateway, std::string id, MakeDataplane make,
                                      ReportServed report, std::string bind_address, Log log) {
  auto& state = self->state;
  state.report.id = std::move(id);
  // The workers outlive no message: they only hold the address.
  auto address = caf::actor_cast<caf::actor_addr>(self);
  auto served = [address](std::uint64_t epoch) {
    if (auto strong = caf::actor_cast<caf::strong_actor_ptr>(address))
      caf::anon_send(caf::actor_cast<ProxyActor>(std::move(strong)), served_atom::value, epoch);
  };
  auto dataplane = make(gateway, served);
  if (dataplane) {
    state.dataplane = std::move(*dataplane);
  } else {
    log.error("{}", dataplane.error().detail);
    state.report.errors.push_back(dataplane.error().detail);
    report(state.report);
  }
  return {
      [=](config_atom, const Update& update) {
        auto& own = self->state;
        if (!own.dataplane)
          return;
        // Nothing to serve is an empty configuration: listeners close, connections end in peace.
        auto config = update.config ? *update.config : gateway::Config{};
        bool follows = update.config && update.delta && own.builder.current() &&
                       update.delta->from != 0 && update.delta->from == own.current;
        Result<gateway::SnapshotPtr> snapshot = fail(Errc::conflict, "no delta");
        if (follows)
          snapshot = own.builder.apply(for_workers(*update.delta, own.published, bind_address));
        if (!snapshot) {
          own.builder = {};
          snapshot =
              own.builder.apply(for_workers(gateway::whole(config), own.published, bind_address));
        }
        if (!snapshot) {
          log.error("a configuration that cannot be served: {}", snapshot.error().detail);
          return;
        }
        own.current = config.epoch;
        own.epochs[++own.published] = config.epoch;
        own.report.sent = config.epoch;
        own.report.errors.clear();
        for (auto& error : own.builder.errors())
          own.report.errors.push_back(error.detail);
        own.dataplane->count(own.builder.counters());
        own.dataplane->publish(*snapshot);
        report(own.report);
      },
      [=](served_atom, std::uint64_t published) {
        auto& own = self->state;
        auto after = own.epochs.upper_bound(published);
        if (after == own.epochs.begin())
          return;
        own.report.served = std::prev(after)->second;
        own.epochs.erase(own.epochs.begin(), after);
        for (auto& error : own.dataplane->errors())
          own.report.errors.push_back(error);
        report(own.report);
      },
  };
}

} // namespace strait::actors
