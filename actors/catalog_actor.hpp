#pragma once

#include "actors/messages.hpp"
#include "base/log.hpp"

#include <deque>
#include <mutex>
#include <unordered_map>

namespace strait::actors {

/// The newest committed view, for readers on any thread (API servers).
class ViewBox {
public:
  catalog::ViewPtr load() const {
    std::lock_guard lock{mutex_};
    return view_;
  }
  void store(catalog::ViewPtr view) {
    std::lock_guard lock{mutex_};
    view_ = std::move(view);
  }

private:
  mutable std::mutex mutex_;
  catalog::ViewPtr view_ = std::make_shared<const catalog::View>();
};

struct CatalogActorOptions {
  /// Commands that may wait for the disk; one more is refused with Errc::exhausted.
  std::size_t commands_waiting_max = 50'000;
  /// Commands that one sync may cover.
  std::size_t commands_per_sync_max = 1'000;
  std::size_t bytes_per_sync_max = 32U << 20U;
  std::shared_ptr<ViewBox> view = std::make_shared<ViewBox>();
  /// The time that commands are stamped with; replaced in tests.
  std::function<WallTime()> clock = now_wall;
  Log log;
};

/// A command that was carried out in memory and waits for the disk.
struct WaitingCommand {
  catalog::Outcome outcome;
  caf::typed_response_promise<Applied> promise;
  /// Commands after it that changed nothing: true only once it is durable.
  std::vector<caf::typed_response_promise<Applied>> followers;

  void answer(const Applied& applied) {
    promise.deliver(applied);
    for (auto& follower : followers)
      follower.deliver(applied);
  }
};

struct CatalogState {
  static inline const char* name = "catalog";
  std::shared_ptr<catalog::Catalog> catalog; ///< Null while the store cannot be opened.
  bool loaded_before = false;
  std::string closed_because;
  catalog::ViewPtr committed = std::make_shared<const catalog::View>();
  std::deque<WaitingCommand> waiting;
  std::size_t under_way = 0; ///< How many of the waiting ones the current sync covers.
  Publisher publisher;
  std::unordered_map<caf::actor_addr, Publisher::Subscriber> numbers;
  std::map<Publisher::Subscriber, Watcher> watchers;
  Publisher::Subscriber next_number = 1;
};

/// Owns the Catalog and publishes what was committed. Whatever queued while the last sync ran is
/// the next batch.
CatalogActor::behavior_type catalog_actor(CatalogActor::stateful_pointer<CatalogState> self,
                                          StorageActor storage, CatalogActorOptions options);

} // namespace strait::actors
