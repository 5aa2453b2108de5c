#include "kubernetes/mirror.hpp"

#include "base/overload.hpp"
#include "net/event_loop.hpp"

#include <algorithm>
#include <atomic>

namespace strait::kubernetes {

namespace {

/// The server ends a watch after a time between these, so that not all end at once.
constexpr unsigned watch_seconds_min = 300, watch_seconds_max = 600;
/// Bookmarks come about every minute; a server that says nothing for so long is not there.
constexpr Millis watch_idle{Millis{1'000} * (watch_seconds_max + 30)};

Failure failure_of(const Result<Response>& result) {
  if (!result)
    return {result.error().code == Errc::exhausted ? Failure::Kind::too_large
                                                   : Failure::Kind::other,
            result.error().detail,
            {}};
  auto outcome = outcome_of(*result);
  return {result->status == 410 ? Failure::Kind::expired : Failure::Kind::other,
          outcome ? "" : outcome.error().detail, result->retry_after};
}

/// All of it lives on the client's loop; the owner's handle only posts.
class Running : public std::enable_shared_from_this<Running> {
public:
  Running(std::shared_ptr<Client> client, Collection collection, MirrorCallbacks callbacks,
          MirrorOptions options)
      : client_{std::move(client)}, collection_{std::move(collection)},
        callbacks_{std::move(callbacks)}, options_{std::move(options)},
        reflector_{options_.reflector}, random_{options_.reflector.seed} {}

  void start() {
    if (stopped)
      return;
    timer_.emplace(client_->loop(), [this] { carry_out(reflector_.due(now())); });
    carry_out(reflector_.start(now(), options_.known));
  }
  /// On the loop.
  void stop() {
    watch_.reset();
    timer_.reset();
    ++turn_;
  }
  void vanish() {
    if (stopped)
      return;
    ++turn_;
    if (timer_)
      timer_->cancel();
    carry_out(reflector_.vanish());
  }
  void taken(std::size_t count) {
    auto of_lists = std::min(count, listed_);
    listed_ -= of_lists;
    if (watch_ && count > of_lists)
      watch_->taken(count - of_lists);
    if (listed_ == 0 && next_page_) {
      auto page = *std::exchange(next_page_, std::nullopt);
      list(page);
    }
  }

  std::atomic<bool> stopped{false};

private:
  Instant now() const { return client_->loop().now(); }

  void carry_out(const Reflector::Effects& effects) {
    for (auto& effect : effects) {
      if (stopped)
        return;
      std::visit(overload{[&](const Reflector::List& page) {
                            if (listed_ > 0 && options_.ahead_max > 0)
                              next_page_ = page;
                            else
                              list(page);
                          },
                          [&](const Reflector::Watch& from) { watch(from); },
                          [&](const Reflector::StopWatch&) {
                            watch_.reset();
                            ++turn_;
                          },
                          [&](const Reflector::Put& it) {
                            count();
                            callbacks_.put(it.item);
                          },
                          [&](const Reflector::Remove& it) {
                            count();
                            callbacks_.remove(it.name);
                          },
                          [&](const Reflector::Synced&) {
                            if (callbacks_.synced)
                              callbacks_.synced();
                          },
                          [&](const Reflector::Wait& it) { timer_->start(it.delay); },
                          [&](const Reflector::Problem& it) {
                            in_trouble_ = true;
                            if (callbacks_.problem)
                              callbacks_.problem(it.text);
                          }},
                 effect);
    }
  }

  void count() {
    told_ = true;
    if (options_.ahead_max > 0 && listing_)
      ++listed_;
  }

  void worked() {
    if (std::exchange(in_trouble_, false) && callbacks_.problem)
      callbacks_.problem("");
  }

  Request request() const {
    Request out{.path = collection_.path};
    if (!collection_.field_selector.empty())
      out.query.emplace_back("fieldSelector", collection_.field_selector);
    if (!collection_.label_selector.empty())
      out.query.emplace_back("labelSelector", collection_.label_selector);
    return out;
  }

  void list(const Reflector::List& page) {
    auto it = request();
    if (collection_.metadata_only)
      it.accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
    it.query.emplace_back("limit", std::to_string(page.limit));
    if (!page.continue_token.empty())
      it.query.emplace_back("continue", page.continue_token);
    client_->request(std::move(it), [self = weak_from_this(), turn = ++turn_](auto result) {
      if (auto running = self.lock(); running && !running->stopped && running->turn_ == turn)
        running->listed(result);
    });
  }

  void listed(const Result<Response>& result) {
    if (!result || result->status != 200)
      return carry_out(reflector_.list_failed(now(), failure_of(result)));
    auto page = parse_list(result->body, collection_.api_version, collection_.kind);
    if (!page)
      return carry_out(reflector_.list_failed(
          now(),
          {page.error().code == Errc::exhausted ? Failure::Kind::too_large : Failure::Kind::other,
           page.error().detail,
           {}}));
    worked();
    listing_ = true;
    carry_out(reflector_.listed(now(), std::move(*page)));
    listing_ = false;
  }

  void watch(const Reflector::Watch& from) {
    auto it = request();
    if (collection_.metadata_only)
      it.accept = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
    auto seconds =
        std::uniform_int_distribution<unsigned>{watch_seconds_min, watch_seconds_max}(random_);
    it.query.emplace_back("watch", "true");
    it.query.emplace_back("allowWatchBookmarks", "true");
    it.query.emplace_back("resourceVersion", from.resource_version);
    it.query.emplace_back("timeoutSeconds", std::to_string(seconds));
    it.timeout = watch_idle;
    auto turn = ++turn_;
    auto mine = [self = weak_from_this(), turn]() -> std::shared_ptr<Running> {
      auto running = self.lock();
      return running && !running->stopped && running->turn_ == turn ? running : nullptr;
    };
    watch_ = client_->watch(std::move(it), {.line =
                                                [mine](const std::string& line) {
                                                  if (auto running = mine())
                                                    running->line(line);
                                                },
                                            .ended =
                                                [mine](const Result<Response>& result) {
                                                  if (auto running = mine())
                                                    running->watch_ended(result);
                                                }});
  }

  void line(const std::string& line) {
    auto event = parse_event(line);
    told_ = false;
    if (!event) {
      carry_out(reflector_.corrupt_event(now(), event.error().detail));
    } else {
      worked();
      carry_out(reflector_.event(now(), std::move(*event)));
    }
    if (watch_ && (!told_ || options_.ahead_max == 0))
      watch_->taken(1);
  }

  void watch_ended(const Result<Response>& result) {
    watch_.reset();
    if (result && result->status == 200)
      return carry_out(reflector_.watch_ended(now(), nullptr));
    auto failure = failure_of(result);
    // A server that goes away cuts its watches: that is their end, not yet trouble.
    carry_out(reflector_.watch_ended(now(), &failure));
  }

  std::shared_ptr<Client> client_;
  Collection collection_;
  MirrorCallbacks callbacks_;
  MirrorOptions options_;
  Reflector reflector_;
  std::mt19937_64 random_;
  std::optional<net::Timer> timer_;
  std::unique_ptr<WatchHandle> watch_;
  std::optional<Reflector::List> next_page_;
  std::size_t listed_ = 0; // Told from lists and not yet taken.
  std::uint64_t turn_ = 0; // Of requests: late answers of earlier ones are not heard.
  bool listing_ = false, told_ = false, in_trouble_ = false;
};

class Handle final : public Mirror {
public:
  Handle(std::shared_ptr<Client> client, std::shared_ptr<Running> running)
      : poster_{client->loop().poster()}, running_{std::move(running)} {}
  ~Handle() override {
    running_->stopped = true;
    (void)poster_.post([running = running_] { running->stop(); });
  }
  void taken(std::size_t count) override {
    (void)poster_.post([running = running_, count] { running->taken(count); });
  }
  void vanish() override {
    (void)poster_.post([running = running_] { running->vanish(); });
  }

private:
  net::Poster poster_;
  std::shared_ptr<Running> running_;
};

} // namespace

std::shared_ptr<Mirror> Mirror::start(std::shared_ptr<Client> client, Collection collection,
                                      MirrorCallbacks callbacks, MirrorOptions options) {
  auto& loop = client->loop();
  auto running = std::make_shared<Running>(client, std::move(collection), std::move(callbacks),
                                           std::move(options));
  (void)loop.post([running] { running->start(); });
  return std::make_shared<Handle>(std::move(client), std::move(running));
}

} // namespace strait::kubernetes
