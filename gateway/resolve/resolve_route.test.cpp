#include "gateway/resolve/features.hpp"
#include "gateway/resolve/resolve.hpp"
#include "gateway/resolve/test_catalog.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace strait;
using namespace strait::gateway;
using namespace strait::gateway::resolve;

namespace {

const model::ObjectKey web{model::Kind::http_route, {"default", "web"}};

/// A route with these filters, over a Service "web".
ResolvedRoutePtr resolved(std::vector<model::Filter> filters, TestCatalog& catalog,
                          model::PathMatchType path = model::PathMatchType::prefix) {
  auto route = http_route("web", {"web"});
  route.rules[0].filters = std::move(filters);
  route.rules[0].matches[0].path.type = path;
  catalog.put(service("default", "web"));
  catalog.put(route);
  return resolve_route(catalog.view(), web);
}

const HttpRule& rule_of(const ResolvedRoutePtr& route) {
  return std::get<HttpRoute>(route->content).rules.at(0);
}

} // namespace

TEST_CASE("filters that exclude each other refuse the route") {
  TestCatalog catalog;
  auto both = resolved({model::RequestRedirect{}, model::UrlRewrite{}}, catalog);
  CHECK(both->refused->reason == model::Reason::incompatible_filters);
  auto twice = resolved({model::UrlRewrite{}, model::UrlRewrite{}}, catalog);
  CHECK(twice->refused->reason == model::Reason::incompatible_filters);
  model::RequestMirror mirror{.backend = {.name = "web", .port = 80}};
  auto mirrors = resolved({mirror, mirror}, catalog);
  CHECK_FALSE(mirrors->refused);
  CHECK(rule_of(mirrors).mirrors.size() == 2);
}

TEST_CASE("a prefix can be replaced only where one was matched") {
  TestCatalog catalog;
  model::UrlRewrite rewrite{.path = model::PathModifier{model::PathModifier::Type::prefix, "/new"}};
  CHECK_FALSE(resolved({rewrite}, catalog)->refused);
  auto exact = resolved({rewrite}, catalog, model::PathMatchType::exact);
  CHECK(exact->refused->reason == model::Reason::unsupported_value);
}

TEST_CASE("headers that frame a message are no filter's to change, in any case") {
  TestCatalog catalog;
  for (std::string name : {"Content-Length", "transfer-encoding", "TE", "Upgrade", "Keep-Alive",
                           "Connection", "Trailer"}) {
    INFO(name);
    model::ResponseHeaderModifier filter{{.remove = {name}}};
    CHECK(resolved({filter}, catalog)->refused->reason == model::Reason::unsupported_value);
  }
  model::ResponseHeaderModifier fine{{.remove = {"X-Content-Length"}}};
  CHECK_FALSE(resolved({fine}, catalog)->refused);
}

TEST_CASE("what only a mirror or an authorizer needs is looked up and counted as the rest") {
  TestCatalog catalog;
  catalog.put(service("default", "shadow"));
  catalog.put(service("default", "guard"));
  model::RequestMirror mirror{.backend = {.name = "shadow", .port = 80}};
  model::ExternalAuth auth{.backend = {.name = "guard", .port = 80}};
  auto route = resolved({mirror, auth}, catalog);
  CHECK(route->clusters == std::set<std::string>{"service/default/guard/80",
                                                 "service/default/shadow/80",
                                                 "service/default/web/80"});
  CHECK(route->depends.contains({model::Kind::service, {"default", "shadow"}}));

  mirror.backend.ns = "shop";
  auto elsewhere = resolved({mirror}, catalog);
  CHECK(elsewhere->not_permitted);
  CHECK(elsewhere->unresolved->reason == model::Reason::ref_not_permitted);
  CHECK(rule_of(elsewhere).mirrors.empty());
  CHECK(rule_of(elsewhere).backends.at(0).cluster == "service/default/web/80");
}

TEST_CASE("a session that names no cookie gets one that is its rule's own") {
  TestCatalog catalog;
  auto route = http_route("web", {"web"});
  route.rules.push_back(route.rules[0]);
  for (auto& rule : route.rules)
    rule.session = model::SessionPersistence{};
  catalog.put(route);
  auto first = resolve_route(catalog.view(), web);
  auto& rules = std::get<HttpRoute>(first->content).rules;
  CHECK_FALSE(rules[0].session->name.empty());
  CHECK(rules[0].session->name != rules[1].session->name);
  CHECK(*resolve_route(catalog.view(), web) == *first);
}

TEST_CASE("a rule says how to try again once") {
  TestCatalog catalog;
  auto filter = named<model::RouteRetryFilter>("default", "again");
  filter.retry_on = {"5xx"};
  catalog.put(filter);
  model::ExtensionRef ref{"consul.hashicorp.com", "RouteRetryFilter", "again"};
  auto once = resolved({ref}, catalog);
  CHECK(rule_of(once).retry->codes.size() == 100);
  CHECK(rule_of(once).retry->on_connection_error);
  CHECK(resolved({ref, ref}, catalog)->refused->reason == model::Reason::incompatible_filters);
  filter.retry_on = {"full-moon"};
  catalog.put(filter);
  CHECK(resolved({ref}, catalog)->refused->reason == model::Reason::unsupported_value);
}

TEST_CASE("supported features are sorted and no name is there twice") {
  auto& names = supported_features();
  CHECK(std::is_sorted(names.begin(), names.end()));
  CHECK(std::adjacent_find(names.begin(), names.end()) == names.end());
}
