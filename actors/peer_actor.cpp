#include "actors/peer_actor.hpp"

#include "base/overload.hpp"

namespace strait::actors {

namespace {

using model::Kind;
using peering::Link;

/// Streams that this side numbers itself start here: apart from those that the link dials.
constexpr Link::StreamId first_accepted = Link::StreamId{1} << 32U;

struct Steps {
  PeerActor::stateful_pointer<PeerState> self;
  std::string peering;
  CatalogActor catalog;
  PeerOptions options;

  static peering::Moment now() { return {now_instant(), now_wall()}; }

  std::set<catalog::Topic> topics() const {
    return {{Kind::peering, {"", peering}},
            {Kind::peering_secrets, {"", peering}},
            {Kind::exported_services, {}},
            {Kind::service_instance, {}},
            {Kind::certificate_authority, {}}};
  }

  void look(const catalog::ViewPtr& view) const {
    auto& link = self->state.link;
    auto* record = view->find<model::Peering>({"", peering});
    if (!record)
      return; // Root ends this actor.
    auto* secrets = view->find<model::PeeringSecrets>({"", peering});
    auto secret = secrets ? secrets->active_stream : "";
    if (!link) {
      peering::LinkOptions with{.peering = *record,
                                .stream_secret = secret,
                                .store_id = options.store_id,
                                .exports = {.datacenter = options.datacenter}};
      with.backoff.seed = std::hash<std::string>{}(options.store_id + peering);
      link = std::make_unique<Link>(std::move(with));
    } else {
      carry_out(link->peering_changed(now(), *record, secret));
    }
    carry_out(link->exports_changed(now(), view));
  }

  /// What the wire says goes to the mailbox; the wire must not keep this actor alive.
  peering::StreamEvents events(Link::StreamId id) const {
    auto address = caf::actor_cast<caf::actor_addr>(self);
    auto tell = [address](auto&&... message) {
      if (auto strong = caf::actor_cast<caf::strong_actor_ptr>(address))
        caf::anon_send(caf::actor_cast<PeerActor>(std::move(strong)),
                       std::forward<decltype(message)>(message)...);
    };
    return {
        [=](peering::Message message) { tell(stream_atom::value, id, std::move(message)); },
        [=](peering::Code code, const std::string& why) { tell(gone_atom::value, id, code, why); }};
  }

  void carry_out(const Link::Effects& effects) const {
    for (auto& effect : effects)
      std::visit([&](auto& it) { carry_out(it); }, effect);
    tell_state();
    schedule();
  }
  void carry_out(const Link::Dial& it) const {
    auto& state = self->state;
    state.streams[it.stream] =
        peering::dial({it.address, it.ca_pems, it.server_name}, events(it.stream));
    auto effects = state.link->connected(now(), it.stream);
    read_on(it.stream);
    carry_out(effects);
  }
  void carry_out(const Link::Send& it) const {
    if (auto stream = stream_of(it.stream))
      stream->send(it.message, it.urgent);
  }
  void carry_out(const Link::HangUp& it) const {
    if (auto stream = stream_of(it.stream))
      stream->hang_up(it.code, it.why);
  }
  void carry_out(const Link::Drain& it) const {
    if (auto stream = stream_of(it.stream))
      stream->drain();
  }
  void carry_out(const Link::Apply& it) const {
    auto ticket = it.ticket;
    auto done = [*this, ticket](const Status& status) {
      if (ticket == 0) {
        if (!status)
          options.log.warn("{}", status.error().detail);
        return;
      }
      auto& state = self->state;
      carry_out(state.link->committed(now(), ticket, status));
      for (auto& [id, stream] : state.streams) // Reading may have paused for this commit.
        read_on(id);
    };
    self->request(catalog, caf::infinite, apply_atom::value, it.command)
        .then(
            [done](const Applied& applied) {
              done(applied.revision ? Status{} : Status{fail(applied.revision.error())});
            },
            [=, *this](caf::error& error) {
              done(fail(Errc::unavailable, "the catalog: {}", self->system().render(error)));
            });
  }

  std::shared_ptr<peering::Stream> stream_of(Link::StreamId id) const {
    auto it = self->state.streams.find(id);
    return it == self->state.streams.end() ? nullptr : it->second;
  }
  void read_on(Link::StreamId id) const {
    if (self->state.link->wants_read())
      if (auto stream = stream_of(id))
        stream->read_on();
  }

  void tell_state() const {
    auto& state = self->state;
    if (state.link->state() == state.told)
      return;
    state.told = state.link->state();
    auto& why = state.link->status().last_error;
    if (state.told == model::PeeringState::failing)
      options.log.warn("{}: {}", to_string(state.told), why);
    else
      options.log.info("{}", to_string(state.told));
  }

  void schedule() const {
    auto& state = self->state;
    auto at = state.link->wake_at();
    if (at >= state.wakes_at)
      return;
    state.wakes_at = at;
    auto wait = std::max(at - now_instant(), Millis{0});
    self->delayed_send(self, wait, tick_atom::value);
  }
};

} // namespace

PeerState::~PeerState() {
  for (auto& [id, stream] : streams)
    stream->hang_up(peering::Code::cancelled, "the agent is ending");
}

PeerActor::behavior_type peer_actor(PeerActor::stateful_pointer<PeerState> self,
                                    std::string peering, CatalogActor catalog,
                                    PeerOptions options) {
  options.log = options.log.named("peering " + peering);
  Steps steps{self, std::move(peering), std::move(catalog), std::move(options)};
  self->state.accepted = first_accepted;
  self->request(steps.catalog, caf::infinite, watch_atom::value,
                caf::actor_cast<Watcher>(caf::strong_actor_ptr{self->ctrl()}), steps.topics())
      .then([steps](const catalog::ViewPtr& view) { steps.look(view); });
  return {
      [steps](change_atom, const Change& change) {
        steps.look(change.view);
        steps.self->send(steps.catalog, done_atom::value);
      },
      [steps](accept_atom, const std::shared_ptr<peering::Stream>& stream,
              const peering::PeerAcceptor::Admit& answer) {
        auto& state = steps.self->state;
        if (!state.link)
          return answer(tl::unexpected<peering::Refusal>(
              {peering::Code::unavailable, "the peering is not loaded yet", "", false}));
        auto id = ++state.accepted;
        state.streams[id] = stream;
        answer(steps.events(id));
        steps.carry_out(state.link->accepted(steps.now(), id));
        steps.read_on(id);
      },
      [steps](stream_atom, std::uint64_t id, const peering::Message& message) {
        auto& state = steps.self->state;
        if (!state.streams.contains(id))
          return;
        steps.carry_out(state.link->received(steps.now(), id, message));
        steps.read_on(id);
      },
      [steps](gone_atom, std::uint64_t id, peering::Code code, const std::string& why) {
        auto& state = steps.self->state;
        state.streams.erase(id);
        steps.carry_out(state.link->lost(steps.now(), id, code, why));
      },
      [steps](tick_atom) {
        auto& state = steps.self->state;
        state.wakes_at = Instant::max();
        if (state.link)
          steps.carry_out(state.link->tick(steps.now()));
      },
  };
}

} // namespace strait::actors
