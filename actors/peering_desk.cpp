#include "actors/peering_desk.hpp"

#include "base/random.hpp"

#include <caf/all.hpp>

namespace strait::actors {

struct DeskState {
  static inline const char* name = "peering desk";
  std::map<std::string, caf::actor_addr> peers; ///< By peering.
};

namespace {

using peering::FreshIds;

FreshIds fresh() { return {random_uuid(), random_uuid()}; }

} // namespace

/// Shared by the desk and its jobs; `self` is set once, when the actor runs.
struct PeeringDesk::Work : std::enable_shared_from_this<Work> {
  Work(CatalogActor to, std::shared_ptr<ViewBox> from, peering::FrontendContext with)
      : catalog{std::move(to)}, view{std::move(from)}, context{std::move(with)} {}

  CatalogActor catalog;
  std::shared_ptr<ViewBox> view;
  peering::FrontendContext context;
  DeskActor::stateful_pointer<DeskState> self = nullptr;

  /// One after the other; stops at the first that fails. The actor's thread.
  void apply(std::vector<catalog::Command> commands, std::function<void(Status)> done,
             std::size_t from = 0) {
    if (from == commands.size())
      return done({});
    auto command = commands[from];
    self->request(catalog, caf::infinite, apply_atom::value, std::move(command))
        .then(
            [=, work = shared_from_this(),
             rest = std::move(commands)](const Applied& applied) mutable {
              if (!applied.revision)
                return done(fail(applied.revision.error()));
              work->apply(std::move(rest), std::move(done), from + 1);
            },
            [=, work = shared_from_this()](caf::error& error) {
              done(fail(Errc::unavailable, "the catalog: {}", work->self->system().render(error)));
            });
  }

  /// Plans from the newest view, carries out, plans again when somebody was faster.
  template <class Reply, class MakePlan>
  void carry(MakePlan plan, std::function<void(Result<Reply>)> answer, int tries = 0) {
    auto made = plan(*view->load());
    if (!made)
      return answer(fail(made.error()));
    auto reply = made->reply;
    apply(made->commands, [=, work = shared_from_this()](const Status& status) {
      if (status)
        return answer(reply);
      if (status.error().code == Errc::conflict && tries < peering::replans_max)
        return work->template carry<Reply>(plan, answer, tries + 1);
      answer(fail(status.error()));
    });
  }

  void admit(const peering::Message& first, const std::shared_ptr<peering::Stream>& stream,
             const Admit& answer, int tries = 0) {
    auto admission = peering::admit(*view->load(), context, first);
    if (!admission)
      return answer(tl::unexpected<peering::Refusal>(admission.error()));
    apply(admission->commands,
          [=, work = shared_from_this(), name = admission->peering](const Status& status) {
            if (!status && status.error().code == Errc::conflict && tries < peering::replans_max)
              return work->admit(first, stream, answer, tries + 1);
            auto peer = work->self->state.peers.find(name);
            auto strong = peer == work->self->state.peers.end()
                              ? nullptr
                              : caf::actor_cast<caf::strong_actor_ptr>(peer->second);
            if (!status || !strong)
              return answer(tl::unexpected<peering::Refusal>(
                  {peering::Code::unavailable,
                   status ? "the peering is not loaded yet" : status.error().detail, "", false}));
            work->self->send(caf::actor_cast<PeerActor>(std::move(strong)), accept_atom::value,
                             stream, answer);
          });
  }
};

PeeringDesk::PeeringDesk(caf::actor_system& system, CatalogActor catalog,
                         std::shared_ptr<ViewBox> view, peering::FrontendContext context)
    : work_{std::make_shared<Work>(std::move(catalog), std::move(view), std::move(context))} {
  auto behaviour =
      [work = work_](DeskActor::stateful_pointer<DeskState> self) -> DeskActor::behavior_type {
    work->self = self;
    return {
        [](job_atom, const DeskJob& job) { job(); },
        [self](peer_atom, const std::string& name, const caf::actor& peer) {
          self->state.peers[name] = peer.address();
        },
    };
  };
  desk_ = system.spawn(behaviour);
}

PeeringDesk::~PeeringDesk() { caf::anon_send_exit(desk_, caf::exit_reason::user_shutdown); }

void PeeringDesk::opened(peering::Message first, std::shared_ptr<peering::Stream> stream,
                         Admit answer) {
  caf::anon_send(desk_, job_atom::value,
                 DeskJob{[=, work = work_] { work->admit(first, stream, answer); }});
}

void PeeringDesk::exchange(std::string peer_id, std::string secret,
                           std::function<void(Result<std::string>)> answer) {
  auto plan = [=, work = work_, ids = fresh()](const catalog::View& view) {
    return peering::accept_exchange(view, work->context, peer_id, secret, ids);
  };
  caf::anon_send(desk_, job_atom::value,
                 DeskJob{[=, work = work_] { work->carry<std::string>(plan, answer); }});
}

void PeeringDesk::generate_token(peering::GenerateTokenRequest request,
                                 Answer<std::string> answer) {
  auto plan = [=, work = work_, ids = fresh()](const catalog::View& view) {
    return peering::generate_token(view, work->context, request, ids);
  };
  caf::anon_send(desk_, job_atom::value,
                 DeskJob{[=, work = work_] { work->carry<std::string>(plan, answer); }});
}

void PeeringDesk::establish(peering::EstablishRequest request, Answer<void> answer) {
  auto job = [=, work = work_, desk = desk_] {
    auto plan = peering::plan_establish(*work->view->load(), work->context, request, fresh());
    if (!plan)
      return answer(fail(plan.error()));
    // The exchange blocks for up to some seconds: a thread of its own, for as long.
    work->self->system().spawn<caf::detached>([=] {
      auto secret = peering::exchange_secret(plan->token);
      caf::anon_send(desk, job_atom::value, DeskJob{[=] {
                       if (!secret)
                         return answer(fail(secret.error()));
                       work->apply({peering::finish_establish(*plan, *secret)}, answer);
                     }});
    });
  };
  caf::anon_send(desk_, job_atom::value, DeskJob{job});
}

void PeeringDesk::read(std::string name, Answer<PeeringRecord> answer) {
  answer(peering::read_peering(*work_->view->load(), name));
}

void PeeringDesk::list(Answer<std::vector<PeeringRecord>> answer) {
  answer(peering::list_peerings(*work_->view->load()));
}

void PeeringDesk::remove(std::string name, Answer<void> answer) {
  auto job = [=, work = work_] {
    auto commands = peering::delete_peering(*work->view->load(), name, now_wall());
    if (!commands)
      return answer(fail(commands.error()));
    work->apply(*commands, answer);
  };
  caf::anon_send(desk_, job_atom::value, DeskJob{job});
}

void PeeringDesk::read_trust_bundle(std::string name, Answer<BundleRecord> answer) {
  answer(peering::read_trust_bundle(*work_->view->load(), name));
}

void PeeringDesk::list_trust_bundles(std::string service, std::string kind,
                                     Answer<std::vector<BundleRecord>> answer) {
  answer(peering::list_trust_bundles(*work_->view->load(), service, kind));
}

} // namespace strait::actors
