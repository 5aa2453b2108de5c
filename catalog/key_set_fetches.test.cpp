#include "catalog/key_set_fetches.hpp"

#include "catalog/catalog.hpp"

#include <catch2/catch.hpp>

using namespace strait;
using namespace strait::catalog;
using namespace std::chrono_literals;

namespace {

constexpr WallTime noon{Millis{1'700'000'000'000}};

/// The machine beside a catalog that takes what it writes.
struct Fixture {
  Catalog catalog;
  KeySetFetches fetches{7};
  Instant now{1h};
  std::vector<KeySetFetches::Fetch> asked;
  std::vector<model::KeySet> written;

  void provide(const std::string& name, std::string uri = "https://issuer.test/keys",
               std::optional<Millis> refetch = {}, model::JwtProvider::Fetch policy = {}) {
    model::JwtProvider provider;
    provider.meta.name = {"default", name};
    provider.remote_uri = std::move(uri);
    provider.refetch = refetch;
    provider.fetch = std::move(policy);
    REQUIRE(catalog.apply(Put{provider}, noon));
    look();
  }
  void look() { carry_out(fetches.look(now, *catalog.view())); }
  void carry_out(const KeySetFetches::Effects& effects) {
    for (auto& effect : effects)
      if (auto* fetch = std::get_if<KeySetFetches::Fetch>(&effect)) {
        asked.push_back(*fetch);
      } else {
        written.push_back(std::get<KeySetFetches::Write>(effect).set);
        REQUIRE(catalog.apply(WriteKeySet{written.back()}, noon));
      }
  }
  void answer(Result<std::string> jwks, WallTime wall = noon) {
    REQUIRE_FALSE(asked.empty());
    auto fetch = asked.front();
    asked.erase(asked.begin());
    carry_out(fetches.found(now, wall, fetch.provider, fetch.number, jwks));
  }
  void failed(const std::string& why) { answer(fail(Errc::unavailable, "{}", why)); }
  /// Lets time pass until something is due; says how long that was.
  Millis wait() {
    auto due = fetches.next_due();
    REQUIRE(due != Instant::max());
    auto passed = due - now;
    carry_out(fetches.tick(due - 1ms));
    CHECK(asked.empty());
    now = due;
    carry_out(fetches.tick(now));
    return passed;
  }
  const model::KeySet* kept(const std::string& name) {
    return catalog.view()->find<model::KeySet>({"default", name});
  }
};

} // namespace

TEST_CASE_METHOD(Fixture, "a key set is fetched at once, kept, and fetched again when it is due") {
  provide("issuer");
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].uri == "https://issuer.test/keys");
  CHECK(asked[0].timeout == 10s);
  answer("one");
  REQUIRE(kept("issuer"));
  CHECK(*kept("issuer") == model::KeySet{.provider = {"default", "issuer"},
                                         .uri = "https://issuer.test/keys",
                                         .jwks = "one",
                                         .fetched = noon,
                                         .problem = ""});
  CHECK(wait() == 5min);
  answer("one", noon + 5min);
  CHECK(written.size() == 1); // An equal one is not written again.
  wait();
  answer("two", noon + 10min);
  CHECK(kept("issuer")->jwks == "two");
  CHECK(kept("issuer")->fetched == noon + 10min);
}

TEST_CASE_METHOD(Fixture, "how long a key set holds is bounded on both sides") {
  provide("often", "http://a.test", 1ms);
  answer("keys");
  CHECK(wait() == KeySetLimits{}.refetch_min);
  answer("keys");
  provide("often", "http://a.test", 10'000h);
  answer("keys");
  CHECK(wait() == KeySetLimits{}.refetch_max);
  answer("keys");
  provide("often", "http://a.test", 0ms);
  answer("keys");
  CHECK(wait() == KeySetLimits{}.refetch_default);
}

TEST_CASE_METHOD(Fixture,
                 "a failure leaves the last good set and tells why, until a fetch succeeds") {
  provide("issuer");
  answer("good");
  wait();
  failed("refused");
  CHECK(kept("issuer")->jwks == "good");
  CHECK(kept("issuer")->problem == "refused");
  wait();
  failed("refused");
  CHECK(written.size() == 2); // The same problem is told once.
  wait();
  answer("good", noon + 1h);
  CHECK(kept("issuer")->problem.empty());
  CHECK(kept("issuer")->fetched == noon);
}

TEST_CASE_METHOD(Fixture, "without any set the first failure is told, a long one cut short") {
  provide("issuer", "http://a.test", {}, {.retries = 3});
  failed(std::string(100'000, 'x'));
  CHECK(kept("issuer")->jwks.empty());
  CHECK(kept("issuer")->problem.size() == KeySetLimits{}.problem_bytes_max);
}

TEST_CASE_METHOD(
    Fixture,
    "waits after failures grow from the first bound, with jitter, to no more than a success's") {
  provide("issuer", "http://a.test", 20s, {.retries = 3, .backoff_base = 1s, .backoff_max = 2s});
  answer("good");
  wait();
  const std::vector<Millis> longest{1s, 2s, 2s, 4s, 8s, 16s, 20s, 20s, 20s};
  std::set<Millis> waits;
  for (auto most : longest) {
    failed("refused");
    auto waited = wait();
    CHECK(waited <= most);
    CHECK(waited >= most / 2);
    waits.insert(waited);
  }
  CHECK(waits.size() > 5);
}

TEST_CASE_METHOD(Fixture, "the tries that a policy allows come before a problem is told") {
  provide("issuer", "http://a.test", {}, {.retries = 2});
  answer("good");
  wait();
  failed("a");
  wait();
  failed("b");
  CHECK(kept("issuer")->problem.empty());
  wait();
  failed("c");
  CHECK(kept("issuer")->problem == "c");
}

TEST_CASE_METHOD(Fixture, "a policy's times are taken as far as the bounds go") {
  provide("issuer", "http://a.test", {},
          {.request_timeout = 10min, .connect_timeout = 250ms, .ca_pem = "roots"});
  CHECK(asked[0].timeout == KeySetLimits{}.timeout_max);
  CHECK(asked[0].connect_timeout == 250ms);
  CHECK(asked[0].ca_pem == "roots");
}

TEST_CASE_METHOD(Fixture, "no more fetches run at once than may") {
  const auto most = KeySetLimits{}.fetches_running_max;
  for (std::size_t i = 0; i < most + 3; ++i)
    provide("issuer-" + std::to_string(i));
  CHECK(asked.size() == most);
  CHECK(fetches.next_due() == Instant::max());
  answer("keys");
  CHECK(asked.size() == most);
  CHECK(fetches.fetches_running() == most);
  while (!asked.empty())
    answer("keys");
  CHECK(fetches.fetches_running() == 0);
  CHECK(fetches.next_due() == now + KeySetLimits{}.refetch_default);
}

TEST_CASE_METHOD(Fixture,
                 "another uri is fetched at once, and what the old one answers is dropped") {
  provide("issuer", "http://old.test");
  provide("issuer", "http://new.test");
  REQUIRE(asked.size() == 2);
  answer("old");
  CHECK(kept("issuer") == nullptr);
  failed("refused");
  CHECK(kept("issuer")->uri == "http://new.test");
  CHECK(kept("issuer")->jwks.empty());
  look();
  CHECK(asked.empty()); // An equal provider goes on undisturbed.
}

TEST_CASE_METHOD(Fixture, "a provider that goes is fetched no more, and its answer is dropped") {
  provide("issuer");
  REQUIRE(catalog.apply(Remove{{model::Kind::jwt_provider, {"default", "issuer"}}}, noon));
  look();
  answer("late");
  CHECK(written.empty());
  CHECK(fetches.size() == 0);
  CHECK(fetches.fetches_running() == 0);
  CHECK(fetches.next_due() == Instant::max());
}

TEST_CASE_METHOD(Fixture, "what was fetched goes when a provider's key set is local now") {
  provide("issuer");
  answer("keys");
  SECTION("seen by the agent that fetched it") { provide("issuer", ""); }
  SECTION("or by the next one") {
    fetches = KeySetFetches{8};
    provide("issuer", "");
  }
  CHECK(kept("issuer") == nullptr);
}

TEST_CASE_METHOD(Fixture, "the next agent goes on with what the last one fetched") {
  provide("issuer");
  answer("keys");
  fetches = KeySetFetches{8};
  look();
  failed("refused");
  CHECK(kept("issuer")->jwks == "keys");
  CHECK(kept("issuer")->problem == "refused");
}
