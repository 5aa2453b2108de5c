#include "net/event_loop.hpp"

#include "net/socket.hpp"
#include "net/stream.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <atomic>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

using namespace strait;
using namespace strait::net;

namespace {

struct Pair {
  Pair() {
    int fds[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
    a = Fd{fds[0]};
    b = Fd{fds[1]};
  }
  Fd a, b;
};

struct Handler final : EventHandler {
  std::function<void(Ready)> callback;
  void on_ready(Ready ready) override { callback(ready); }
};

std::unique_ptr<EventLoop> make_loop(EventLoopOptions options = {}) {
  auto loop = EventLoop::create(options);
  REQUIRE(loop);
  return std::move(*loop);
}

} // namespace

TEST_CASE("an edge watch tells once per change, a level watch as long as there is something") {
  auto loop = make_loop();
  Pair edge, level;
  int edges = 0, levels = 0;
  Handler on_edge, on_level;
  on_edge.callback = [&](Ready ready) { edges += ready.readable(); };
  on_level.callback = [&](Ready) { ++levels; };
  REQUIRE(loop->add(edge.a.get(), Watch::edge, on_edge));
  REQUIRE(loop->add(level.a.get(), Watch::level_read, on_level));
  loop->run_once(Millis{0}); // The edge watch tells of being writable.
  REQUIRE(::write(edge.b.get(), "x", 1) == 1);
  REQUIRE(::write(level.b.get(), "x", 1) == 1);
  for (int i = 0; i < 3; ++i)
    loop->run_once(Millis{0});
  CHECK(edges == 1);
  CHECK(levels == 3);
  CHECK(loop->watched() == 2);
  CHECK(loop->add(edge.a.get(), Watch::edge, on_edge).error().code == Errc::conflict);
  loop->remove(edge.a.get());
  loop->remove(level.a.get());
  CHECK(loop->watched() == 0);
}

TEST_CASE("a handler that removes another gets no event for it, even if its number is used again") {
  auto loop = make_loop();
  Pair first, second;
  std::unique_ptr<Pair> third;
  Handler handler, stale;
  int told = 0;
  bool replaced_told = false;
  Handler replacement;
  replacement.callback = [&](Ready ready) { replaced_told |= ready.readable(); };
  auto take_over = [&](Pair& other) {
    ++told;
    int number = other.a.get();
    loop->remove(number);
    other.a.close();
    third = std::make_unique<Pair>(); // Takes the lowest free number: the one just closed.
    REQUIRE(third->a.get() == number);
    REQUIRE(loop->add(number, Watch::level_read, replacement));
  };
  bool first_done = false;
  handler.callback = [&](Ready) {
    if (!std::exchange(first_done, true))
      take_over(second);
    else
      loop->remove(first.a.get());
  };
  stale.callback = [&](Ready) {
    if (!std::exchange(first_done, true))
      take_over(first);
    else
      loop->remove(second.a.get());
  };
  REQUIRE(loop->add(first.a.get(), Watch::level_read, handler));
  REQUIRE(loop->add(second.a.get(), Watch::level_read, stale));
  REQUIRE(::write(first.b.get(), "x", 1) == 1);
  REQUIRE(::write(second.b.get(), "x", 1) == 1);
  loop->run_once(Millis{0});
  CHECK(told == 1);
  CHECK_FALSE(replaced_told);
}

TEST_CASE("tasks of other threads run on the loop's thread, in order, all of them") {
  auto loop = make_loop();
  std::vector<int> seen;
  auto poster = loop->poster();
  std::thread sender{[&, poster] {
    for (int i = 0; i < 1000; ++i)
      REQUIRE(poster.post([&seen, i] { seen.push_back(i); }));
    loop->stop();
  }};
  loop->run();
  sender.join();
  REQUIRE(seen.size() == 1000);
  CHECK(std::is_sorted(seen.begin(), seen.end()));
  loop.reset();
  CHECK_FALSE(poster.post([] { FAIL("the loop is gone"); }));
}

TEST_CASE("a full inbox refuses, and takes again once the loop emptied it") {
  auto loop = make_loop({.inbox_max = 2});
  int ran = 0;
  CHECK(loop->post([&] { ++ran; }));
  CHECK(loop->post([&] { ++ran; }));
  CHECK_FALSE(loop->post([&] { ++ran; }));
  loop->run_once(Millis{0});
  CHECK(ran == 2);
  CHECK(loop->post([&] { ++ran; }));
}

TEST_CASE("timers fire in order, a cancelled one never, and waiting for one is no busy loop") {
  auto loop = make_loop();
  std::string order;
  Timer late{*loop, [&] {
               order += 'b';
               loop->stop();
             }};
  Timer early{*loop, [&] { order += 'a'; }};
  Timer never{*loop, [&] { order += '!'; }};
  auto begin = loop->now();
  late.start(Millis{30});
  early.start(Millis{10});
  never.start(Millis{5});
  never.cancel();
  {
    Timer dies{*loop, [&] { order += '!'; }};
    dies.start(Millis{1});
  }
  loop->run();
  CHECK(order == "ab");
  CHECK(loop->now() - begin >= Millis{30});
  CHECK(loop->turns() < 10);
}

TEST_CASE("a deferred task runs after the events at hand and may defer another") {
  auto loop = make_loop();
  std::string order;
  REQUIRE(loop->post([&] {
    loop->defer([&] {
      order += 'b';
      loop->defer([&] { order += 'c'; });
    });
    order += 'a';
  }));
  loop->run_once(Millis{0});
  CHECK(order == "abc");
}
