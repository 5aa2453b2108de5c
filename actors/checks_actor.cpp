#include "actors/checks_actor.hpp"

#include "net/http_client.hpp"
#include "net/socket.hpp"

#include <caf/all.hpp>

#include <poll.h>

namespace strait::actors {

namespace {

using catalog::CheckRunner;
using model::Kind;

/// One probe, on a thread that exists for as long.
HttpFound probe_http(const CheckRunner::ProbeHttp& probe) {
  auto scheme = probe.url.find("://");
  auto path = probe.url.find('/', scheme == std::string::npos ? 0 : scheme + 3);
  net::HttpClientOptions options;
  options.connect_timeout = options.timeout = probe.timeout;
  options.insecure = probe.tls_skip_verify;
  auto client = net::HttpClient::create(probe.url.substr(0, path), options);
  if (!client)
    return fail(client.error());
  net::HttpRequest request{probe.method, path == std::string::npos ? "/" : probe.url.substr(path)};
  for (auto& [name, values] : probe.header)
    for (auto& value : values)
      request.fields.add(name, value);
  request.body = probe.body;
  auto response = client->send(request);
  if (!response)
    return fail(response.error());
  return CheckRunner::HttpAnswer{response->status, response->body};
}

Status probe_tcp(const CheckRunner::ProbeTcp& probe) {
  auto address = net::Address::parse(probe.address);
  if (!address)
    return fail(address.error());
  auto socket = net::connect_tcp(*address);
  if (!socket)
    return fail(socket.error());
  pollfd ready{socket->get(), POLLOUT, 0};
  if (poll(&ready, 1, static_cast<int>(probe.timeout.count())) == 0)
    return fail(Errc::unavailable, "{}: no answer within {} ms", probe.address,
                probe.timeout.count());
  return net::connect_outcome(*socket, *address);
}

struct Steps {
  ChecksActor::stateful_pointer<ChecksState> self;
  std::string node;
  CatalogActor catalog;
  Log log;

  std::string scope() const { return "/" + node; }

  void look(const catalog::View& view) const {
    auto& state = self->state;
    std::set<std::string> now;
    auto& checks = view.table<model::HealthCheck>();
    for (auto it = checks.lower_bound(model::Name{scope(), ""});
         it != checks.end() && it->first.ns == scope(); ++it) {
      auto& check = it->second->value;
      auto& definition = check.definition;
      if (definition.http.empty() && definition.tcp.empty() && definition.ttl == Millis{})
        continue; // Somebody else reports it.
      now.insert(check.id);
      if (auto added = state.runner.add(now_instant(), check); !added)
        log.error("check {}: {}", check.id, added.error().detail);
    }
    for (auto& id : state.known)
      if (!now.contains(id))
        state.runner.remove(id);
    state.known = std::move(now);
    schedule();
  }

  void carry_out(const CheckRunner::Effects& effects) const {
    for (auto& effect : effects)
      std::visit([&](auto& it) { carry_out(it); }, effect);
    schedule();
  }
  void carry_out(const CheckRunner::ProbeHttp& it) const {
    ChecksActor to{self};
    self->system().spawn<caf::detached>(
        [it, to] { caf::anon_send(to, http_atom::value, it.check, it.probe, probe_http(it)); });
  }
  void carry_out(const CheckRunner::ProbeTcp& it) const {
    ChecksActor to{self};
    self->system().spawn<caf::detached>(
        [it, to] { caf::anon_send(to, tcp_atom::value, it.check, it.probe, probe_tcp(it)); });
  }
  void carry_out(const CheckRunner::Report& it) const {
    apply(catalog::ReportCheck{node, it.check, it.status, it.output});
  }
  void carry_out(const CheckRunner::DeregisterService& it) const {
    log.warn("service {} was critical for too long: deregistered", it.service_id);
    apply(catalog::Deregister{.node = node, .instance_id = it.service_id});
  }
  void apply(catalog::Command command) const {
    self->request(catalog, caf::infinite, apply_atom::value, std::move(command))
        .then([*this](const Applied& applied) {
          if (!applied.revision && applied.revision.error().code != Errc::not_found)
            log.error("{}", applied.revision.error().detail);
        });
  }

  void schedule() const {
    auto& state = self->state;
    auto due = state.runner.next_due();
    if (due >= state.wakes_at)
      return;
    state.wakes_at = due;
    self->delayed_send(self, std::max(due - now_instant(), Millis{0}), tick_atom::value);
  }
};

} // namespace

ChecksActor::behavior_type checks_actor(ChecksActor::stateful_pointer<ChecksState> self,
                                        std::string node, CatalogActor catalog, Log log) {
  Steps steps{self, std::move(node), std::move(catalog), std::move(log)};
  self->request(steps.catalog, caf::infinite, watch_atom::value,
                caf::actor_cast<Watcher>(caf::strong_actor_ptr{self->ctrl()}),
                std::set<catalog::Topic>{{Kind::health_check, {steps.scope(), ""}}})
      .then([steps](const catalog::ViewPtr& view) { steps.look(*view); });
  return {
      [steps](change_atom, const Change& change) {
        steps.look(*change.view);
        steps.self->send(steps.catalog, done_atom::value);
      },
      [steps](report_atom, const std::string& check, model::Health status,
              const std::string& output, const ReportTaken& taken) {
        auto effects = steps.self->state.runner.reported(now_instant(), check, status, output);
        if (!effects)
          return taken(fail(effects.error()));
        steps.carry_out(*effects);
        taken({});
      },
      [steps](http_atom, const std::string& check, std::uint64_t probe, const HttpFound& found) {
        steps.carry_out(steps.self->state.runner.answered(now_instant(), check, probe, found));
      },
      [steps](tcp_atom, const std::string& check, std::uint64_t probe, const Status& found) {
        steps.carry_out(steps.self->state.runner.connected(now_instant(), check, probe, found));
      },
      [steps](tick_atom) {
        steps.self->state.wakes_at = Instant::max();
        steps.carry_out(steps.self->state.runner.tick(now_instant()));
      },
  };
}

} // namespace strait::actors
