#include "actors/publisher.hpp"

#include <catch2/catch.hpp>

using namespace strait;
using namespace strait::actors;
using catalog::Topic;
using model::Kind;

TEST_CASE("a subscriber hears of its record, its namespace or its kind, and of nothing else") {
  Publisher publisher;
  auto view = std::make_shared<const catalog::View>();
  Topic web{Kind::service, {"default", "web"}};
  publisher.subscribe(1, {web});
  publisher.subscribe(2, {Topic{Kind::service, {"default", ""}}});
  publisher.subscribe(3, {Topic{Kind::service, {}}});
  publisher.subscribe(4, {Topic{Kind::service, {"default", "api"}}});
  auto sends = publisher.publish(view, {web});
  REQUIRE(sends.size() == 3);
  CHECK(sends[0].to == 1);
  CHECK(sends[2].to == 3);
  CHECK(sends[0].change.topics == std::vector{web});
}

TEST_CASE("changes while a subscriber is busy become one") {
  Publisher publisher;
  auto first = std::make_shared<const catalog::View>();
  auto last = std::make_shared<const catalog::View>();
  Topic a{Kind::secret, {"x", "a"}}, b{Kind::secret, {"x", "b"}};
  publisher.subscribe(1, {a, b});
  CHECK(publisher.publish(first, {a}).size() == 1);
  CHECK(publisher.publish(first, {a}).empty());
  CHECK(publisher.publish(last, {b}).empty());
  auto sends = publisher.acknowledged(1);
  REQUIRE(sends.size() == 1);
  CHECK(sends[0].change.view == last);
  CHECK(sends[0].change.topics == std::vector{a, b});
  CHECK(publisher.acknowledged(1).empty());
  publisher.unsubscribe(1);
  CHECK(publisher.publish(last, {a}).empty());
}

TEST_CASE("publishing costs the subscribers of the topic, whatever the number of others") {
  for (Publisher::Subscriber others : {10U, 10'000U}) {
    Publisher publisher;
    for (Publisher::Subscriber i = 0; i < others; ++i)
      publisher.subscribe(i, {Topic{Kind::http_route, {"default", std::to_string(i)}}});
    auto before = publisher.visited();
    publisher.publish(std::make_shared<const catalog::View>(),
                      {Topic{Kind::http_route, {"default", "7"}}});
    CHECK(publisher.visited() - before == 1);
  }
}
