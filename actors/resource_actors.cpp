#include "actors/resource_actors.hpp"

namespace strait::actors {

namespace {

using catalog::Topic;
using catalog::View;
using catalog::ViewPtr;

/// Computes the answer for a view; watches what it was made from; if the catalog moved on between
/// the view and the subscription, computes again. `compute(view, topics)` returns the answer and
/// fills in the topics; `pass_on(answer)` is called when it differs from the last.
template <class Self, class Compute, class PassOn>
void follow(Self self, const CatalogActor& catalog, const ViewPtr& view, Compute compute,
            PassOn pass_on) {
  auto& state = self->state;
  std::set<Topic> topics;
  auto answer = compute(*view, topics);
  state.seen = view->revision;
  if (!state.answered || !(answer == state.last)) {
    state.answered = true;
    state.last = answer;
    pass_on(answer);
  }
  if (topics == state.topics)
    return;
  state.topics = topics;
  self->request(catalog, caf::infinite, watch_atom::value,
                caf::actor_cast<Watcher>(caf::strong_actor_ptr{self->ctrl()}), std::move(topics))
      .then([=](const ViewPtr& newer) {
        if (newer->revision > self->state.seen)
          follow(self, catalog, newer, compute, pass_on);
      });
}

template <class Self, class Compute, class PassOn>
auto following(Self self, const CatalogActor& catalog, Compute compute, PassOn pass_on) {
  self->request(catalog, caf::infinite, view_atom::value).then([=](const ViewPtr& view) {
    follow(self, catalog, view, compute, pass_on);
  });
  return [=](change_atom, const Change& change) {
    follow(self, catalog, change.view, compute, pass_on);
    self->send(catalog, done_atom::value);
  };
}

/// Answers are compared by what they say, not by where they are.
template <class T>
std::shared_ptr<const T> same_or(const std::shared_ptr<const T>& last,
                                 std::shared_ptr<const T> answer) {
  return last && answer && *last == *answer ? last : answer;
}

} // namespace

RouteActor::behavior_type route_actor(RouteActor::stateful_pointer<RouteState> self,
                                      model::ObjectKey route, CatalogActor catalog, RootActor root,
                                      Rules rules) {
  return {following(
      self, catalog,
      [=](const View& view, std::set<Topic>& topics) {
        auto resolved = rules.resolve_route(view, route);
        if (resolved)
          topics = resolved->depends;
        topics.insert(catalog::topic_of(route));
        return same_or(self->state.last, std::move(resolved));
      },
      [=](const gateway::resolve::ResolvedRoutePtr& resolved) {
        self->send(root, resolved_atom::value, route, resolved);
      })};
}

ServiceActor::behavior_type service_actor(ServiceActor::stateful_pointer<ServiceState> self,
                                          std::string cluster, CatalogActor catalog, RootActor root,
                                          Rules rules) {
  return {following(
      self, catalog,
      [=](const View& view, std::set<Topic>& topics) {
        auto resolved = rules.resolve_cluster(view, cluster);
        topics = std::move(resolved.depends);
        return same_or(self->state.last, std::move(resolved.cluster));
      },
      [=](const ClusterPtr& answer) { self->send(root, cluster_atom::value, answer); })};
}

ClassActor::behavior_type class_actor(ClassActor::stateful_pointer<ClassState> self,
                                      std::string gateway_class, CatalogActor catalog,
                                      StatusActor status, Rules rules) {
  return {following(
      self, catalog,
      [=](const View& view, std::set<Topic>& topics) -> std::optional<model::ObjectStatus> {
        topics = {{model::Kind::gateway_class, {"", gateway_class}}};
        auto resolved = rules.resolve_class(view, gateway_class);
        if (!resolved)
          return {};
        topics.insert(resolved->depends.begin(), resolved->depends.end());
        return resolved->ours ? std::optional{resolved->status} : std::nullopt;
      },
      [=](const std::optional<model::ObjectStatus>& answer) {
        if (answer)
          self->send(status, status_atom::value, *answer);
      })};
}

PolicyActor::behavior_type policy_actor(PolicyActor::stateful_pointer<PolicyState> self,
                                        model::ObjectKey policy, CatalogActor catalog,
                                        StatusActor status, Rules rules) {
  return {following(
      self, catalog,
      [=](const View& view, std::set<Topic>& topics) -> std::optional<model::ObjectStatus> {
        topics = {catalog::topic_of(policy)};
        auto resolved = rules.resolve_policy(view, policy);
        if (!resolved)
          return {};
        topics.insert(resolved->depends.begin(), resolved->depends.end());
        return std::move(resolved->status);
      },
      [=](const std::optional<model::ObjectStatus>& answer) {
        if (answer)
          self->send(status, status_atom::value, *answer);
      })};
}

Watcher::behavior_type exports_actor(Watcher::stateful_pointer<ExportsState> self,
                                     CatalogActor catalog, RootActor root, Rules rules) {
  return {following(
      self, catalog,
      [=](const View& view, std::set<Topic>& topics) -> ResolvedExportsPtr {
        auto resolved =
            std::make_shared<const gateway::resolve::ResolvedExports>(rules.resolve_exports(view));
        topics = resolved->depends;
        auto& last = self->state.last;
        bool same = last && last->exports == resolved->exports && last->trust == resolved->trust &&
                    last->clusters == resolved->clusters;
        return same ? last : resolved;
      },
      [=](const ResolvedExportsPtr& answer) { self->send(root, exports_atom::value, answer); })};
}

} // namespace strait::actors
