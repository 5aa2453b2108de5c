#include "actors/proxy_actor.hpp"

namespace strait::actors {

ProxyActor::behavior_type proxy_actor(ProxyActor::stateful_pointer<ProxyState> self,
                                      model::Name gateway, std::string id, MakeDataplane make,
                                      ReportServed report, KeepConfig keep, Log log) {
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
        auto current = own.builder.current();
        Result<gateway::SnapshotPtr> snapshot = fail(Errc::conflict, "no delta");
        if (update.config && update.delta && current && update.delta->from == current->config.epoch)
          snapshot = own.builder.apply(*update.delta);
        if (!snapshot) {
          own.builder = {};
          snapshot = own.builder.apply(gateway::whole(config));
        }
        if (!snapshot) {
          log.error("a configuration that cannot be served: {}", snapshot.error().detail);
          return;
        }
        own.report.sent = config.epoch;
        own.report.errors.clear();
        for (auto& error : own.builder.errors())
          own.report.errors.push_back(error.detail);
        if (keep && update.config)
          keep(config);
        own.dataplane->publish(*snapshot);
        report(own.report);
      },
      [=](served_atom, std::uint64_t epoch) {
        auto& own = self->state;
        own.report.served = epoch;
        for (auto& error : own.dataplane->errors())
          own.report.errors.push_back(error);
        report(own.report);
      },
  };
}

} // namespace strait::actors
