#pragma once

#include "base/overload.hpp"
#include "catalog/catalog.hpp"
#include "peering/authority.hpp"
#include "peering/link.hpp"

#include <catch2/catch.hpp>

#include <deque>
#include <memory>
#include <random>
#include <string>

/// For tests: two datacenters, each a real catalog and a link, over a channel that keeps order, may
/// be cut, and counts what crosses it. No thread, no clock: a seed decides who is next.
namespace strait::peering::test {

struct Side {
  std::string datacenter;
  std::string peering; ///< Our name for the other side.
  std::string store_id;
  catalog::Catalog catalog;
  std::unique_ptr<Link> link;
  std::deque<Link::Apply> applies;
  std::deque<std::string> inbox;
  Link::StreamId stream = 0;
  std::uint64_t bytes_in = 0, messages_in = 0, responses_in = 0;
  std::vector<std::string> received_ids; ///< ResourceID of each response.

  const catalog::View& view() const { return *catalog.view(); }
  const model::Peering& record() const {
    return view().record<model::Peering>({"", peering})->value;
  }
};

class World {
public:
  explicit World(std::uint64_t seed = 1, bool resume = true) : prng_{seed}, resume_{resume} {
    setup(dialer, "dc1", "to-dc2", "11111111-2222-3333-4444-555555555555.consul");
    setup(acceptor, "dc2", "to-dc1", "22222222-2222-3333-4444-555555555555.consul");
    model::Peering out{.name = dialer.peering,
                       .id = "id-dialer",
                       .state = model::PeeringState::establishing,
                       .peer_id = "id-acceptor",
                       .peer_server_addresses = {"a:1", "b:1"},
                       .remote_datacenter = "dc2"};
    write(dialer, catalog::WritePeering{.peering = out});
    write(acceptor, catalog::WritePeering{.peering = {.name = acceptor.peering,
                                                      .id = "id-acceptor",
                                                      .state = model::PeeringState::pending,
                                                      .remote_datacenter = "dc1"}});
    start(dialer);
    start(acceptor);
  }

  Side dialer, acceptor;
  Moment now{Instant{Millis{1'000'000}}, from_rfc3339("2026-11-23T12:00:00Z")};
  bool reachable = true; ///< Whether a dial succeeds.

  Side& other(Side& side) { return &side == &dialer ? acceptor : dialer; }

  /// A new link on the catalog as it is: the agent of that side was restarted.
  void start(Side& side) {
    LinkOptions options{.peering = side.record(),
                        .stream_secret = "secret",
                        .store_id = side.store_id,
                        .exports = {.datacenter = side.datacenter},
                        .resume = resume_};
    options.backoff.seed = prng_();
    side.applies.clear(); // Not committed: lost with the process.
    side.link = std::make_unique<Link>(std::move(options));
    run(side, side.link->exports_changed(now, side.catalog.view()));
  }

  void write(Side& side, const catalog::Command& command) {
    auto outcome = side.catalog.apply(command, now.wall);
    INFO((outcome ? std::string{} : outcome.error().detail));
    REQUIRE(outcome);
    if (side.link && !outcome->nothing())
      run(side, side.link->exports_changed(now, side.catalog.view()));
  }

  void cut(const std::string& why = "connection reset") {
    for (auto* side : {&dialer, &acceptor}) {
      side->inbox.clear();
      if (auto stream = std::exchange(side->stream, 0))
        run(*side, side->link->lost(now, stream, Code::unavailable, why));
    }
  }

  void advance(Millis by) {
    now.instant += by;
    now.wall += by;
    for (auto* side : {&dialer, &acceptor})
      run(*side, side->link->tick(now));
  }

  /// One of the things that can happen now. False: nothing but time can pass.
  bool step() {
    std::vector<int> possible;
    for (int i = 0; i < 2; ++i) {
      auto& side = i == 0 ? dialer : acceptor;
      if (!side.inbox.empty() && side.link->wants_read())
        possible.push_back(i);
      if (!side.applies.empty())
        possible.push_back(2 + i);
    }
    if (possible.empty())
      return false;
    auto which = possible[prng_() % possible.size()];
    auto& side = which % 2 == 0 ? dialer : acceptor;
    which < 2 ? deliver(side) : commit(side);
    return true;
  }

  /// Until nothing happens for the given time.
  void settle(Millis quiet = Millis{3000}) {
    for (Millis waited{}; waited < quiet; waited += Millis{50}) {
      for (int i = 0; step(); ++i)
        REQUIRE(i < 100'000);
      advance(Millis{50});
    }
  }

  std::mt19937_64& prng() { return prng_; }

private:
  void setup(Side& side, const std::string& dc, const std::string& peering, const std::string& td) {
    side.datacenter = dc;
    side.peering = peering;
    side.store_id = "store-" + dc;
    write(side, catalog::WriteAuthority{make_authority(td, now.wall).value()});
  }

  void deliver(Side& side) {
    auto bytes = std::move(side.inbox.front());
    side.inbox.pop_front();
    side.bytes_in += bytes.size();
    ++side.messages_in;
    auto message = decode(bytes);
    REQUIRE(message);
    if (auto* response = std::get_if<Response>(&*message)) {
      ++side.responses_in;
      side.received_ids.push_back(response->id);
    }
    if (std::holds_alternative<Open>(*message)) // Admission is the frontend's.
      return run(side, side.link->accepted(now, side.stream));
    run(side, side.link->received(now, side.stream, std::move(*message)));
  }

  void commit(Side& side) {
    auto apply = std::move(side.applies.front());
    side.applies.pop_front();
    auto outcome = side.catalog.apply(apply.command, now.wall);
    Status status;
    if (!outcome)
      status = fail(outcome.error());
    if (apply.ticket)
      run(side, side.link->committed(now, apply.ticket, status));
    if (outcome && !outcome->nothing())
      run(side, side.link->exports_changed(now, side.catalog.view()));
  }

  void run(Side& side, Link::Effects effects) {
    for (auto& effect : effects)
      std::visit(overload{[&](Link::Dial& dial) { connect(side, dial); },
                          [&](Link::Send& send) {
                            if (send.stream == side.stream)
                              other(side).inbox.push_back(encode(send.message));
                          },
                          [&](Link::Apply& apply) { side.applies.push_back(std::move(apply)); },
                          [&](Link::HangUp& hang_up) { close(side, hang_up); },
                          [&](Link::Drain&) { /* The other side hangs up when it has read it. */ }},
                 effect);
  }

  void connect(Side& side, const Link::Dial& dial) {
    if (!reachable)
      return run(side, side.link->lost(now, dial.stream, Code::unavailable, "connection refused"));
    side.stream = dial.stream;
    auto& peer = other(side);
    peer.stream = ++accepted_;
    peer.inbox.clear();
    side.inbox.clear();
    run(side, side.link->connected(now, dial.stream));
  }

  void close(Side& side, const Link::HangUp& hang_up) {
    if (hang_up.stream != side.stream || !side.stream)
      return;
    side.stream = 0;
    side.inbox.clear();
    auto& peer = other(side);
    if (auto stream = std::exchange(peer.stream, 0)) {
      peer.inbox.clear();
      run(peer, peer.link->lost(now, stream, hang_up.code, hang_up.why));
    }
  }

  std::mt19937_64 prng_;
  bool resume_;
  Link::StreamId accepted_ = 1000;
};

inline catalog::Register instance(const std::string& node, const std::string& service,
                                  std::uint16_t port,
                                  model::Health health = model::Health::passing) {
  catalog::Register r;
  r.node = {.name = node, .address = "10.0.0.1"};
  r.instance = model::ServiceInstance{
      .node = node, .id = service + "-" + node, .service = service, .port = port};
  r.checks = {model::HealthCheck{.node = node,
                                 .id = "check-" + service + "-" + node,
                                 .name = "alive",
                                 .status = health,
                                 .service_id = service + "-" + node}};
  return r;
}

inline catalog::Put exports(const std::string& peering, const std::vector<std::string>& services) {
  model::ExportedServices entry;
  for (const auto& service : services)
    entry.services.push_back({service, {peering}});
  return {entry, {}};
}

/// What `to` holds of `from`, and what `from` exports to it, as text that can be compared.
inline std::vector<std::string> held(const Side& to) {
  std::vector<std::string> out;
  for (const auto& item : to.view().services)
    if (item.first.peer == to.peering)
      for (const auto& health : catalog::instances_of(to.view(), item.first))
        out.push_back(fmt::format("{} {} {} {} {}", item.first.service, health.node->value.name,
                                  health.instance->value.id, health.instance->value.port,
                                  model::to_string(health.overall)));
  std::sort(out.begin(), out.end());
  return out;
}
inline std::vector<std::string> exported(const Side& from) {
  std::vector<std::string> out;
  ExportOptions options{.datacenter = from.datacenter};
  auto services = exported_services(from.view(), from.peering);
  for (const auto& item : exports_of(from.view(), services, options))
    if (item.resource == Resource::exported_service)
      for (const auto& one : export_service(from.view(), from.peering, item.id, options).instances)
        out.push_back(fmt::format(
            "{} {} {} {} {}", item.id, one.node.name, one.instance.id, one.instance.port,
            model::to_string(one.checks.empty() ? model::Health::passing : one.checks[0].status)));
  std::sort(out.begin(), out.end());
  return out;
}

} // namespace strait::peering::test
