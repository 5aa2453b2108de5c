#include "actors/kind_actor.hpp"

#include "catalog/kinds.hpp"
#include "kubernetes/decode.hpp"

namespace strait::actors {

namespace {

/// Objects that are told ahead of their decoding; the server's stream rests meanwhile.
constexpr std::size_t told_ahead_max = 500;
constexpr std::chrono::seconds retry_refused_commands{1};

catalog::AnyRecord record_of(kubernetes::Document document) {
  return std::visit([](auto&& object) { return catalog::AnyRecord{std::move(object)}; },
                    std::move(document));
}

struct Steps {
  KindActor::stateful_pointer<KindState> self;
  KindActorOptions options;

  /// What the catalog has of an earlier life: it stays if the server still has it.
  std::vector<model::Name> known(const catalog::View& view) const {
    std::vector<model::Name> out;
    if (!options.takes_over)
      return out;
    catalog::with_kind(options.kind->kind, [&]<class T>() {
      if constexpr (catalog::HasMeta<T>)
        for (auto& [name, record] : view.table<T>())
          if (catalog::is_mirrored(record->value.meta) &&
              (!options.only || *options.only == name)) {
            out.push_back(name);
            self->state.keys.emplace(name, model::ObjectKey{T::kind, name});
          }
    });
    return out;
  }

  void serve(const std::string& version) const {
    auto& state = self->state;
    if (state.version == version)
      return;
    if (!state.version.empty())
      options.log.info("{} is served as {} now", options.title, version);
    state.version = version;
    state.vanished = false;
    self->request(options.catalog, caf::infinite, view_atom::value)
        .then([*this](const catalog::ViewPtr& view) { start(*view); });
  }

  void start(const catalog::View& view) const {
    auto& state = self->state;
    if (state.vanished)
      return;
    auto& kind = *options.kind;
    kubernetes::Collection collection;
    collection.path =
        kubernetes::collection_path(kind, state.version, options.only ? options.only->ns : "");
    collection.api_version = kubernetes::api_version(kind, state.version);
    collection.kind = kind.name;
    collection.label_selector = kind.label_selector;
    if (options.only)
      collection.field_selector = "metadata.name=" + options.only->name;
    // A weak way back: the mirror must not keep its owner alive.
    auto address = caf::actor_cast<caf::actor_addr>(self);
    auto tell = [address](Mirrored word) {
      if (auto strong = caf::actor_cast<caf::strong_actor_ptr>(address))
        caf::anon_send(caf::actor_cast<KindActor>(std::move(strong)), mirror_atom::value,
                       std::move(word));
    };
    auto log = options.log.named(options.title);
    kubernetes::MirrorOptions mirror;
    mirror.reflector.seed = std::hash<std::string>{}(options.title);
    mirror.known = known(view);
    mirror.ahead_max = told_ahead_max;
    state.mirror = kubernetes::Mirror::start(
        options.client, collection,
        {.put = [tell](const kubernetes::Item& item) { tell({.put = item}); },
         .remove = [tell](const model::Name& name) { tell({.remove = name}); },
         .synced = [tell] { tell({.synced = true}); },
         .problem =
             [log](const std::string& text) {
               if (text.empty())
                 log.info("works again");
               else
                 log.warn("{}; trying again", text);
             }},
        std::move(mirror));
  }

  void vanish() const {
    auto& state = self->state;
    state.vanished = true;
    state.version.clear();
    state.listed = false;
    if (state.mirror)
      state.mirror->vanish();
    if (state.keys.empty())
      finish(); // Nothing will be told.
  }

  void take(const Mirrored& word) const {
    if (word.put)
      put(*word.put);
    else if (word.remove)
      remove(*word.remove);
    else if (word.synced)
      self->state.listed = true;
    if (self->state.mirror && !word.synced)
      self->state.mirror->taken(1);
    flush();
  }

  /// Logged once for each thing that is wrong, however often the object comes.
  void complain(const model::Name& name, const std::string& text, std::string_view outcome) const {
    auto& said = self->state.refused[name];
    if (said != text)
      options.log.warn("{}; {}", text, outcome);
    said = text;
  }

  void put(const kubernetes::Item& item) const {
    auto& state = self->state;
    auto document = kubernetes::decode_live(*item.object);
    if (!document)
      return complain(item.name, document.error().detail,
                      state.keys.contains(item.name) ? "its last good version stays"
                                                     : "it is left out");
    auto key = kubernetes::key_of(*document);
    std::string wrong;
    for (auto& field : kubernetes::unsupported_in(*document))
      if (!field.problem.empty())
        wrong += (wrong.empty() ? model::to_string(key) + ": " : "; ") + model::to_string(field);
    if (wrong.empty())
      state.refused.erase(item.name);
    else
      complain(item.name, wrong, "what it says there is not carried out");
    state.keys.insert_or_assign(item.name, key);
    if (options.kind->status && options.status)
      self->send(options.status, seen_atom::value,
                 SeenObject{key, kubernetes::object_path(*options.kind, state.version, item.name),
                            item.resource_version, item.object});
    state.failed.erase(key);
    state.wishes.set(key, {record_of(std::move(*document))});
  }

  void remove(const model::Name& name) const {
    auto& state = self->state;
    state.refused.erase(name);
    auto it = state.keys.find(name);
    if (it == state.keys.end())
      return;
    if (options.kind->status && options.status)
      self->send(options.status, seen_atom::value, SeenObject{it->second, {}, {}, nullptr});
    state.failed.erase(it->second);
    state.wishes.set(it->second, {});
    state.keys.erase(it);
  }

  void flush() const {
    auto& state = self->state;
    for (auto& [key, wish] : state.wishes.take()) {
      catalog::Command command = catalog::Remove{key, {}};
      if (wish.put)
        command = catalog::Put{*wish.put, {}, true};
      self->request(options.catalog, caf::infinite, apply_atom::value, command)
          .then([*this, key = key,
                 wish = wish](const Applied& applied) { applied_one(key, wish, applied.revision); },
                [*this, key = key, wish = wish](caf::error& error) {
                  applied_one(key, wish,
                              fail(Errc::unavailable, "catalog: {}", self->system().render(error)));
                });
    }
    finish();
  }

  void applied_one(const model::ObjectKey& key, const KindState::Wish& wish,
                   const Result<catalog::Revision>& revision) const {
    auto& state = self->state;
    bool later = state.wishes.done(key);
    bool gone = !wish.put && !revision && revision.error().code == Errc::not_found;
    bool never = !revision && revision.error().code == Errc::invalid;
    if (!revision && !gone && !later) {
      options.log.warn("{}: {}", model::to_string(key), revision.error().detail);
      if (!never) {
        state.failed.insert_or_assign(key, wish);
        if (!std::exchange(state.ticking, true))
          self->delayed_send(self, retry_refused_commands, tick_atom::value);
      }
    }
    flush();
  }

  void retry() const {
    auto& state = self->state;
    state.ticking = false;
    for (auto& [key, wish] : std::exchange(state.failed, {}))
      state.wishes.set(key, wish);
    flush();
  }

  /// What there is to tell once everything that was told is in the catalog.
  void finish() const {
    auto& state = self->state;
    if (!state.wishes.idle() || !state.failed.empty())
      return;
    if (state.listed && !std::exchange(state.told, true) && options.synced)
      options.synced(options.title);
    if (state.vanished && state.keys.empty() && options.ends_when_vanished)
      self->quit();
  }
};

} // namespace

KindActor::behavior_type kind_actor(KindActor::stateful_pointer<KindState> self,
                                    KindActorOptions options) {
  self->state.wishes =
      kubernetes::Latest<model::ObjectKey, KindState::Wish>{options.commands_in_flight_max};
  Steps steps{self, std::move(options)};
  return {
      [steps](serve_atom, const std::string& version) { steps.serve(version); },
      [steps](vanish_atom) { steps.vanish(); },
      [steps](mirror_atom, const Mirrored& word) { steps.take(word); },
      [steps](tick_atom) { steps.retry(); },
  };
}

} // namespace strait::actors
