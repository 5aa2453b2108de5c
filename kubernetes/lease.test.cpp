#include "kubernetes/lease.hpp"

#include <catch2/catch.hpp>

#include <random>

using namespace strait;
using namespace strait::kubernetes;
using namespace std::chrono_literals;

namespace {

template <class T>
const T* get(const Lease::Effects& effects) {
  for (auto& effect : effects)
    if (auto* it = std::get_if<T>(&effect))
      return it;
  return nullptr;
}

LeaseRecord held_by(const std::string& holder, const std::string& version) {
  return {holder, 15, 4, "", "t" + version, version};
}

/// The server's one lease; writes are compare-and-set.
struct Server {
  std::optional<LeaseRecord> record;
  int version = 0;
  bool write(LeaseRecord wish, bool create) {
    if (create ? record.has_value() : !record || record->resource_version != wish.resource_version)
      return false;
    wish.resource_version = std::to_string(++version);
    record = wish;
    return true;
  }
};

const WallTime wall = from_rfc3339("2026-11-23T12:00:00Z") + 5ms;

} // namespace

TEST_CASE("a lease that nobody wrote is created, and then renewed") {
  Instant now{};
  Lease lease{{.identity = "a"}};
  CHECK(get<Lease::Get>(lease.start(now, wall)));
  auto effects = lease.got(now, wall, {});
  auto* create = get<Lease::Create>(effects);
  REQUIRE(create);
  CHECK(create->record.holder == "a");
  CHECK(create->record.renew_time == "2026-11-23T12:00:00.005000Z");
  CHECK(create->record.transitions == 0);
  CHECK(!lease.leading());
  CHECK(get<Lease::Elected>(lease.wrote(now, held_by("a", "1"))));
  CHECK(lease.leading());
  CHECK(get<Lease::Get>(lease.due(now + 2s, wall)));
  auto renewal = lease.got(now + 2s, wall, held_by("a", "1"));
  REQUIRE(get<Lease::Update>(renewal));
  CHECK(get<Lease::Update>(renewal)->record.transitions == 4);
  CHECK(!get<Lease::Elected>(lease.wrote(now + 2s, held_by("a", "2"))));
}

TEST_CASE("another's lease is left alone while it changes, and taken once it has stood still") {
  Instant now{};
  Lease lease{{.identity = "a"}};
  lease.start(now, wall);
  for (int version = 1; version < 20; ++version, now += 2s)
    CHECK(!get<Lease::Update>(lease.got(now, wall, held_by("b", std::to_string(version)))));
  now -= 2s;
  CHECK(!get<Lease::Update>(lease.got(now + 14'999ms, wall, held_by("b", "19"))));
  auto effects = lease.got(now + 15s, wall, held_by("b", "19"));
  REQUIRE(get<Lease::Update>(effects));
  CHECK(get<Lease::Update>(effects)->record.transitions == 5);
  CHECK(get<Lease::Update>(effects)->record.resource_version == "19");
}

TEST_CASE("a lease is said to last for as long as its holder means it to") {
  Lease lease{{.identity = "a"}};
  auto effects = lease.got({}, wall, {});
  REQUIRE(get<Lease::Create>(effects));
  CHECK(get<Lease::Create>(effects)->record.duration_seconds == 8);
}

TEST_CASE("a process takes the lease of an earlier one of its replica at once, of no other's") {
  Lease again{{.identity = "pod-1_two", .replica = "pod-1_"}};
  again.start({}, wall);
  auto effects = again.got({}, wall, held_by("pod-1_one", "7"));
  REQUIRE(get<Lease::Update>(effects));
  CHECK(get<Lease::Update>(effects)->record.holder == "pod-1_two");
  CHECK(get<Lease::Update>(effects)->record.transitions == 5);
  Lease other{{.identity = "pod-10_two", .replica = "pod-10_"}};
  other.start({}, wall);
  CHECK(!get<Lease::Update>(other.got({}, wall, held_by("pod-1_one", "7"))));
  Lease unnamed{{.identity = "pod-1_two"}};
  unnamed.start({}, wall);
  CHECK(!get<Lease::Update>(unnamed.got({}, wall, held_by("pod-1_one", "7"))));
}

TEST_CASE("a released lease is taken at once") {
  Lease lease{{.identity = "a"}};
  lease.start({}, wall);
  CHECK(get<Lease::Update>(lease.got({}, wall, held_by("", "7"))));
}

TEST_CASE("a leader that cannot renew stops being one before others may take the lease") {
  Instant now{};
  Lease lease{{.identity = "a"}};
  lease.start(now, wall);
  lease.got(now, wall, {});
  lease.wrote(now, held_by("a", "1"));
  CHECK(!get<Lease::Lost>(lease.failed(now + 5'999ms, "refused")));
  auto lost = lease.failed(now + 6s, "refused");
  REQUIRE(get<Lease::Lost>(lost));
  CHECK_THAT(get<Lease::Lost>(lost)->why, Catch::Contains("refused"));
  CHECK(!lease.leading());
  CHECK(get<Lease::Wait>(lost));
  // It still is in its name: renewed, it leads again.
  lease.due(now + 12s, wall);
  CHECK(get<Lease::Update>(lease.got(now + 12s, wall, held_by("a", "1"))));
  CHECK(get<Lease::Elected>(lease.wrote(now + 12s, held_by("a", "2"))));
}

TEST_CASE("a leader whose lease another took says so at once") {
  Lease lease{{.identity = "a"}};
  lease.start({}, wall);
  lease.got({}, wall, {});
  lease.wrote({}, held_by("a", "1"));
  lease.due(Instant{} + 2s, wall);
  auto effects = lease.got(Instant{} + 2s, wall, held_by("b", "2"));
  CHECK(get<Lease::Lost>(effects));
  CHECK(!get<Lease::Update>(effects));
}

TEST_CASE("at its end a leader gives the lease away, others leave it as it is") {
  Lease leader{{.identity = "a"}}, other{{.identity = "b"}};
  leader.start({}, wall);
  leader.got({}, wall, {});
  leader.wrote({}, held_by("a", "1"));
  auto effects = leader.release(wall);
  REQUIRE(get<Lease::Update>(effects));
  CHECK(get<Lease::Update>(effects)->record.holder.empty());
  CHECK(get<Lease::Lost>(effects));
  CHECK(leader.due({}, wall).empty());
  other.start({}, wall);
  CHECK(other.release(wall).empty());
}

TEST_CASE("of several replicas never two lead, and one does again once the leader is gone") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    std::mt19937_64 random{seed};
    Server server;
    struct Replica {
      Lease lease;
      bool alive = true;
      Instant due_at{};
    };
    std::vector<Replica> replicas;
    for (auto name : {"a", "b", "c"})
      replicas.push_back({Lease{{.identity = name}}, true, {}});
    Instant now{};
    auto turn = [&](Replica& it, bool reachable) {
      it.due_at = now + 2s;
      if (it.lease.due(now, wall).empty())
        return;
      if (!reachable) {
        it.lease.failed(now, "refused");
        return;
      }
      auto effects = it.lease.got(now, wall, server.record);
      const LeaseRecord* wish = nullptr;
      bool create = false;
      if (auto* made = get<Lease::Create>(effects))
        wish = &made->record, create = true;
      else if (auto* changed = get<Lease::Update>(effects))
        wish = &changed->record;
      if (!wish)
        return;
      if (server.write(*wish, create))
        it.lease.wrote(now, *server.record);
      else
        it.lease.failed(now, "conflict");
    };
    for (int steps = 0; steps < 400; ++steps, now += 500ms) {
      for (auto& it : replicas)
        if (it.alive && it.due_at <= now)
          turn(it, random() % 4 != 0);
      int leading = 0;
      for (auto& it : replicas)
        leading += it.alive && it.lease.leading();
      INFO("seed " << seed << " step " << steps);
      REQUIRE(leading <= 1);
      if (steps == 200)
        for (auto& it : replicas)
          it.alive = !it.lease.leading();
    }
    int leading = 0;
    for (auto& it : replicas)
      leading += it.alive && it.lease.leading();
    INFO("seed " << seed);
    REQUIRE(leading == 1);
  }
}

TEST_CASE("a lease says where its holder feeds gateways, to all others") {
  Instant now{};
  Lease lease{{.identity = "a", .feed_address = "10.0.0.1:8504"}};
  lease.start(now, wall);
  auto created = lease.got(now, wall, {});
  REQUIRE(get<Lease::Create>(created));
  CHECK(get<Lease::Create>(created)->record.feed_address == "10.0.0.1:8504");
  lease.wrote(now, get<Lease::Create>(created)->record);
  CHECK(lease.feed_elsewhere().empty());
  auto other = held_by("b", "2");
  other.feed_address = "10.0.0.2:8504";
  lease.got(now, wall, other);
  CHECK(lease.feed_elsewhere() == "10.0.0.2:8504");
  other.holder.clear(); // Given away: nobody leads.
  other.resource_version = "3";
  auto taken = lease.got(now, wall, other);
  CHECK(lease.feed_elsewhere().empty());
  REQUIRE(get<Lease::Update>(taken));
  CHECK(get<Lease::Update>(taken)->record.feed_address == "10.0.0.1:8504");
  lease.wrote(now, get<Lease::Update>(taken)->record);
  auto released = lease.release(wall);
  REQUIRE(get<Lease::Update>(released));
  CHECK(get<Lease::Update>(released)->record.feed_address.empty());
}

TEST_CASE("a lease object is written and read") {
  LeaseRecord record{"a",
                     15,
                     2,
                     "2026-11-23T12:00:00.000000Z",
                     "2026-11-23T12:00:01.000000Z",
                     "9",
                     "10.0.0.1:8504"};
  auto text = write_json(encode_lease(record, "ns", "strait"), 0);
  CHECK_THAT(text, Catch::Contains(R"("kind":"Lease")"));
  CHECK(*parse_lease(text) == record);
  CHECK(!parse_lease("{}"));
}
