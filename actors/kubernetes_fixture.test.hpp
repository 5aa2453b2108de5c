#pragma once

#include "actors/actor_fixture.test.hpp"
#include "kubernetes/client.hpp"
#include "kubernetes/fake_api_server.test.hpp"
#include "storage/store.hpp"

namespace strait::test {

/// Actors without threads, an API server on a real socket and a client of it, all on this thread;
/// time passes only when a test says so.
struct KubernetesFixture {
  KubernetesFixture() : client{*kubernetes::Client::create(*loop, {.server = server.url})} {
    run.settle();
  }
  ~KubernetesFixture() {
    end(catalog);
    end(storage);
    client->close();
  }
  template <class Actor>
  void end(Actor& actor) {
    caf::anon_send_exit(caf::actor_cast<caf::actor>(actor), caf::exit_reason::user_shutdown);
    actor = Actor{};
    run.settle();
  }

  /// Serves sockets and runs actors until it is done; false if it never is.
  template <class Done>
  bool until(Done done) {
    for (int turns = 0; turns < turns_max; ++turns) {
      run.settle();
      if (done())
        return true;
      loop->run_once(turn);
    }
    return false;
  }
  /// Until whatever was asked by now is answered and what follows from it is asked too: the server
  /// answers in order, so its answer to us is the last.
  void quiet() {
    for (int round = 0; round < quiet_rounds; ++round) {
      bool heard = false;
      client->request({.path = "/quiet"}, [&](auto&&) { heard = true; });
      REQUIRE(until([&] { return heard; }));
    }
  }
  void apply(catalog::Command command) {
    auto applied = run.ask<actors::Applied>(catalog, actors::apply_atom::value, std::move(command));
    INFO((applied.revision ? "" : applied.revision.error().detail));
    CHECK(applied.revision);
  }
  template <class T>
  void put(T object) {
    apply(catalog::Put{std::move(object), {}});
  }
  template <class T>
  void forget(const model::Name& name) {
    apply(catalog::Remove{{T::kind, name}, {}});
  }
  catalog::ViewPtr view() { return run.ask<catalog::ViewPtr>(catalog, actors::view_atom::value); }

  static constexpr int turns_max = 2'000, quiet_rounds = 6;
  static constexpr Millis turn{10};
  ActorFixture run;
  std::unique_ptr<net::EventLoop> loop = *net::EventLoop::create();
  kubernetes::FakeApiServer server{*loop};
  std::shared_ptr<kubernetes::Client> client;
  Instant now{};
  actors::StorageActor storage = run.system.spawn(actors::storage_actor, actors::OpenStore{[] {
                                                    return Result<std::unique_ptr<storage::Store>>{
                                                        storage::make_memory_store()};
                                                  }});
  actors::CatalogActor catalog =
      run.system.spawn(actors::catalog_actor, storage, actors::CatalogActorOptions{});
};

} // namespace strait::test
