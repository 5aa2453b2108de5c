#include "actors/proxy_dataplane.hpp"

#include <atomic>

namespace strait::actors {

namespace {

class ProxyDataplane : public Dataplane {
public:
  explicit ProxyDataplane(std::unique_ptr<gateway::proxy::Proxy> proxy)
      : proxy_{std::move(proxy)} {}
  ~ProxyDataplane() override { proxy_->drain(drain_max); }

  void publish(gateway::SnapshotPtr snapshot) override { proxy_->publish(std::move(snapshot)); }
  std::vector<std::string> errors() const override {
    std::vector<std::string> texts;
    for (auto& it : proxy_->listener_errors())
      texts.push_back(fmt::format("port {}: {}", it.port, it.error.detail));
    return texts;
  }

private:
  std::unique_ptr<gateway::proxy::Proxy> proxy_;
};

} // namespace

MakeDataplane make_proxies(gateway::proxy::ProxyOptions options) {
  auto ready_port_taken = std::make_shared<std::atomic<bool>>(false);
  return [options, ready_port_taken](
             const model::Name& gateway,
             std::function<void(std::uint64_t)> served) -> Result<std::unique_ptr<Dataplane>> {
    auto own = options;
    own.log = options.log.named("gateway " + to_string(gateway));
    if (ready_port_taken->exchange(true))
      own.ready_port = 0;
    auto proxy = gateway::proxy::Proxy::start(std::move(own));
    if (!proxy)
      return fail(proxy.error());
    (*proxy)->on_served(std::move(served));
    return std::make_unique<ProxyDataplane>(std::move(*proxy));
  };
}

} // namespace strait::actors
