#include "kubernetes/reflector.hpp"

#include <catch2/catch.hpp>

using namespace strait;
using namespace strait::kubernetes;
using namespace std::chrono_literals;

namespace {

Item item(const std::string& name, const std::string& version) {
  return {{"ns", name}, "uid-" + name, version, std::make_shared<const Node>()};
}
WatchEvent event(EventType type, const std::string& name, const std::string& version) {
  return {type, item(name, version), 0, {}};
}
ListPage page(const std::string& version, std::vector<Item> items, std::string more = "") {
  return {version, std::move(more), std::move(items)};
}

/// "put a", "watch 7", …: what the effects are, for comparing.
std::vector<std::string> words(const Reflector::Effects& effects) {
  std::vector<std::string> out;
  for (auto& effect : effects) {
    if (auto* list = std::get_if<Reflector::List>(&effect))
      out.push_back(fmt::format("list {}{}", list->limit,
                                list->continue_token.empty() ? "" : " " + list->continue_token));
    else if (auto* watch = std::get_if<Reflector::Watch>(&effect))
      out.push_back("watch " + watch->resource_version);
    else if (std::get_if<Reflector::StopWatch>(&effect))
      out.emplace_back("stop");
    else if (auto* put = std::get_if<Reflector::Put>(&effect))
      out.push_back("put " + put->item.name.name);
    else if (auto* remove = std::get_if<Reflector::Remove>(&effect))
      out.push_back("remove " + remove->name.name);
    else if (std::get_if<Reflector::Synced>(&effect))
      out.emplace_back("synced");
    else if (std::get_if<Reflector::Wait>(&effect))
      out.emplace_back("wait");
    else if (auto* problem = std::get_if<Reflector::Problem>(&effect))
      out.push_back("problem " + problem->text);
  }
  return out;
}
using Words = std::vector<std::string>;

Millis waited(const Reflector::Effects& effects) {
  for (auto& effect : effects)
    if (auto* wait = std::get_if<Reflector::Wait>(&effect))
      return wait->delay;
  return Millis{-1};
}

const Failure refused{Failure::Kind::other, "refused", {}};

/// A reflector that has listed a and b at 5 and watches.
struct Watching {
  Watching() {
    reflector.start(now);
    reflector.listed(now, page("5", {item("a", "1"), item("b", "2")}));
  }
  Instant now{};
  Reflector reflector{{.page_max = 8}};
};

} // namespace

TEST_CASE("a reflector lists page by page, and watches from where the last page stood") {
  Instant now{};
  Reflector reflector{{.page_max = 2}};
  CHECK(words(reflector.start(now)) == Words{"list 2"});
  CHECK(words(reflector.listed(now, page("5", {item("a", "1"), item("b", "2")}, "next"))) ==
        Words{"put a", "put b", "list 2 next"});
  CHECK(!reflector.synced());
  CHECK(words(reflector.listed(now, page("5", {item("c", "3")}))) ==
        Words{"put c", "synced", "watch 5"});
  CHECK(reflector.synced());
}

TEST_CASE("a reflector tells what the watch brings") {
  Watching it;
  CHECK(words(it.reflector.event(it.now, event(EventType::added, "c", "6"))) == Words{"put c"});
  CHECK(words(it.reflector.event(it.now, event(EventType::modified, "a", "7"))) == Words{"put a"});
  CHECK(words(it.reflector.event(it.now, event(EventType::deleted, "b", "8"))) ==
        Words{"remove b"});
  CHECK(words(it.reflector.event(it.now, event(EventType::deleted, "b", "8"))).empty());
  CHECK(words(it.reflector.event(it.now, event(EventType::modified, "a", "7"))).empty());

  SECTION("and goes on from the newest version when the server ends the watch") {
    CHECK(words(it.reflector.watch_ended(it.now, nullptr)) == Words{"watch 7"});
  }
  SECTION("a bookmark moves that version without a word") {
    CHECK(words(it.reflector.event(it.now, event(EventType::bookmark, "", "20"))).empty());
    CHECK(words(it.reflector.watch_ended(it.now, nullptr)) == Words{"watch 20"});
  }
}

TEST_CASE("a version that the server has forgotten makes a new list, which tells what vanished") {
  Watching it;
  SECTION("said within the watch") {
    WatchEvent gone{EventType::error, {}, 410, "too old resource version"};
    CHECK(words(it.reflector.event(it.now, gone)) == Words{"stop", "list 8"});
  }
  SECTION("said instead of the watch") {
    Failure expired{Failure::Kind::expired, "", {}};
    CHECK(words(it.reflector.watch_ended(it.now, &expired)) == Words{"list 8"});
  }
  CHECK(words(it.reflector.listed(it.now, page("50", {item("a", "1"), item("c", "40")}))) ==
        Words{"put c", "remove b", "synced", "watch 50"});
}

TEST_CASE("pages whose snapshot is gone are begun anew, and nothing is removed by half a list") {
  Instant now{};
  Reflector reflector{{.page_max = 2}};
  reflector.start(now, {{"ns", "old"}});
  reflector.listed(now, page("5", {item("a", "1")}, "next"));
  Failure expired{Failure::Kind::expired, "", {}};
  CHECK(words(reflector.list_failed(now, expired)) == Words{"list 2"});
  CHECK(words(reflector.listed(now, page("9", {item("b", "8")}))) ==
        Words{"put b", "remove a", "remove old", "synced", "watch 9"});
}

TEST_CASE("what an earlier life knew is told anew if it is there, removed if it is not") {
  Instant now{};
  Reflector reflector{{}};
  reflector.start(now, {{"ns", "a"}, {"ns", "b"}});
  CHECK(words(reflector.listed(now, page("5", {item("a", "1")}))) ==
        Words{"put a", "remove b", "synced", "watch 5"});
}

TEST_CASE("an answer that is too large is asked for in smaller pages, down to one object") {
  Instant now{};
  Reflector reflector{{.page_max = 4}};
  reflector.start(now);
  Failure large{Failure::Kind::too_large, "too large", {}};
  CHECK(words(reflector.list_failed(now, large)) == Words{"list 2"});
  CHECK(words(reflector.list_failed(now, large)) == Words{"list 1"});
  CHECK(words(reflector.list_failed(now, large)) == Words{"problem too large", "wait"});
}

TEST_CASE("what fails is tried again, later each time, up to a maximum and not in step") {
  Instant now{};
  Reflector reflector{{.seed = 1}}, other{{.seed = 2}};
  other.start(now);
  reflector.start(now);
  auto first = reflector.list_failed(now, refused);
  CHECK(words(first) == Words{"problem refused", "wait"});
  auto delay = waited(first);
  CHECK(delay >= 250ms);
  CHECK(delay <= 500ms);
  bool apart = waited(other.list_failed(now, refused)) != delay;
  for (int tries = 0; tries < 20; ++tries) {
    CHECK(words(reflector.due(now)) == Words{"list 250"});
    auto again = reflector.list_failed(now, refused);
    CHECK(words(again) == Words{"wait"}); // The same trouble is told once.
    delay = waited(again);
    CHECK(delay <= 30s);
    other.due(now);
    apart = apart || waited(other.list_failed(now, refused)) != delay;
  }
  CHECK(delay >= 15s);
  CHECK(apart);
  reflector.due(now);
  reflector.listed(now, page("1", {}));
  CHECK(waited(reflector.watch_ended(now, &refused)) <= 500ms);
}

TEST_CASE("the server's word on when to come back is kept") {
  Instant now{};
  Reflector reflector{{}};
  reflector.start(now);
  CHECK(waited(reflector.list_failed(now, {Failure::Kind::other, "429", 7s})) == 7s);
}

TEST_CASE("a watch that breaks off is begun again from where it stood") {
  Watching it;
  it.reflector.event(it.now, event(EventType::modified, "a", "7"));
  CHECK(words(it.reflector.watch_ended(it.now, &refused)) == Words{"problem refused", "wait"});
  CHECK(words(it.reflector.due(it.now)) == Words{"watch 7"});

  SECTION("a short one that brought nothing is not followed by the next at once") {
    CHECK(words(it.reflector.watch_ended(it.now, nullptr)) == Words{"wait"});
  }
  SECTION("a long quiet one is") {
    CHECK(words(it.reflector.watch_ended(it.now + 6s, nullptr)) == Words{"watch 7"});
  }
  SECTION("after several that brought nothing, everything is listed") {
    for (int i = 0; i < 3; ++i) {
      it.reflector.watch_ended(it.now, &refused);
      CHECK(words(it.reflector.due(it.now)) == Words{"watch 7"});
    }
    it.reflector.watch_ended(it.now, &refused);
    it.reflector.due(it.now);
    it.reflector.watch_ended(it.now, &refused);
    CHECK(words(it.reflector.due(it.now)) == Words{"list 8"});
  }
}

TEST_CASE("a line that is no event makes a new list, for nobody knows what it hid") {
  Watching it;
  CHECK(words(it.reflector.corrupt_event(it.now, "bad")) == Words{"stop", "problem bad", "wait"});
  CHECK(words(it.reflector.due(it.now)) == Words{"list 8"});
}

TEST_CASE("an error other than an old version is a failed watch") {
  Watching it;
  WatchEvent error{EventType::error, {}, 500, "etcd is away"};
  CHECK(words(it.reflector.event(it.now, error)) ==
        Words{"stop", "problem the watch failed: etcd is away", "wait"});
}

TEST_CASE("a collection that vanished is removed wholly, and may come back") {
  Watching it;
  CHECK(words(it.reflector.vanish()) == Words{"stop", "remove a", "remove b"});
  CHECK(it.reflector.event(it.now, event(EventType::added, "c", "6")).empty());
  CHECK(words(it.reflector.start(it.now)) == Words{"list 8"});
}

TEST_CASE("what comes too late is not heard") {
  Watching it;
  CHECK(it.reflector.listed(it.now, page("9", {})).empty());
  CHECK(it.reflector.list_failed(it.now, refused).empty());
  CHECK(it.reflector.due(it.now).empty());
}

namespace {

/// An API server's side of one collection: objects, a log of events of which old ones are
/// forgotten, and pages of a snapshot.
struct FakeServer {
  std::mt19937_64& random;
  std::map<std::string, std::uint64_t> objects; // With their versions.
  std::vector<std::pair<std::uint64_t, WatchEvent>> log;
  std::uint64_t version = 1, forgotten = 0;
  std::map<std::string, std::vector<Item>> snapshots; // Rest of a list, by its continue token.

  std::uint64_t pick(std::uint64_t below) { return random() % below; }

  void change() {
    ++version;
    auto name = fmt::format("o{}", pick(12));
    auto at = std::to_string(version);
    if (objects.contains(name) && pick(3) == 0) {
      objects.erase(name);
      log.emplace_back(version, event(EventType::deleted, name, at));
    } else {
      bool known = objects.contains(name);
      objects[name] = version;
      log.emplace_back(version, event(known ? EventType::modified : EventType::added, name, at));
    }
  }
  void compact() {
    forgotten = version;
    log.clear();
    snapshots.clear();
  }
  std::optional<ListPage> list(const Reflector::List& request) {
    std::vector<Item> all;
    if (request.continue_token.empty()) {
      for (auto& [name, at] : objects)
        all.push_back(item(name, std::to_string(at)));
    } else if (auto it = snapshots.find(request.continue_token); it != snapshots.end()) {
      all = it->second;
    } else {
      return {};
    }
    auto at = request.continue_token.empty()
                  ? version
                  : std::stoull(request.continue_token.substr(0, request.continue_token.find('/')));
    ListPage out{std::to_string(at), "", {}};
    while (!all.empty() && out.items.size() < request.limit) {
      out.items.push_back(all.front());
      all.erase(all.begin());
    }
    if (!all.empty()) {
      out.continue_token = fmt::format("{}/{}", at, random());
      snapshots[out.continue_token] = all;
    }
    return out;
  }
};

/// Carries out a reflector's effects against the fake, one random step at a time.
struct Run {
  explicit Run(std::uint64_t seed)
      : random{seed}, server{random, {}, {}}, reflector{{.page_max = 3, .seed = seed}} {}

  void carry_out(const Reflector::Effects& effects) {
    for (auto& effect : effects) {
      if (auto* it = std::get_if<Reflector::List>(&effect))
        listing = *it;
      else if (auto* from = std::get_if<Reflector::Watch>(&effect))
        watching = std::stoull(from->resource_version);
      else if (std::get_if<Reflector::StopWatch>(&effect))
        watching.reset();
      else if (auto* put = std::get_if<Reflector::Put>(&effect))
        mirror[put->item.name.name] = std::stoull(put->item.resource_version);
      else if (auto* remove = std::get_if<Reflector::Remove>(&effect))
        mirror.erase(remove->name.name);
      else if (std::get_if<Reflector::Wait>(&effect))
        waiting = true;
    }
  }
  void step(bool trouble) {
    now += Millis{static_cast<std::int64_t>(server.pick(400))};
    if (trouble && server.pick(3) == 0)
      server.change();
    if (trouble && server.pick(25) == 0)
      server.compact();
    if (waiting) {
      waiting = false;
      carry_out(reflector.due(now));
    } else if (listing) {
      auto request = *std::exchange(listing, std::nullopt);
      if (trouble && server.pick(6) == 0)
        carry_out(reflector.list_failed(now, {Failure::Kind::other, "500", {}}));
      else if (auto found = server.list(request))
        carry_out(reflector.listed(now, *found));
      else
        carry_out(reflector.list_failed(now, {Failure::Kind::expired, "410", {}}));
    } else if (watching) {
      watch_step(trouble);
    }
  }
  void watch_step(bool trouble) {
    if (*watching < server.forgotten) {
      if (server.pick(2) == 0) {
        carry_out(reflector.event(now, {EventType::error, {}, 410, "too old"}));
      } else {
        watching.reset();
        Failure expired{Failure::Kind::expired, "410", {}};
        carry_out(reflector.watch_ended(now, &expired));
      }
      return;
    }
    if (trouble && server.pick(8) == 0) {
      watching.reset();
      Failure cut{Failure::Kind::other, "cut", {}};
      carry_out(reflector.watch_ended(now, server.pick(2) ? &cut : nullptr));
      return;
    }
    for (auto& [at, it] : server.log)
      if (at > *watching) {
        watching = at;
        return carry_out(reflector.event(now, it));
      }
    if (server.pick(4) == 0)
      carry_out(
          reflector.event(now, event(EventType::bookmark, "", std::to_string(server.version))));
  }
  bool quiet() const {
    return watching && *watching >= server.forgotten &&
           (server.log.empty() || server.log.back().first <= *watching);
  }

  std::mt19937_64 random;
  FakeServer server;
  Reflector reflector;
  Instant now{};
  std::map<std::string, std::uint64_t> mirror;
  std::optional<Reflector::List> listing;
  std::optional<std::uint64_t> watching;
  bool waiting = false;
};

} // namespace

TEST_CASE("whatever happens between, a reflector's objects are the server's once it is quiet") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Run run{seed};
    run.carry_out(run.reflector.start(run.now));
    for (int steps = 0; steps < 300; ++steps)
      run.step(true);
    int more = 0;
    for (; more < 1'000 && !run.quiet(); ++more)
      run.step(false);
    INFO("seed " << seed);
    REQUIRE(run.quiet());
    REQUIRE(run.mirror == run.server.objects);
  }
}
