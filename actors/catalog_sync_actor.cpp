#include "actors/catalog_sync_actor.hpp"

#include <caf/all.hpp>

namespace strait::actors {

namespace {

using model::Kind;

/// Of the node's instances in their ObjectKey: this datacenter's.
const std::string scope = fmt::format("/{}", kubernetes::sync_node);

/// Its own instances too: what somebody takes away is put back, and what was still under way when a
/// Service was looked at is seen.
const std::set<catalog::Topic> watched{
    {Kind::service, {}}, {Kind::endpoint_slice, {}}, {Kind::service_instance, {scope, ""}}};

std::vector<const model::EndpointSlice*> slices_of(const catalog::View& view,
                                                   const model::Name& service) {
  std::vector<const model::EndpointSlice*> slices;
  for (auto it = view.slices.lower_bound(std::pair{service, std::string{}});
       it != view.slices.end() && it->first.first == service; ++it)
    if (auto* slice = view.find<model::EndpointSlice>({service.ns, it->first.second}))
      slices.push_back(slice);
  return slices;
}

/// The instances on the node whose ids begin so.
std::vector<const model::ServiceInstance*> registered(const catalog::View& view,
                                                      const std::string& prefix) {
  std::vector<const model::ServiceInstance*> out;
  model::Name node{"", kubernetes::sync_node};
  auto& all = view.node_instances;
  for (auto it = all.lower_bound(std::pair{node, prefix});
       it != all.end() && it->first.first == node && it->first.second.starts_with(prefix); ++it)
    if (auto* instance = view.find<model::ServiceInstance>({scope, it->first.second}))
      out.push_back(instance);
  return out;
}

struct Steps {
  CatalogSyncActor::stateful_pointer<CatalogSyncState> self;
  CatalogActor catalog;
  CatalogSyncActorOptions options;

  /// The first look: every Service, and whatever is left of an earlier life.
  void begin(const catalog::ViewPtr& view) const {
    auto& waiting = self->state.waiting;
    self->state.view = view;
    for (auto* instance : registered(*view, ""))
      if (auto service = kubernetes::synced_from(*instance))
        waiting.insert(*service);
    if (options.sync.mode != kubernetes::SyncMode::off)
      for (auto& [name, record] : view->table<model::Service>())
        waiting.insert(name);
    go_on();
  }

  void changed(const Change& change) const {
    auto before = std::exchange(self->state.view, change.view);
    if (!before)
      return; // The first look is still to come, and sees it all.
    for (auto& topic : change.topics)
      for (auto* view : {before.get(), change.view.get()})
        note(*view, topic);
    go_on();
  }

  /// Which Service the topic is of, in one view.
  void note(const catalog::View& view, const catalog::Topic& topic) const {
    auto& waiting = self->state.waiting;
    if (topic.kind == Kind::service) {
      waiting.insert(topic.name);
    } else if (topic.kind == Kind::endpoint_slice) {
      if (auto* slice = view.find<model::EndpointSlice>(topic.name))
        if (auto label = slice->meta.labels.find(catalog::service_name_label);
            label != slice->meta.labels.end())
          waiting.insert({topic.name.ns, label->second});
    } else if (auto* instance = view.find<model::ServiceInstance>(topic.name)) {
      if (auto service = kubernetes::synced_from(*instance))
        waiting.insert(*service);
    }
  }

  void go_on() const {
    auto& state = self->state;
    for (auto it = state.waiting.begin(); it != state.waiting.end();) {
      if (state.in_flight.size() >= options.services_in_flight_max)
        return;
      if (state.in_flight.contains(*it)) {
        ++it;
        continue;
      }
      look(*it);
      it = state.waiting.erase(it);
    }
  }

  void look(const model::Name& name) const {
    auto& state = self->state;
    auto& view = *state.view;
    kubernetes::Synced desired;
    if (auto* service = view.find<model::Service>(name)) {
      desired = kubernetes::catalog_instances(*service, slices_of(view, name), options.sync);
      say(name, desired.problem);
    } else {
      state.problems.erase(name);
    }
    auto difference = kubernetes::sync_difference(registered(view, kubernetes::sync_prefix(name)),
                                                  std::move(desired.instances));
    for (auto& instance : difference.put) {
      catalog::Register command;
      command.node.name = kubernetes::sync_node;
      command.node.address = kubernetes::sync_node_address;
      command.node.meta = {{"external-source", "kubernetes"}};
      command.instance = std::move(instance);
      apply(name, std::move(command));
    }
    for (auto& id : difference.remove)
      apply(name, catalog::Deregister{kubernetes::sync_node, id, {}});
    if (options.compared)
      options.compared(name, state.in_flight.size());
  }

  void say(const model::Name& name, const std::string& problem) const {
    auto& problems = self->state.problems;
    auto said = problems.find(name);
    if (problem == (said == problems.end() ? "" : said->second))
      return;
    if (problem.empty()) {
      problems.erase(said);
      return options.log.info("Service {}: can be synced again", to_string(name));
    }
    problems[name] = problem;
    options.log.warn("{}; it is not synced", problem);
  }

  void apply(const model::Name& name, catalog::Command command) const {
    ++self->state.in_flight[name];
    self->request(catalog, caf::infinite, apply_atom::value, std::move(command))
        .then([*this, name](const Applied& applied) { answered(name, applied); });
  }

  void answered(const model::Name& name, const Applied& applied) const {
    auto& state = self->state;
    if (!applied.revision) {
      auto& error = applied.revision.error();
      options.log.warn("Service {}: not synced: {}", to_string(name), error.detail);
      if (error.code != Errc::invalid) { // What is wrong with it only a change mends.
        state.failed.insert(name);
        if (!std::exchange(state.ticking, true))
          self->delayed_send(self, options.retry, tick_atom::value);
      }
    }
    if (auto it = state.in_flight.find(name); --it->second == 0)
      state.in_flight.erase(it);
    go_on();
  }
};

} // namespace

CatalogSyncActor::behavior_type
catalog_sync_actor(CatalogSyncActor::stateful_pointer<CatalogSyncState> self, CatalogActor catalog,
                   CatalogSyncActorOptions options) {
  Steps steps{self, std::move(catalog), std::move(options)};
  bool off = steps.options.sync.mode == kubernetes::SyncMode::off;
  auto begin = [steps](const catalog::ViewPtr& view) { steps.begin(view); };
  if (off)
    self->request(steps.catalog, caf::infinite, view_atom::value).then(begin);
  else
    self->request(steps.catalog, caf::infinite, watch_atom::value, Watcher{self}, watched)
        .then(begin);
  return {
      [steps](change_atom, const Change& change) {
        steps.changed(change);
        steps.self->send(steps.catalog, done_atom::value);
      },
      [steps](tick_atom) {
        auto& state = steps.self->state;
        state.ticking = false;
        state.waiting.merge(state.failed);
        state.failed.clear();
        steps.go_on();
      },
  };
}

} // namespace strait::actors
