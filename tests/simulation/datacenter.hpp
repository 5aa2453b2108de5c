#pragma once

#include "actors/actor_fixture.test.hpp"
#include "actors/gateway_actor.hpp"
#include "actors/root_actor.hpp"
#include "actors/status_actor.hpp"

namespace strait::simulation {

using namespace strait::actors;

/// A data plane that only remembers what it was given last, and serves it at once.
struct Recorder {
  std::map<model::Name, gateway::SnapshotPtr> snapshots;
  std::map<model::Name, gateway::SnapshotBuilder::Counters> counters;
  bool silent = false; ///< Acknowledges nothing.
  std::size_t bytes_allocated(const model::Name& gateway) {
    return counters[gateway].bytes_allocated;
  }

  MakeDataplane make() {
    class Recording : public Dataplane {
    public:
      Recording(Recorder& recorder, model::Name gateway, std::function<void(std::uint64_t)> served)
          : recorder_{recorder}, gateway_{std::move(gateway)}, served_{std::move(served)} {}
      ~Recording() override { recorder_.snapshots.erase(gateway_); }
      void publish(gateway::SnapshotPtr snapshot) override {
        auto epoch = snapshot->config.epoch;
        recorder_.snapshots[gateway_] = std::move(snapshot);
        if (!recorder_.silent)
          served_(epoch);
      }
      void count(const gateway::SnapshotBuilder::Counters& counted) override {
        recorder_.counters[gateway_] = counted;
      }
      std::vector<std::string> errors() const override { return {}; }

    private:
      Recorder& recorder_;
      model::Name gateway_;
      std::function<void(std::uint64_t)> served_;
    };
    return [this](const model::Name& gateway, auto served) -> Result<std::unique_ptr<Dataplane>> {
      return std::make_unique<Recording>(*this, gateway, std::move(served));
    };
  }
};

/// The whole control plane of one datacenter, without threads, over a store in memory.
struct Datacenter {
  Recorder recorder;
  test::ActorFixture fixture;
  std::shared_ptr<ViewBox> view = std::make_shared<ViewBox>();
  StorageActor storage;
  CatalogActor catalog;
  StatusActor status;
  RootActor root;

  Datacenter(std::uint64_t seed, Rules rules, gateway::resolve::Settings settings = {},
             OpenStore open = in_memory)
      : fixture{seed} {
    auto& system = fixture.system;
    storage = system.spawn(storage_actor, std::move(open));
    CatalogActorOptions catalog_options;
    catalog_options.view = view;
    catalog_options.clock = [] { return WallTime{}; };
    catalog = system.spawn(catalog_actor, storage, catalog_options);
    status = system.spawn(status_actor, catalog, Log{});
    RootOptions options;
    options.rules = std::move(rules);
    options.settings = std::move(settings);
    options.dataplane = recorder.make();
    options.clock = [] { return Instant{}; };
    root = system.spawn(root_actor, catalog, status, options);
  }
  ~Datacenter() {
    for (auto actor : {caf::actor_cast<caf::actor>(root), caf::actor_cast<caf::actor>(status),
                       caf::actor_cast<caf::actor>(catalog), caf::actor_cast<caf::actor>(storage)})
      caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
    fixture.settle();
  }

  static Result<std::unique_ptr<storage::Store>> in_memory() {
    return Result<std::unique_ptr<storage::Store>>{storage::make_memory_store()};
  }

  void write(catalog::Command command) {
    caf::anon_send(catalog, apply_atom::value, std::move(command));
  }
  /// Lets everything finish, the waits for a first configuration too, and statuses that are held
  /// back.
  void quiet() {
    fixture.settle();
    fixture.advance(first_config_wait_max + std::chrono::seconds{1});
    for (int writes = 0; writes < 3; ++writes)
      fixture.advance(StatusLedger::serving_wait_max);
  }
};

} // namespace strait::simulation
