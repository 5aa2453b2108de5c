#include "actors/proxy_dataplane.hpp"

#include "gateway/proxy/ready.hpp"

#include <algorithm>
#include <mutex>
#include <set>

namespace strait::actors {

namespace {

using gateway::proxy::Proxy;
using gateway::proxy::ReadyPort;

/// The process' one readiness port: ready once every proxy in it serves. Any thread.
class Readiness {
public:
  /// Opens the port with the first proxy; no port (0) is always open.
  Status open(const std::string& address, std::uint16_t port) {
    std::lock_guard lock{mutex_};
    if (port == 0 || port_)
      return {};
    auto opened = ReadyPort::start(address, port, [this] { return ready(); });
    if (!opened)
      return fail(opened.error());
    port_ = std::move(*opened);
    return {};
  }
  void add(const Proxy& proxy) {
    std::lock_guard lock{mutex_};
    proxies_.insert(&proxy);
  }
  void remove(const Proxy& proxy) {
    std::lock_guard lock{mutex_};
    proxies_.erase(&proxy);
  }

private:
  bool ready() {
    std::lock_guard lock{mutex_};
    return !proxies_.empty() &&
           std::all_of(proxies_.begin(), proxies_.end(),
                       [](const Proxy* proxy) { return proxy->served_epoch() != 0; });
  }

  std::mutex mutex_;
  std::set<const Proxy*> proxies_;
  std::unique_ptr<ReadyPort> port_; // Ends first: its thread asks for the proxies.
};

class ProxyDataplane : public Dataplane {
public:
  ProxyDataplane(std::unique_ptr<Proxy> proxy, std::shared_ptr<Readiness> readiness)
      : proxy_{std::move(proxy)}, readiness_{std::move(readiness)} {
    readiness_->add(*proxy_);
  }
  ~ProxyDataplane() override {
    readiness_->remove(*proxy_);
    proxy_->drain(drain_max);
  }

  void publish(gateway::SnapshotPtr snapshot) override { proxy_->publish(std::move(snapshot)); }
  std::vector<std::string> errors() const override {
    std::vector<std::string> texts;
    for (auto& it : proxy_->listener_errors())
      texts.push_back(fmt::format("port {}: {}", it.port, it.error.detail));
    return texts;
  }

private:
  std::unique_ptr<Proxy> proxy_;
  std::shared_ptr<Readiness> readiness_;
};

} // namespace

MakeDataplane make_proxies(gateway::proxy::ProxyOptions options) {
  return [options, readiness = std::make_shared<Readiness>()](
             const model::Name& gateway,
             std::function<void(std::uint64_t)> served) -> Result<std::unique_ptr<Dataplane>> {
    if (auto opened = readiness->open(options.ready_address, options.ready_port); !opened)
      return fail(opened.error());
    auto own = options;
    own.log = options.log.named("gateway " + to_string(gateway));
    own.ready_port = 0;
    auto proxy = Proxy::start(std::move(own));
    if (!proxy)
      return fail(proxy.error());
    (*proxy)->on_served(std::move(served));
    return std::make_unique<ProxyDataplane>(std::move(*proxy), readiness);
  };
}

} // namespace strait::actors
