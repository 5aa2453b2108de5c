#include "kubernetes/client.hpp"

#include "kubernetes/credentials.hpp"
#include "kubernetes/document.hpp"
#include "net/http_call.hpp"

#include <array>
#include <atomic>
#include <charconv>
#include <deque>
#include <map>

namespace strait::kubernetes {

namespace {

/// A connection that lay idle for longer may have been closed by the server unseen.
constexpr Millis idle_max{30'000};

/// A dropped handle's word to the loop.
struct WatchState {
  std::atomic<bool> dropped{false};
};

std::string target_of(const Request& request) {
  auto out = request.path;
  char sign = '?';
  for (auto& [key, value] : request.query) {
    out += sign + net::percent_encode(key) + "=" + net::percent_encode(value);
    sign = '&';
  }
  return out;
}

Millis retry_after(const net::HttpFields& fields) {
  auto text = fields.get("Retry-After");
  unsigned seconds = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  constexpr unsigned seconds_max = 300;
  return error == std::errc{} ? Millis{1'000} * std::min(seconds, seconds_max) : Millis{0};
}

class ApiClient final : public Client, public std::enable_shared_from_this<ApiClient> {
public:
  ApiClient(net::EventLoop& loop, std::unique_ptr<net::Resolver> resolver, net::HttpOrigin origin,
            ClientConfig config, Credentials credentials, ClientOptions options, Log log)
      : loop_{loop}, poster_{loop.poster()}, resolver_{std::move(resolver)},
        origin_{std::move(origin)}, config_{std::move(config)},
        credentials_{std::move(credentials)}, options_{options}, log_{std::move(log)} {}

  void request(Request request, Callback callback) override {
    auto shared =
        std::make_shared<Waiting>(Waiting{std::move(request), std::move(callback), false});
    bool posted = poster_.post([self = weak_from_this(), shared] {
      if (auto client = self.lock())
        client->take(std::move(*shared));
      else
        shared->callback(fail(Errc::unavailable, "the Kubernetes client is closed"));
    });
    if (!posted)
      shared->callback(fail(Errc::unavailable, "the Kubernetes client is closed"));
  }

  std::unique_ptr<WatchHandle> watch(Request request, WatchCallbacks callbacks) override {
    auto state = std::make_shared<WatchState>();
    auto id = next_watch_.fetch_add(1);
    auto shared = std::make_shared<WatchCallbacks>(std::move(callbacks));
    bool posted = poster_.post([self = weak_from_this(), id, state, request, shared] {
      auto client = self.lock();
      if (client && !client->closed_)
        client->start_watch(id, state, request, std::move(*shared));
      else if (!state->dropped)
        shared->ended(fail(Errc::unavailable, "the Kubernetes client is closed"));
    });
    if (!posted)
      shared->ended(fail(Errc::unavailable, "the Kubernetes client is closed"));
    return std::make_unique<Handle>(poster_, weak_from_this(), id, std::move(state));
  }

  void close() override {
    if (std::exchange(closed_, true))
      return;
    auto gone = [] { return fail(Errc::unavailable, "the Kubernetes client is closed"); };
    auto waiting = std::exchange(waiting_, {});
    auto flying = std::exchange(flying_, {});
    auto watches = std::exchange(watches_, {});
    idle_.clear();
    for (auto& it : waiting)
      it.callback(gone());
    for (auto& [id, it] : flying) {
      it->call.reset();
      it->waiting.callback(gone());
    }
    for (auto& [id, it] : watches) {
      it->call.reset();
      if (!it->state->dropped)
        it->callbacks.ended(gone());
    }
    resolver_.reset();
  }

  net::EventLoop& loop() override { return loop_; }
  const std::string& server() const override { return config_.server; }

private:
  struct Waiting {
    Request request;
    Callback callback;
    bool retried;
  };
  struct Flying {
    Waiting waiting;
    Response response;
    bool too_large = false;
    std::unique_ptr<net::HttpCall> call;
  };
  struct Watching {
    std::shared_ptr<WatchState> state;
    WatchCallbacks callbacks;
    Response response;
    std::string line;
    std::size_t ahead = 0;
    std::unique_ptr<net::HttpCall> call;
  };
  struct Idle {
    std::unique_ptr<net::Stream> stream;
    Instant since;
  };
  class Handle final : public WatchHandle {
  public:
    Handle(net::Poster poster, std::weak_ptr<ApiClient> client, std::uint64_t id,
           std::shared_ptr<WatchState> state)
        : poster_{std::move(poster)}, client_{std::move(client)}, id_{id}, state_{
                                                                               std::move(state)} {}
    ~Handle() override {
      state_->dropped = true;
      tell([](ApiClient& client, std::uint64_t id) { client.watches_.erase(id); });
    }
    void taken(std::size_t lines) override {
      tell([lines](ApiClient& client, std::uint64_t id) { client.taken(id, lines); });
    }

  private:
    template <class Task>
    void tell(Task task) {
      (void)poster_.post([client = client_, id = id_, task] {
        if (auto it = client.lock())
          task(*it, id);
      });
    }
    net::Poster poster_;
    std::weak_ptr<ApiClient> client_;
    std::uint64_t id_;
    std::shared_ptr<WatchState> state_;
  };

  void take(Waiting waiting) {
    if (closed_)
      return waiting.callback(fail(Errc::unavailable, "the Kubernetes client is closed"));
    if (waiting_.size() >= options_.requests_waiting_max)
      return waiting.callback(fail(Errc::exhausted, "{} requests wait for the API server already",
                                   options_.requests_waiting_max));
    waiting_.push_back(std::move(waiting));
    fly();
  }

  void fly() {
    while (!closed_ && !waiting_.empty() && flying_.size() < options_.requests_in_flight_max) {
      auto waiting = std::move(waiting_.front());
      waiting_.pop_front();
      launch(std::move(waiting));
    }
  }

  net::HttpRequest http_request(const Request& request) {
    if (auto changed = credentials_.refresh(loop_.now(), options_.credentials_refresh); !changed)
      log_.warn("credentials are kept as they were: {}", changed.error().detail);
    net::HttpRequest out{request.method, target_of(request)};
    out.fields.add("Accept", request.accept);
    out.fields.add("User-Agent", "strait");
    if (!credentials_.authorization().empty())
      out.fields.add("Authorization", credentials_.authorization());
    if (!request.body.empty())
      out.fields.add("Content-Type", request.content_type);
    out.body = request.body;
    return out;
  }
  net::HttpCallOptions call_options() const {
    net::HttpCallOptions out;
    out.connect_timeout = options_.connect_timeout;
    out.tls_name = config_.tls_server_name;
    out.check_name = !config_.insecure_skip_tls_verify;
    out.context = credentials_.context();
    return out;
  }

  void launch(Waiting waiting) {
    auto id = next_flight_++;
    auto& flying = flying_[id];
    flying = std::make_unique<Flying>();
    auto request = http_request(waiting.request);
    auto options = call_options();
    options.timeout = waiting.request.timeout;
    flying->waiting = std::move(waiting);
    auto* it = flying.get();
    net::HttpCallEvents events;
    events.head = [it](int status, const net::HttpFields& fields) {
      it->response.status = status;
      it->response.retry_after = retry_after(fields);
    };
    events.data = [this, it, id](std::string_view data) {
      if (it->response.body.size() + data.size() > options_.body_bytes_max)
        return ended(id, fail(Errc::exhausted, "{}: the answer has more than {} bytes",
                              it->waiting.request.path, options_.body_bytes_max));
      it->response.body += data;
    };
    events.end = [this, id](Status status) { ended(id, std::move(status)); };
    it->call = std::make_unique<net::HttpCall>(loop_, *resolver_, origin_, std::move(request),
                                               std::move(options), std::move(events), reuse());
  }

  std::unique_ptr<net::Stream> reuse() {
    while (!idle_.empty()) {
      auto idle = std::move(idle_.back());
      idle_.pop_back();
      std::array<char, 1> byte;
      if (loop_.now() - idle.since < idle_max &&
          idle.stream->read_some(byte).state == net::Io::want_read)
        return std::move(idle.stream);
    }
    return nullptr;
  }

  void ended(std::uint64_t id, Status status) {
    auto node = flying_.extract(id);
    if (node.empty())
      return;
    auto flying = std::move(node.mapped());
    if (auto stream = status ? flying->call->take_stream() : nullptr;
        stream && idle_.size() < options_.requests_in_flight_max)
      idle_.push_back({std::move(stream), loop_.now()});
    auto& waiting = flying->waiting;
    bool first = !std::exchange(waiting.retried, true);
    bool refused = status && flying->response.status == 401 && first &&
                   credentials_.refresh(loop_.now(), Millis{0}).value_or(false);
    bool idempotent = waiting.request.method == "GET" || waiting.request.method == "PUT";
    bool unseen = !status && status.error().code == Errc::unavailable && first && idempotent &&
                  flying->call->unanswered() && flying->call->on_kept_connection();
    if (refused || unseen) {
      waiting_.push_front(std::move(waiting));
    } else if (status) {
      waiting.callback(std::move(flying->response));
    } else {
      waiting.callback(fail(std::move(status.error())));
    }
    fly();
  }

  void start_watch(std::uint64_t id, std::shared_ptr<WatchState> state, const Request& request,
                   WatchCallbacks callbacks) {
    if (state->dropped)
      return;
    if (watches_.size() >= options_.watches_max)
      return callbacks.ended(fail(Errc::exhausted, "{} watches run already", options_.watches_max));
    auto& watching = watches_[id];
    watching = std::make_unique<Watching>();
    watching->state = std::move(state);
    watching->callbacks = std::move(callbacks);
    auto options = call_options();
    options.timeout = Millis{0};
    options.idle_timeout = request.timeout;
    auto* it = watching.get();
    net::HttpCallEvents events;
    events.head = [it](int status, const net::HttpFields& fields) {
      it->response.status = status;
      it->response.retry_after = retry_after(fields);
    };
    events.data = [this, id](std::string_view data) { watch_data(id, data); };
    events.end = [this, id](const Status& status) { watch_ended(id, status); };
    it->call = std::make_unique<net::HttpCall>(loop_, *resolver_, origin_, http_request(request),
                                               std::move(options), std::move(events), nullptr);
  }

  void watch_data(std::uint64_t id, std::string_view data) {
    auto& watching = *watches_.at(id);
    if (watching.response.status != 200) {
      auto room = options_.line_bytes_max -
                  std::min(options_.line_bytes_max, watching.response.body.size());
      watching.response.body += data.substr(0, room);
      return;
    }
    while (!data.empty()) {
      auto end = data.find('\n');
      auto part = data.substr(0, end);
      if (watching.line.size() + part.size() > options_.line_bytes_max)
        return watch_ended(id, fail(Errc::exhausted, "a watch event has more than {} bytes",
                                    options_.line_bytes_max));
      watching.line += part;
      if (end == std::string_view::npos)
        return;
      data.remove_prefix(end + 1);
      auto line = std::exchange(watching.line, {});
      if (line.empty())
        continue;
      if (++watching.ahead >= options_.lines_ahead_max)
        watching.call->pause();
      if (!watching.state->dropped)
        watching.callbacks.line(std::move(line));
      if (!watches_.contains(id))
        return; // The callback closed the client.
    }
  }

  void watch_ended(std::uint64_t id, const Status& status) {
    auto node = watches_.extract(id);
    if (node.empty())
      return;
    auto watching = std::move(node.mapped());
    watching->call.reset();
    if (watching->state->dropped)
      return;
    if (status)
      watching->callbacks.ended(std::move(watching->response));
    else
      watching->callbacks.ended(fail(status.error()));
  }

  void taken(std::uint64_t id, std::size_t lines) {
    auto it = watches_.find(id);
    if (it == watches_.end())
      return;
    auto& watching = *it->second;
    watching.ahead -= std::min(lines, watching.ahead);
    if (watching.ahead < options_.lines_ahead_max)
      watching.call->resume();
  }

  net::EventLoop& loop_;
  net::Poster poster_;
  std::unique_ptr<net::Resolver> resolver_;
  net::HttpOrigin origin_;
  ClientConfig config_;
  Credentials credentials_;
  ClientOptions options_;
  Log log_;
  bool closed_ = false;
  std::deque<Waiting> waiting_;
  std::map<std::uint64_t, std::unique_ptr<Flying>> flying_;
  std::map<std::uint64_t, std::unique_ptr<Watching>> watches_;
  std::uint64_t next_flight_ = 1;
  std::atomic<std::uint64_t> next_watch_{1};
  std::vector<Idle> idle_;
};

} // namespace

Request apply_request(std::string path, std::string body, std::string_view field_manager) {
  return {.method = "PATCH",
          .path = std::move(path),
          .query = {{"fieldManager", std::string{field_manager}}, {"force", "true"}},
          .body = std::move(body),
          .content_type = std::string{apply_patch}};
}

Status outcome_of(const Response& response) {
  if (response.status >= 200 && response.status < 300)
    return {};
  auto code = response.status == 401 || response.status == 403   ? Errc::denied
              : response.status == 404                           ? Errc::not_found
              : response.status == 409                           ? Errc::conflict
              : response.status == 400 || response.status == 422 ? Errc::invalid
                                                                 : Errc::unavailable;
  auto tree = parse_json(response.body, "");
  auto* message = tree ? tree->find("message") : nullptr;
  auto* text = message ? std::get_if<std::string>(&message->value) : nullptr;
  constexpr std::size_t quote_max = 300;
  return fail(code, "the API server answered {}: {}", response.status,
              text && !text->empty() ? *text : response.body.substr(0, quote_max));
}

Result<std::shared_ptr<Client>> Client::create(net::EventLoop& loop, ClientConfig config,
                                               ClientOptions options, Log log) {
  auto origin = net::HttpOrigin::parse(config.server);
  if (!origin)
    return fail(origin.error());
  auto credentials = Credentials::load(config);
  if (!credentials)
    return fail(credentials.error());
  auto resolver = net::Resolver::create(loop);
  if (!resolver)
    return fail(resolver.error());
  return std::shared_ptr<Client>{
      std::make_shared<ApiClient>(loop, std::move(*resolver), std::move(*origin), std::move(config),
                                  std::move(*credentials), options, std::move(log))};
}

} // namespace strait::kubernetes
