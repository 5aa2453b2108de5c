#include "actors/key_set_fetcher.hpp"

#include "gateway/proxy/jwks.hpp"
#include "net/http_call.hpp"

#include <map>

namespace strait::actors {

namespace {

using catalog::KeySetFetches;

struct Target {
  net::HttpOrigin origin;
  std::string path;
};

Result<Target> target_of(const std::string& uri) {
  auto whole = std::string_view{uri}.substr(0, uri.find('#'));
  auto scheme = whole.find("://");
  auto path = whole.find_first_of("/?", scheme == std::string_view::npos ? 0 : scheme + 3);
  auto origin = net::HttpOrigin::parse(whole.substr(0, path));
  if (!origin)
    return fail(origin.error());
  std::string rest{path == std::string_view::npos ? "" : whole.substr(path)};
  return Target{std::move(*origin), rest.starts_with('/') ? rest : "/" + rest};
}

class Fetcher final : public KeySetFetcher {
public:
  Fetcher(net::EventLoop& loop, std::unique_ptr<net::Resolver> resolver)
      : loop_{loop}, poster_{loop.poster()}, resolver_{std::move(resolver)} {}

  void fetch(KeySetFetches::Fetch what, Callback callback) override {
    auto told = std::make_shared<Callback>(std::move(callback));
    bool posted = poster_.post([self = weak_from_this(), what = std::move(what), told]() mutable {
      if (auto it = std::static_pointer_cast<Fetcher>(self.lock()); it && it->resolver_)
        it->start(what, std::move(*told));
      else
        (*told)(closed());
    });
    if (!posted)
      (*told)(closed());
  }

  void close() override {
    auto running = std::exchange(running_, {});
    for (auto& [number, it] : running) {
      it->call.reset();
      it->callback(closed());
    }
    running.clear();
    resolver_.reset();
  }

private:
  struct Running {
    Callback callback;
    int status = 0;
    std::string body;
    std::unique_ptr<net::HttpCall> call;
  };
  static Result<std::string> closed() { return fail(Errc::unavailable, "the agent is ending"); }

  void start(const KeySetFetches::Fetch& what, Callback callback) {
    auto target = target_of(what.uri);
    if (!target)
      return callback(fail(target.error()));
    net::HttpCallOptions options;
    options.timeout = what.timeout;
    options.connect_timeout = std::min(what.connect_timeout, what.timeout);
    if (target->origin.tls) {
      auto context = context_of(what.ca_pem);
      if (!context)
        return callback(fail(context.error()));
      options.context = std::move(*context);
    }
    net::HttpRequest request{"GET", target->path};
    request.fields.add("Accept", "application/json, application/jwk-set+json");
    auto number = ++last_;
    auto& it = *(running_[number] = std::make_unique<Running>());
    it.callback = std::move(callback);
    net::HttpCallEvents events;
    events.head = [this, number](int status, const net::HttpFields&) {
      if (status == 200) {
        running_[number]->status = status;
        return;
      }
      bool redirect = status >= 300 && status < 400;
      end(number, fail(Errc::unavailable, "the server answered {}, expected 200{}", status,
                       redirect ? "; redirects are not followed" : ""));
    };
    events.data = [this, number](std::string_view piece) {
      auto& body = running_[number]->body;
      if (body.size() + piece.size() > gateway::proxy::jwks_bytes_max)
        return end(number, fail(Errc::exhausted, "the answer is longer than {} bytes",
                                gateway::proxy::jwks_bytes_max));
      body += piece;
    };
    events.end = [this, number](const Status& status) {
      end(number, status ? checked(std::move(running_[number]->body)) : fail(status.error()));
    };
    it.call = std::make_unique<net::HttpCall>(loop_, *resolver_, target->origin, std::move(request),
                                              std::move(options), std::move(events));
  }

  static Result<std::string> checked(std::string body) {
    auto keys = gateway::proxy::KeySet::parse(body);
    if (!keys)
      return fail(keys.error().code, "the answer is no JSON Web Key Set: {}", keys.error().detail);
    return body;
  }

  void end(std::uint64_t number, Result<std::string> result) {
    auto it = running_.find(number);
    auto callback = std::move(it->second->callback);
    running_.erase(it);
    callback(std::move(result));
  }

  /// The machine's roots are read once: there are many.
  Result<std::shared_ptr<const net::TlsClientContext>> context_of(const std::string& ca_pem) {
    if (ca_pem.empty() && system_roots_)
      return system_roots_;
    net::TlsClientOptions options;
    options.ca_pem = ca_pem;
    options.system_roots = ca_pem.empty();
    auto context = net::TlsClientContext::create(std::move(options));
    if (context && ca_pem.empty())
      system_roots_ = *context;
    return context;
  }

  net::EventLoop& loop_;
  net::Poster poster_;
  std::unique_ptr<net::Resolver> resolver_; ///< Null: closed.
  std::shared_ptr<const net::TlsClientContext> system_roots_;
  std::map<std::uint64_t, std::unique_ptr<Running>> running_;
  std::uint64_t last_ = 0;
};

} // namespace

Result<std::shared_ptr<KeySetFetcher>> KeySetFetcher::create(net::EventLoop& loop) {
  auto resolver = net::Resolver::create(loop);
  if (!resolver)
    return fail(resolver.error());
  return std::make_shared<Fetcher>(loop, std::move(*resolver));
}

} // namespace strait::actors
