#include "actors/kube_status_actor.hpp"

#include "gateway/resolve/resolve.hpp"
#include "kubernetes/status_patch.hpp"

#include <algorithm>
#include <charconv>

namespace strait::actors {

namespace {

using kubernetes::Node;
using model::Kind;
using model::ObjectKey;

enum Step : int { write_status, write_object, read_object };

const std::set<catalog::Topic> watched{{Kind::object_status, {}}, {Kind::gateway, {}}};

/// Versions of one object can be compared (Kubernetes API concepts, since 1.35; true of etcd
/// before).
bool is_older(const std::string& version, const std::string& than) {
  auto number = [](const std::string& text) {
    std::uint64_t out = 0;
    std::from_chars(text.data(), text.data() + text.size(), out);
    return out;
  };
  return number(version) < number(than);
}

struct Steps {
  KubeStatusActor::stateful_pointer<KubeStatusState> self;
  KubeStatusOptions options;

  void changed(const Change& change) const {
    auto& state = self->state;
    state.view = change.view;
    for (auto& topic : change.topics) {
      if (topic.kind == Kind::object_status) {
        if (auto* status = change.view->find<model::ObjectStatus>(topic.name))
          wish(status->object);
      } else {
        classes();
      }
    }
    flush();
  }

  /// Gateways came or went: classes may be in use now, or not any more.
  void classes() const {
    auto& seen = self->state.seen;
    for (auto it = seen.lower_bound({Kind::gateway_class, {}});
         it != seen.end() && it->first.kind == Kind::gateway_class; ++it)
      wish(it->first);
  }

  void everything() const {
    for (auto& [key, seen] : self->state.seen)
      wish(key);
  }

  void wish(const ObjectKey& key) const {
    auto& state = self->state;
    if (!state.leading || !state.seen.contains(key) || state.resting.contains(key))
      return;
    wishes(key).set(key, true);
  }

  kubernetes::Latest<ObjectKey, bool>& wishes(const ObjectKey& key) const {
    auto& state = self->state;
    return gateway::resolve::is_route(key.kind) ? state.routes : state.others;
  }

  void saw(const SeenObject& object) const {
    auto& state = self->state;
    if (!object.object) {
      state.seen.erase(object.key);
      state.delays.erase(object.key);
      wishes(object.key).drop(object.key);
      return;
    }
    auto [it, added] = state.seen.try_emplace(object.key, object);
    if (!added) {
      auto uid = [](const SeenObject& of) { return text_at(*of.object, {"metadata", "uid"}); };
      if (uid(it->second) == uid(object) &&
          is_older(object.resource_version, it->second.resource_version))
        return;
      it->second = object;
    }
    wish(object.key);
  }

  /// The next thing to write for the object, if there is one.
  std::optional<std::pair<Step, Node>> next(const SeenObject& seen) const {
    auto& state = self->state;
    if (!state.view)
      return {};
    auto found = catalog_status(seen.key);
    if (found) {
      auto body =
          kubernetes::status_patch(*seen.object, *found, options.controllers, options.clock());
      if (body)
        return std::pair{write_status, std::move(*body)};
    }
    if (seen.key.kind != Kind::gateway_class || !found)
      return {};
    auto& gateways = state.view->table<model::Gateway>();
    bool in_use = std::any_of(gateways.begin(), gateways.end(), [&](auto&& it) {
      return it.second->value.class_name == seen.key.name.name;
    });
    if (auto body = kubernetes::finalizer_patch(*seen.object, in_use))
      return std::pair{write_object, std::move(*body)};
    return {};
  }

  std::optional<model::ObjectStatus> catalog_status(const ObjectKey& key) const {
    auto& state = self->state;
    model::ObjectStatus named{.object = key};
    auto* found = state.view->find<model::ObjectStatus>(model::key_of(named).name);
    if (!found)
      return {};
    auto status = *found;
    if (key.kind == Kind::gateway_class && state.api)
      say_support(status);
    return status;
  }

  /// The CRDs are the server's, not the catalog's: what they are is said here.
  void say_support(model::ObjectStatus& status) const {
    auto support = kubernetes::support_of(*self->state.api);
    for (auto& condition : status.conditions)
      if (condition.type == model::ConditionType::supported_version) {
        if (condition.status != support.supported)
          condition.transition = {};
        condition.status = support.supported;
        condition.reason = support.supported ? model::Reason::supported_version
                                             : model::Reason::unsupported_version;
        condition.message = support.message;
      }
  }

  void flush() const {
    auto& state = self->state;
    if (!state.leading)
      return;
    // What needs no write makes room for the next at once.
    for (auto* queue : {&state.others, &state.routes})
      for (auto steps = queue->take(); !steps.empty(); steps = queue->take())
        for (auto& [key, wished] : steps)
          step(key);
  }

  void step(const ObjectKey& key) const {
    auto& state = self->state;
    auto it = state.seen.find(key);
    auto todo = it == state.seen.end() ? std::nullopt : next(it->second);
    if (!todo) {
      wishes(key).done(key);
      return;
    }
    auto body = write_json(todo->second, 0);
    options.log.debug("{}: {}", model::to_string(key), body);
    ask(key, todo->first,
        {.method = "PATCH",
         .path = it->second.path + (todo->first == write_status ? "/status" : ""),
         .query = {{"fieldManager", "strait"}},
         .body = std::move(body),
         .content_type = std::string{kubernetes::merge_patch}});
  }

  void ask(const ObjectKey& key, Step step, kubernetes::Request request) const {
    auto address = caf::actor_cast<caf::actor_addr>(self);
    options.client->request(
        std::move(request), [address, key, step](Result<kubernetes::Response> response) {
          Answered answer{.about = key, .step = step};
          if (!response) {
            answer.body = fail(response.error());
          } else {
            answer.status = response->status;
            answer.retry_after = response->retry_after;
            auto outcome = outcome_of(*response);
            answer.body =
                outcome ? Result<std::string>{std::move(response->body)} : fail(outcome.error());
          }
          if (auto strong = caf::actor_cast<caf::strong_actor_ptr>(address))
            caf::anon_send(caf::actor_cast<KubeStatusActor>(std::move(strong)), answer_atom::value,
                           std::move(answer));
        });
  }

  void answered(const Answered& answer) const {
    auto& state = self->state;
    auto& key = answer.about;
    auto seen = state.seen.find(key);
    if (answer.body) {
      state.delays.erase(key);
      if (seen != state.seen.end())
        if (auto tree = kubernetes::parse_json(*answer.body, ""); tree) {
          auto version = text_at(*tree, {"metadata", "resourceVersion"});
          saw({key, seen->second.path, version, std::make_shared<const Node>(std::move(*tree))});
        }
      wishes(key).again(key, true); // There may be a next step; if not, that is seen at once.
      return flush();
    }
    if (answer.status == 409 && answer.step != read_object && seen != state.seen.end()) {
      // Somebody else wrote first: what stands there now is the ground for the next try.
      ask(key, read_object, {.path = seen->second.path});
      return;
    }
    wishes(key).done(key);
    if (answer.status == 404) // Gone, as the watch is about to tell.
      return flush();
    auto& delay = state.delays[key];
    delay = std::clamp(delay * 2, options.retry_min, options.retry_max);
    auto wait = std::max(delay, answer.retry_after);
    options.log.warn("status of {}: {}; trying again in {} ms", model::to_string(key),
                     answer.body.error().detail, wait.count());
    state.resting.insert(key);
    self->delayed_send(self, wait, retry_atom::value, key);
    flush();
  }

  void retry(const ObjectKey& key) const {
    self->state.resting.erase(key);
    wish(key);
    flush();
  }

  void lead(bool leading) const {
    auto& state = self->state;
    state.leading = leading;
    if (leading)
      everything();
    flush();
  }
};

} // namespace

KubeStatusActor::behavior_type
kube_status_actor(KubeStatusActor::stateful_pointer<KubeStatusState> self,
                  KubeStatusOptions options) {
  using Wishes = kubernetes::Latest<ObjectKey, bool>;
  self->state.routes = Wishes{options.route_writes_in_flight_max};
  self->state.others = Wishes{options.other_writes_in_flight_max};
  Steps steps{self, std::move(options)};
  self->request(steps.options.catalog, caf::infinite, watch_atom::value, Watcher{self}, watched)
      .then([steps](const catalog::ViewPtr& view) {
        steps.self->state.view = view;
        steps.everything();
        steps.flush();
      });
  return {
      [steps](change_atom, const Change& change) {
        steps.changed(change);
        steps.self->send(steps.options.catalog, done_atom::value);
      },
      [steps](seen_atom, const SeenObject& object) {
        steps.saw(object);
        steps.flush();
      },
      [steps](seen_atom, const kubernetes::GatewayApi& api) {
        steps.self->state.api = api;
        steps.classes();
        steps.flush();
      },
      [steps](lead_atom, bool leading) { steps.lead(leading); },
      [steps](answer_atom, const Answered& answer) { steps.answered(answer); },
      [steps](retry_atom, const ObjectKey& key) { steps.retry(key); },
  };
}

} // namespace strait::actors
