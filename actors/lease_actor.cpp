#include "actors/lease_actor.hpp"

#include "base/overload.hpp"

namespace strait::actors {

namespace {

using kubernetes::Lease;

enum Step : int { read_lease, write_lease };
/// Shorter than the deadline of renewal, so that one lost answer does not cost the lead.
constexpr Millis request_timeout{2'000};

struct Steps {
  LeaseActor::stateful_pointer<LeaseState> self;
  LeaseActorOptions options;

  std::string collection() const {
    return "/apis/coordination.k8s.io/v1/namespaces/" + options.ns + "/leases";
  }

  void ask(Step step, kubernetes::Request request) const {
    request.timeout = request_timeout;
    auto address = caf::actor_cast<caf::actor_addr>(self);
    options.client->request(
        std::move(request), [address, step](Result<kubernetes::Response> response) {
          Answered answer{.step = step};
          if (!response) {
            answer.body = fail(response.error());
          } else {
            answer.status = response->status;
            auto outcome = outcome_of(*response);
            answer.body =
                outcome ? Result<std::string>{std::move(response->body)} : fail(outcome.error());
          }
          if (auto strong = caf::actor_cast<caf::strong_actor_ptr>(address))
            caf::anon_send(caf::actor_cast<LeaseActor>(std::move(strong)), answer_atom::value,
                           std::move(answer));
        });
  }

  void write(const kubernetes::LeaseRecord& record, bool create) const {
    auto path = collection();
    // With the resource version that was read, a patch is a compare-and-set too, and leaves what
    // others put beside it: labels, owners.
    ask(write_lease,
        {.method = create ? "POST" : "PATCH",
         .path = create ? path : path + "/" + options.name,
         .body = write_json(encode_lease(record, options.ns, options.name), 0),
         .content_type = std::string{create ? "application/json" : kubernetes::merge_patch}});
  }

  void carry_out(const Lease::Effects& effects) const {
    for (auto& effect : effects)
      std::visit(overload{[&](const Lease::Get&) {
                            ask(read_lease, {.path = collection() + "/" + options.name});
                          },
                          [&](const Lease::Create& it) { write(it.record, true); },
                          [&](const Lease::Update& it) { write(it.record, false); },
                          [&](const Lease::Elected&) {
                            options.log.info("leading: this replica writes to Kubernetes");
                            options.lead(true);
                          },
                          [&](const Lease::Lost& it) {
                            options.log.info("not leading any more: {}", it.why);
                            options.lead(false);
                          },
                          [&](const Lease::Wait& it) {
                            self->delayed_send(self, it.delay, tick_atom::value);
                          }},
                 effect);
    auto elsewhere = self->state.lease->feed_elsewhere();
    if (std::exchange(self->state.elsewhere, elsewhere) != elsewhere)
      options.feed_elsewhere(elsewhere);
  }

  void answered(const Answered& answer) const {
    auto& state = self->state;
    if (state.releasing && answer.step == write_lease) {
      state.released.deliver(answer.body.has_value());
      return;
    }
    auto& lease = *state.lease;
    auto now = options.now();
    if (answer.step == read_lease && answer.status == 404)
      return carry_out(lease.got(now, now_wall(), {}));
    auto record = answer.body ? kubernetes::parse_lease(*answer.body)
                              : Result<kubernetes::LeaseRecord>{fail(answer.body.error())};
    if (!record) {
      // Another replica's write before ours is no trouble.
      if (answer.status != 409 &&
          std::exchange(state.trouble, record.error().detail) != record.error().detail)
        options.log.warn("lease {}/{}: {}", options.ns, options.name, record.error().detail);
      return carry_out(lease.failed(now, record.error().detail));
    }
    state.trouble.clear();
    carry_out(answer.step == read_lease ? lease.got(now, now_wall(), std::move(*record))
                                        : lease.wrote(now, std::move(*record)));
  }
};

} // namespace

LeaseActor::behavior_type lease_actor(LeaseActor::stateful_pointer<LeaseState> self,
                                      LeaseActorOptions options) {
  Steps steps{self, std::move(options)};
  self->state.lease = std::make_unique<Lease>(steps.options.lease);
  steps.carry_out(self->state.lease->start(steps.options.now(), now_wall()));
  return {
      [steps](answer_atom, const Answered& answer) { steps.answered(answer); },
      [steps](tick_atom) {
        steps.carry_out(steps.self->state.lease->due(steps.options.now(), now_wall()));
      },
      [steps](release_atom) -> caf::result<bool> {
        auto& state = steps.self->state;
        if (!state.lease->leading())
          return false;
        state.releasing = true;
        state.released = steps.self->make_response_promise<bool>();
        steps.carry_out(state.lease->release(now_wall()));
        return state.released;
      },
  };
}

} // namespace strait::actors
