#include "actors/proxy_dataplane.hpp"

#include "gateway/proxy/metrics_text.hpp"

#include <algorithm>

namespace strait::actors {

using gateway::proxy::Proxy;

Status Proxies::open() {
  std::lock_guard lock{mutex_};
  auto open = [this](std::unique_ptr<net::HttpThread>& port, std::string what, std::uint16_t number,
                     std::string path, auto answer) -> Status {
    if (number == 0 || port)
      return {};
    auto opened = gateway::proxy::open_status_port(
        {std::move(what), options_.address, number, std::move(path)}, std::move(answer));
    if (!opened)
      return fail(opened.error());
    port = std::move(*opened);
    return {};
  };
  if (auto opened = open(ready_port_, "readiness port", options_.ready_port, "/ready",
                         [this] { return gateway::proxy::readiness(ready()); });
      !opened)
    return opened;
  return open(metrics_port_, "metrics port", options_.metrics_port, options_.metrics_path,
              [this] { return gateway::proxy::prometheus_text(metrics()); });
}

std::string Proxies::metrics() {
  gateway::proxy::Counters sum;
  std::lock_guard lock{mutex_};
  for (auto* proxy : proxies_)
    sum += proxy->counters();
  return gateway::proxy::metrics_text(sum);
}

void Proxies::add(Proxy& proxy) {
  std::lock_guard lock{mutex_};
  proxies_.insert(&proxy);
  if (winding_down_)
    proxy.wind_down();
}

void Proxies::remove(Proxy& proxy) {
  std::lock_guard lock{mutex_};
  proxies_.erase(&proxy);
}

void Proxies::wind_down() {
  std::lock_guard lock{mutex_};
  winding_down_ = true;
  for (auto* proxy : proxies_)
    proxy->wind_down();
}

bool Proxies::ready() {
  std::lock_guard lock{mutex_};
  return !winding_down_ && !proxies_.empty() &&
         std::all_of(proxies_.begin(), proxies_.end(),
                     [](const Proxy* proxy) { return proxy->served_epoch() != 0; });
}

namespace {

class ProxyDataplane : public Dataplane {
public:
  ProxyDataplane(std::unique_ptr<Proxy> proxy, std::shared_ptr<Proxies> proxies)
      : proxy_{std::move(proxy)}, proxies_{std::move(proxies)} {
    proxies_->add(*proxy_);
  }
  ~ProxyDataplane() override {
    proxies_->remove(*proxy_);
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
  std::shared_ptr<Proxies> proxies_;
};

} // namespace

MakeDataplane make_proxies(gateway::proxy::ProxyOptions options, std::shared_ptr<Proxies> proxies) {
  return [options = std::move(options), proxies = std::move(proxies)](
             const model::Name& gateway,
             std::function<void(std::uint64_t)> served) -> Result<std::unique_ptr<Dataplane>> {
    if (auto opened = proxies->open(); !opened)
      return fail(opened.error());
    auto own = options;
    own.log = options.log.named("gateway " + to_string(gateway));
    auto proxy = Proxy::start(std::move(own));
    if (!proxy)
      return fail(proxy.error());
    (*proxy)->on_served(std::move(served));
    return std::make_unique<ProxyDataplane>(std::move(*proxy), proxies);
  };
}

} // namespace strait::actors
