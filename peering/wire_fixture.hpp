#pragma once

#include "base/random.hpp"
#include "peering/accept_wire.hpp"
#include "peering/link.hpp"
#include "peering/link_world.hpp"
#include "peering/names.hpp"
#include "peering/out_queue.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <stdlib.h>
#include <thread>

/// For tests over loopback: one agent's worth of peering around a real catalog, one thread that
/// does everything the actors do, and a gRPC server with TLS.
namespace strait::peering::test {

class Agent final : public PeerAcceptor, public PeeringHandler {
public:
  Agent(const std::string& datacenter, const std::string& cluster_id)
      : datacenter_{datacenter}, trust_domain_{trust_domain_of(cluster_id)} {
    char name[] = "/tmp/strait-peering-XXXXXX";
    directory_ = ::mkdtemp(name);
    auto authority = make_authority(trust_domain_, now_wall()).value();
    apply(catalog::WriteAuthority{authority});
    certificate_ = ServerCertificate::create(
                       directory_ + "/tls",
                       issue(authority, server_leaf(trust_domain_, datacenter), now_wall()).value())
                       .value();
    stream_service_ = make_peer_stream_service(*this);
    peering_service_ = make_peering_service(*this);
    serve();
    thread_ = std::thread{[this] { run(); }};
  }
  ~Agent() override {
    stop_serving();
    call([this] {
      for (auto& item : links_)
        if (item.second.stream)
          item.second.stream->hang_up(Code::cancelled, "stopping");
    });
    // gRPC still holds them, and through them this, until their last event.
    for (bool busy = true; busy; std::this_thread::sleep_for(Millis{1}))
      call([&] {
        busy = false;
        for (auto& item : links_)
          item.second.stream.reset();
        for (auto& stream : all_)
          busy = busy || !stream.expired();
      });
    {
      std::lock_guard lock{mutex_};
      stopping_ = true;
    }
    wake_.notify_all();
    thread_.join();
    (void)::system(("rm -rf " + directory_).c_str());
  }

  void serve() {
    server_ =
        GrpcServer::start({{"127.0.0.1:" + std::to_string(tls_port), certificate_->credentials()},
                           {"127.0.0.1:" + std::to_string(plain_port), nullptr}},
                          {stream_service_.get(), peering_service_.get()})
            .value();
    tls_port = server_->ports()[0];
    plain_port = server_->ports()[1];
  }
  void stop_serving() {
    if (server_)
      server_->shutdown(Millis{0});
    server_.reset();
  }
  int tls_port = 0, plain_port = 0;

  /// Runs on the agent's thread and waits for it.
  void call(std::function<void()> work) {
    std::mutex mutex;
    std::condition_variable done;
    bool ready = false;
    post([&] {
      work();
      std::lock_guard lock{mutex};
      ready = true;
      done.notify_all();
    });
    std::unique_lock lock{mutex};
    done.wait(lock, [&] { return ready; });
  }
  void write(const catalog::Command& command) {
    call([&] { REQUIRE(apply(command)); });
  }
  catalog::ViewPtr view() {
    catalog::ViewPtr view;
    call([&] { view = catalog_.view(); });
    return view;
  }
  LinkCounters counters(const std::string& peering) {
    LinkCounters counters;
    call([&] {
      if (links_.count(peering))
        counters = links_[peering].link->counters();
    });
    return counters;
  }
  void cut(const std::string& peering) {
    call([&] {
      if (links_[peering].stream)
        links_[peering].stream->hang_up(Code::unavailable, "cut by the test");
    });
  }
  void replace_certificate(const Leaf& leaf) { REQUIRE(certificate_->replace(leaf)); }
  const std::string& trust_domain() const { return trust_domain_; }

  // PeerAcceptor
  void opened(Message first, std::shared_ptr<Stream> stream, Admit answer) override {
    post([this, first = std::move(first), stream, answer] {
      all_.push_back(stream);
      auto admission = admit(*catalog_.view(), context(), first);
      if (!admission)
        return answer(tl::unexpected<Refusal>(admission.error()));
      for (auto& command : admission->commands)
        apply(command);
      auto& held = link_of(admission->peering);
      auto id = ++streams_;
      answer(events(admission->peering, id));
      carry_out(admission->peering, held.link->accepted(moment(), id), stream, id);
    });
  }
  void exchange(std::string peer_id, std::string secret,
                std::function<void(Result<std::string>)> answer) override {
    post([=, this] {
      auto plan = accept_exchange(*catalog_.view(), context(), peer_id, secret,
                                  {random_uuid(), random_uuid()});
      answer(carried<std::string>(plan));
    });
  }
  // PeeringHandler
  void generate_token(GenerateTokenRequest request, Answer<std::string> answer) override {
    post([=, this] {
      answer(carried<std::string>(peering::generate_token(*catalog_.view(), context(), request,
                                                          {random_uuid(), random_uuid()})));
    });
  }
  void establish(EstablishRequest request, Answer<void> answer) override {
    // On this (gRPC's) thread, because the exchange blocks.
    auto plan = plan_establish(*view(), context(), request, {random_uuid(), random_uuid()});
    if (!plan)
      return answer(fail(plan.error()));
    auto secret = exchange_secret(plan->token);
    if (!secret)
      return answer(fail(secret.error()));
    post([=, this] {
      auto name = plan->peering.name;
      auto done = apply(finish_establish(*plan, *secret));
      if (done)
        link_of(name);
      answer(done);
    });
  }
  void read(std::string name, Answer<PeeringRecord> answer) override {
    post([=, this] { answer(read_peering(*catalog_.view(), name)); });
  }
  void list(Answer<std::vector<PeeringRecord>> answer) override {
    post([=, this] { answer(list_peerings(*catalog_.view())); });
  }
  void remove(std::string name, Answer<void> answer) override {
    post([=, this] {
      auto commands = delete_peering(*catalog_.view(), name, now_wall());
      if (!commands)
        return answer(fail(commands.error()));
      for (auto& command : *commands)
        apply(command);
      answer({});
    });
  }
  void read_trust_bundle(std::string name, Answer<BundleRecord> answer) override {
    post([=, this] { answer(peering::read_trust_bundle(*catalog_.view(), name)); });
  }
  void list_trust_bundles(std::string service, std::string kind,
                          Answer<std::vector<BundleRecord>> answer) override {
    post([=, this] { answer(peering::list_trust_bundles(*catalog_.view(), service, kind)); });
  }

private:
  struct Held {
    std::unique_ptr<Link> link;
    std::shared_ptr<Stream> stream;
    Link::StreamId id = 0;
  };

  FrontendContext context() const {
    return {.datacenter = datacenter_,
            .server_addresses = {"127.0.0.1:" + std::to_string(tls_port)}};
  }
  static Moment moment() { return {now_instant(), now_wall()}; }

  template <class Reply>
  Result<Reply> carried(Result<Plan<Reply>> plan) {
    if (!plan)
      return fail(plan.error());
    for (auto& command : plan->commands)
      if (auto done = apply(command); !done)
        return fail(done.error());
    return plan->reply;
  }

  Held& link_of(const std::string& name) {
    auto& held = links_[name];
    if (held.link)
      return held;
    LinkOptions options{.peering = *catalog_.view()->find<model::Peering>({"", name}),
                        .store_id = "store-" + datacenter_,
                        .exports = {.datacenter = datacenter_}};
    if (auto* secrets = catalog_.view()->find<model::PeeringSecrets>({"", name}))
      options.stream_secret = secrets->active_stream;
    options.backoff = {.first = Millis{50}, .max = Millis{200}};
    held.link = std::make_unique<Link>(std::move(options));
    carry_out(name, held.link->exports_changed(moment(), catalog_.view()));
    return held;
  }

  Status apply(const catalog::Command& command) {
    auto outcome = catalog_.apply(command, now_wall());
    if (!outcome)
      return fail(outcome.error());
    if (!outcome->nothing())
      post([this] {
        std::vector<std::string> gone;
        for (auto& [name, held] : links_) {
          auto* record = catalog_.view()->find<model::Peering>({"", name});
          auto* secrets = catalog_.view()->find<model::PeeringSecrets>({"", name});
          if (!record)
            continue;
          carry_out(name, held.link->exports_changed(moment(), catalog_.view()));
          carry_out(name, held.link->peering_changed(moment(), *record,
                                                     secrets ? secrets->active_stream : ""));
        }
      });
    return {};
  }

  StreamEvents events(const std::string& name, Link::StreamId id) {
    return {[=, this](Message message) {
              post([=, this, message = std::move(message)] {
                carry_out(name, links_[name].link->received(moment(), id, message));
                if (links_[name].id == id && links_[name].stream)
                  links_[name].stream->read_on(); // A test never has too much to commit.
              });
            },
            [=, this](Code code, std::string why) {
              post(
                  [=, this] { carry_out(name, links_[name].link->lost(moment(), id, code, why)); });
            }};
  }

  void carry_out(const std::string& name, Link::Effects effects,
                 const std::shared_ptr<Stream>& accepted = nullptr, Link::StreamId id = 0) {
    auto& held = links_[name];
    for (auto& effect : effects)
      std::visit(overload{[&](Link::Dial& target) {
                            held.id = target.stream;
                            held.stream = dial({target.address, target.ca_pems, target.server_name},
                                               events(name, target.stream));
                            all_.push_back(held.stream);
                            held.stream->read_on();
                            carry_out(name, held.link->connected(moment(), target.stream));
                          },
                          [&](Link::Send& send) {
                            adopt(held, accepted, id, send.stream);
                            if (send.stream == held.id)
                              held.stream->send(send.message, send.urgent);
                          },
                          [&](Link::Apply& apply_effect) {
                            post([=, this] {
                              auto status = apply(apply_effect.command);
                              if (apply_effect.ticket)
                                carry_out(name, links_[name].link->committed(
                                                    moment(), apply_effect.ticket, status));
                            });
                          },
                          [&](Link::HangUp& hang_up) {
                            if (hang_up.stream == held.id && held.stream)
                              held.stream->hang_up(hang_up.code, hang_up.why);
                          },
                          [&](Link::Drain& drain) {
                            if (drain.stream == held.id && held.stream)
                              held.stream->drain();
                          }},
                 effect);
  }
  static void adopt(Held& held, const std::shared_ptr<Stream>& accepted, Link::StreamId id,
                    Link::StreamId wanted) {
    if (accepted && wanted == id && held.id != id) {
      held.stream = accepted;
      held.id = id;
    }
  }

  void post(std::function<void()> work) {
    {
      std::lock_guard lock{mutex_};
      queue_.push_back(std::move(work));
    }
    wake_.notify_all();
  }
  void run() {
    std::unique_lock lock{mutex_};
    while (!stopping_) {
      if (queue_.empty())
        wake_.wait_for(lock, Millis{10});
      while (!queue_.empty()) {
        auto work = std::move(queue_.front());
        queue_.pop_front();
        lock.unlock();
        work();
        lock.lock();
      }
      lock.unlock();
      for (auto& item : links_)
        carry_out(item.first, item.second.link->tick(moment()));
      lock.lock();
    }
  }

  std::string datacenter_, trust_domain_, directory_;
  catalog::Catalog catalog_;
  std::optional<ServerCertificate> certificate_;
  std::map<std::string, Held> links_;
  std::vector<std::weak_ptr<Stream>> all_;
  Link::StreamId streams_ = 1'000'000;
  std::shared_ptr<grpc::Service> stream_service_, peering_service_;
  std::unique_ptr<GrpcServer> server_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  bool stopping_ = false;
  std::thread thread_;
};

/// Waits for something that another thread is about to bring, for at most ten seconds.
template <class Condition>
bool eventually(Condition condition) {
  for (int i = 0; i < 500; ++i) {
    if (condition())
      return true;
    std::this_thread::sleep_for(Millis{20});
  }
  return false;
}

} // namespace strait::peering::test
