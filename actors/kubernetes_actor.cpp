#include "actors/kubernetes_actor.hpp"

#include "actors/kubernetes_references.hpp"

#include <algorithm>

namespace strait::actors {

namespace {

using kubernetes::ServerKind;
using model::Kind;

const std::set<catalog::Topic> referring{{Kind::gateway_class, {}},
                                         {Kind::gateway, {}},
                                         {Kind::listener_set, {}},
                                         {Kind::backend_tls_policy, {}}};

enum Step : int { group_versions, version_resources };
/// After a change of CRDs: what is served follows it by some seconds.
constexpr unsigned hurried_rounds = 5;

struct Steps {
  KubernetesActor::stateful_pointer<KubernetesState> self;
  KubernetesOptions options;

  /// A weak way back for the client's loop.
  std::function<void(std::function<void(const KubernetesActor&)>)> back() const {
    auto address = caf::actor_cast<caf::actor_addr>(self);
    return [address](const std::function<void(const KubernetesActor&)>& send) {
      if (auto strong = caf::actor_cast<caf::strong_actor_ptr>(address))
        send(caf::actor_cast<KubernetesActor>(std::move(strong)));
    };
  }

  /// A kind that two groups have is one in the catalog: what is left there of an earlier life is
  /// for the first of them to take over or away, before the second lists. Null: it is the first.
  static const ServerKind* first_of(const ServerKind& kind) {
    for (auto& it : kubernetes::server_kinds())
      if (it.kind == kind.kind)
        return &it == &kind ? nullptr : &it;
    return nullptr;
  }

  bool on_demand(const ServerKind& kind) const { return kind.on_demand && !options.all_secrets; }

  void start() const {
    for (auto& kind : kubernetes::server_kinds())
      if (!on_demand(kind))
        self->state.kinds[&kind].actor = spawn(kind, {});
    watch_crds();
    discover();
    if (!options.all_secrets)
      self->request(options.catalog, caf::infinite, watch_atom::value, Watcher{self}, referring)
          .then([*this](const catalog::ViewPtr& view) { refer(*view); });
  }

  KindActor spawn(const ServerKind& kind, std::optional<model::Name> only) const {
    KindActorOptions actor;
    actor.client = options.client;
    actor.kind = &kind;
    actor.takes_over = !first_of(kind);
    actor.catalog = options.catalog;
    actor.status = options.status;
    actor.log = options.log;
    actor.title = kind.group.empty() ? std::string{kind.plural}
                                     : fmt::format("{}.{}", kind.plural, kind.group);
    if (only)
      actor.title += " " + model::to_string(*only);
    actor.ends_when_vanished = only.has_value();
    if (!only)
      actor.synced = [back = back()](const std::string& title) {
        back([&](const KubernetesActor& me) { caf::anon_send(me, synced_atom::value, title); });
      };
    actor.only = std::move(only);
    return self->system().spawn(kind_actor, std::move(actor));
  }

  void watch_crds() const {
    auto tell = [back = back()](Mirrored word) {
      back([&](const KubernetesActor& me) { caf::anon_send(me, mirror_atom::value, word); });
    };
    auto log = options.log.named("customresourcedefinitions");
    self->state.crds = kubernetes::Mirror::start(
        options.client,
        {.path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
         .api_version = "apiextensions.k8s.io/v1",
         .kind = "CustomResourceDefinition",
         .metadata_only = true},
        {.put = [tell](const kubernetes::Item& item) { tell({.put = item}); },
         .remove = [tell](const model::Name& name) { tell({.remove = name}); },
         .synced = [tell] { tell({.synced = true}); },
         .problem =
             [log](const std::string& text) {
               text.empty() ? log.info("works again") : log.warn("{}; trying again", text);
             }});
  }

  /// Only the names of CRDs count, and of the Gateway API's the release that they are of.
  void crd(const Mirrored& word) const {
    auto& state = self->state;
    auto name = word.put ? word.put->name.name : word.remove ? word.remove->name : "";
    bool ours =
        std::any_of(kubernetes::discovered_groups.begin(), kubernetes::discovered_groups.end(),
                    [&](auto group) { return name.ends_with(fmt::format(".{}", group)); });
    state.crds_listed = state.crds_listed || word.synced;
    if (!ours && !word.synced)
      return;
    if (name.ends_with(".gateway.networking.k8s.io")) {
      if (word.put)
        state.bundles[name] = kubernetes::text_at(
            *word.put->object, {"metadata", "annotations", kubernetes::bundle_annotation});
      else
        state.bundles.erase(name);
    }
    say_api();
    if (ours) {
      state.hurried = hurried_rounds;
      discover_in(options.discover_settle);
    }
  }

  /// A round that is due soon does not wait for the one that is due anyway.
  void discover_in(Millis delay) const {
    auto& state = self->state;
    auto& ticking = delay < options.discover_again ? state.ticking_soon : state.ticking;
    if (!std::exchange(ticking, true))
      self->delayed_send(self, delay, tick_atom::value);
  }

  void discover() const {
    auto& state = self->state;
    if (state.asked > 0) {
      state.again = true;
      return;
    }
    state.discovering.clear();
    state.failed = state.again = false;
    for (auto group : kubernetes::discovered_groups)
      ask(group_versions, std::string{group}, fmt::format("/apis/{}", group));
  }

  void ask(Step step, std::string text, std::string path) const {
    ++self->state.asked;
    auto heard = [back = back(), step, text](Result<kubernetes::Response> response) {
      Answered answer{.step = step, .text = text};
      if (!response) {
        answer.body = fail(response.error());
      } else {
        answer.status = response->status;
        answer.retry_after = response->retry_after;
        auto outcome = outcome_of(*response);
        answer.body =
            outcome ? Result<std::string>{std::move(response->body)} : fail(outcome.error());
      }
      back([&](const KubernetesActor& me) { caf::anon_send(me, answer_atom::value, answer); });
    };
    options.client->request({.path = std::move(path)}, heard);
  }

  void answered(const Answered& answer) const {
    auto& state = self->state;
    --state.asked;
    if (answer.body)
      found(answer);
    else if (answer.status != 404) // A group that is not there has no kinds: that is an answer.
      trouble(answer.body.error().detail);
    if (state.asked == 0)
      round_ended();
  }

  void found(const Answered& answer) const {
    auto& state = self->state;
    if (answer.step == version_resources) {
      auto slash = answer.text.find('/');
      auto resources = kubernetes::parse_resources(*answer.body);
      if (!resources)
        return trouble(resources.error().detail);
      state.discovering[{answer.text.substr(0, slash), answer.text.substr(slash + 1)}] =
          std::move(*resources);
      return;
    }
    auto versions = kubernetes::parse_group(*answer.body);
    if (!versions)
      return trouble(versions.error().detail);
    for (auto& version : *versions)
      ask(version_resources, fmt::format("{}/{}", answer.text, version),
          fmt::format("/apis/{}/{}", answer.text, version));
  }

  void trouble(const std::string& text) const {
    self->state.failed = true;
    if (std::exchange(self->state.trouble, text) != text)
      options.log.warn("asking which kinds there are: {}; trying again", text);
  }

  void round_ended() const {
    auto& state = self->state;
    if (state.failed) {
      // What is known stays: a server that fails has not lost its kinds.
      state.delay = std::clamp(state.delay * 2, options.retry_min, options.retry_max);
      return discover_in(state.delay);
    }
    if (!std::exchange(state.trouble, {}).empty())
      options.log.info("{} answers again", options.client->server());
    state.delay = Millis{0};
    state.resources = std::move(state.discovering);
    state.discovered = true;
    for (auto& [kind, entry] : state.kinds)
      serve(*kind, entry);
    say_api();
    tell_synced();
    bool soon = state.again || state.hurried > 0;
    state.hurried -= state.hurried > 0;
    discover_in(soon ? options.discover_hurry : options.discover_again);
  }

  void serve(const ServerKind& kind, KubernetesState::Kind& entry) const {
    std::string version{kubernetes::served_version(kind, self->state.resources)};
    if (version == entry.version)
      return;
    if (auto* first = first_of(kind); first && entry.version.empty())
      if (auto it = self->state.kinds.find(first);
          it != self->state.kinds.end() && !it->second.version.empty() && !it->second.synced)
        return; // Its list comes first; see synced().
    if (version.empty()) {
      options.log.info("{} is not served any more", kind.name);
      self->send(entry.actor, vanish_atom::value);
    } else {
      self->send(entry.actor, serve_atom::value, version);
    }
    entry.version = version;
  }

  void say_api() const {
    auto& state = self->state;
    if (!state.discovered || !state.crds_listed)
      return;
    kubernetes::GatewayApi api{{}, state.bundles};
    for (auto& [kind, entry] : state.kinds)
      if (kind->group == kubernetes::discovered_groups[0] && entry.version.empty())
        api.missing.insert(std::string{kind->name});
    self->send(options.status, seen_atom::value, api);
  }

  void synced(const std::string& title) const {
    for (auto& [kind, entry] : self->state.kinds)
      if (title == (kind->group.empty() ? std::string{kind->plural}
                                        : fmt::format("{}.{}", kind->plural, kind->group)))
        entry.synced = true;
    for (auto& [kind, entry] : self->state.kinds)
      if (first_of(*kind))
        serve(*kind, entry);
    tell_synced();
  }

  void tell_synced() const {
    auto& state = self->state;
    bool all = state.discovered &&
               std::all_of(state.kinds.begin(), state.kinds.end(),
                           [](auto& it) { return it.second.version.empty() || it.second.synced; });
    if (!all)
      return;
    for (auto& promise : std::exchange(state.waiting, {}))
      promise.deliver(true);
  }

  void refer(const catalog::View& view) const {
    auto& state = self->state;
    auto wanted = kubernetes_references(view);
    for (auto it = state.references.begin(); it != state.references.end();) {
      if (wanted.contains(it->first)) {
        ++it;
        continue;
      }
      // It removes what it brought, and ends; an actor that nobody holds would end before that.
      self->monitor(it->second);
      self->send(it->second, vanish_atom::value);
      state.vanishing.push_back(std::move(it->second));
      it = state.references.erase(it);
    }
    for (auto& key : wanted) {
      if (state.references.contains(key))
        continue;
      if (state.references.size() >= options.references_max) {
        options.log.error("{} is not read: {} others are already; mirror all of them instead",
                          model::to_string(key), options.references_max);
        continue;
      }
      auto kinds = kubernetes::server_kinds();
      auto kind =
          std::find_if(kinds.begin(), kinds.end(), [&](auto& it) { return it.kind == key.kind; });
      auto actor = spawn(*kind, key.name);
      self->send(actor, serve_atom::value, std::string{kind->versions[0]});
      state.references.emplace(key, std::move(actor));
    }
  }

  void shutdown() const {
    auto& state = self->state;
    state.crds.reset();
    for (auto& [kind, entry] : state.kinds)
      self->send_exit(entry.actor, caf::exit_reason::user_shutdown);
    for (auto& [key, actor] : state.references)
      self->send_exit(actor, caf::exit_reason::user_shutdown);
    for (auto& actor : state.vanishing)
      self->send_exit(actor, caf::exit_reason::user_shutdown);
  }
};

} // namespace

KubernetesActor::behavior_type
kubernetes_actor(KubernetesActor::stateful_pointer<KubernetesState> self,
                 KubernetesOptions options) {
  Steps steps{self, std::move(options)};
  self->set_exit_handler([steps](caf::exit_msg& exit) {
    steps.shutdown();
    steps.self->quit(exit.reason);
  });
  self->set_down_handler([self](const caf::down_msg& down) {
    std::erase_if(self->state.vanishing, [&](auto& it) { return it.address() == down.source; });
  });
  steps.start();
  return {
      [steps](change_atom, const Change& change) {
        steps.refer(*change.view);
        steps.self->send(steps.options.catalog, done_atom::value);
      },
      [steps](mirror_atom, const Mirrored& word) { steps.crd(word); },
      [steps](answer_atom, const Answered& answer) { steps.answered(answer); },
      [steps](synced_atom, const std::string& title) { steps.synced(title); },
      [steps](tick_atom) {
        steps.self->state.ticking = steps.self->state.ticking_soon = false;
        steps.discover();
      },
      [steps](synced_atom) -> caf::result<bool> {
        auto promise = steps.self->make_response_promise<bool>();
        steps.self->state.waiting.push_back(promise);
        steps.tell_synced();
        return promise;
      },
  };
}

} // namespace strait::actors
