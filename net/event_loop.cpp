#include "net/event_loop.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

namespace strait::net {

bool Ready::readable() const { return bits & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR); }
bool Ready::writable() const { return bits & (EPOLLOUT | EPOLLHUP | EPOLLERR); }
bool Ready::hung_up() const { return bits & (EPOLLRDHUP | EPOLLHUP); }
bool Ready::failed() const { return bits & EPOLLERR; }

struct Poster::Inbox {
  std::mutex mutex;
  std::vector<Task> tasks;
  std::size_t tasks_max = 0;
  int wake = -1; // The loop's eventfd; -1 once the loop is gone.
  std::atomic<bool> stop = false;

  void signal() const {
    std::uint64_t one = 1;
    // It can only fail when the counter is full, and then the loop is awake anyway.
    [[maybe_unused]] auto written = ::write(wake, &one, sizeof one);
  }
};

bool Poster::post(Task task) const {
  std::lock_guard lock{inbox_->mutex};
  if (inbox_->wake < 0 || inbox_->tasks.size() >= inbox_->tasks_max)
    return false;
  inbox_->tasks.push_back(std::move(task));
  if (inbox_->tasks.size() == 1)
    inbox_->signal();
  return true;
}

namespace {

constexpr std::uint64_t wake_tag = ~std::uint64_t{0};

std::uint32_t epoll_bits(Watch watch) {
  switch (watch) {
  case Watch::edge:
    return static_cast<std::uint32_t>(EPOLLIN | EPOLLOUT | EPOLLRDHUP) |
           static_cast<std::uint32_t>(EPOLLET);
  case Watch::level_read:
    return EPOLLIN;
  case Watch::level_write:
    return EPOLLOUT;
  case Watch::level_both:
    return EPOLLIN | EPOLLOUT;
  }
  return 0;
}

// The tag holds the slot's generation beside the descriptor, so that an event that was fetched
// before its descriptor was removed is recognised as stale.
epoll_event event_for(int fd, std::uint32_t generation, Watch watch) {
  epoll_event event{};
  event.events = epoll_bits(watch);
  event.data.u64 = std::uint64_t{generation} << 32 | static_cast<std::uint32_t>(fd);
  return event;
}

} // namespace

Result<std::unique_ptr<EventLoop>> EventLoop::create(EventLoopOptions options) {
  int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0)
    return fail(Errc::exhausted, "event loop: epoll_create1: {}", std::strerror(errno));
  int wake = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = wake_tag;
  if (wake < 0 || ::epoll_ctl(epoll, EPOLL_CTL_ADD, wake, &event) < 0) {
    int error = errno;
    if (wake >= 0)
      ::close(wake);
    ::close(epoll);
    return fail(Errc::exhausted, "event loop: eventfd: {}", std::strerror(error));
  }
  auto inbox = std::make_shared<Poster::Inbox>();
  inbox->tasks_max = options.inbox_max;
  inbox->wake = wake;
  options.events_max = std::clamp<std::size_t>(options.events_max, 1, 4096);
  return std::unique_ptr<EventLoop>(new EventLoop{options, epoll, std::move(inbox)});
}

EventLoop::EventLoop(EventLoopOptions options, int epoll, std::shared_ptr<Poster::Inbox> inbox)
    : options_{options}, epoll_{epoll}, inbox_{std::move(inbox)},
      events_(options.events_max), now_{now_instant()}, timers_{now_} {}

EventLoop::~EventLoop() {
  std::vector<Task> unrun;
  {
    std::lock_guard lock{inbox_->mutex};
    ::close(std::exchange(inbox_->wake, -1));
    unrun.swap(inbox_->tasks);
  }
  // What they hold may still have timers here.
  unrun.clear();
  deferred_.clear();
  ::close(epoll_);
}

Status EventLoop::add(int fd, Watch watch, EventHandler& handler) {
  auto index = static_cast<std::size_t>(fd);
  if (index >= slots_.size())
    slots_.resize(std::max(index + 1, slots_.size() * 2));
  auto& slot = slots_[index];
  if (slot.handler)
    return fail(Errc::conflict, "event loop: descriptor {} is watched already", fd);
  auto event = event_for(fd, slot.generation, watch);
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) < 0)
    return fail(Errc::unavailable, "event loop: descriptor {}: {}", fd, std::strerror(errno));
  slot.handler = &handler;
  ++watched_;
  return {};
}

Status EventLoop::modify(int fd, Watch watch) {
  auto index = static_cast<std::size_t>(fd);
  if (index >= slots_.size() || !slots_[index].handler)
    return fail(Errc::not_found, "event loop: descriptor {} is not watched", fd);
  auto event = event_for(fd, slots_[index].generation, watch);
  if (::epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event) < 0)
    return fail(Errc::unavailable, "event loop: descriptor {}: {}", fd, std::strerror(errno));
  return {};
}

void EventLoop::remove(int fd) {
  auto index = static_cast<std::size_t>(fd);
  if (fd < 0 || index >= slots_.size() || !slots_[index].handler)
    return;
  slots_[index].handler = nullptr;
  ++slots_[index].generation;
  --watched_;
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
}

void EventLoop::take_inbox() {
  {
    std::lock_guard lock{inbox_->mutex};
    std::uint64_t count = 0;
    [[maybe_unused]] auto read = ::read(inbox_->wake, &count, sizeof count);
    taken_.swap(inbox_->tasks);
  }
  for (auto& task : taken_)
    task();
  taken_.clear();
}

void EventLoop::run_deferred() {
  while (!deferred_.empty()) {
    running_.swap(deferred_);
    for (auto& task : running_)
      task();
    running_.clear();
  }
}

void EventLoop::run_once(Millis wait) {
  ++turns_;
  now_ = now_instant();
  if (auto due = timers_.next())
    wait = std::clamp(*due - now_, Millis{0}, std::max(wait, Millis{0}));
  auto count = ::epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()),
                            static_cast<int>(std::min<std::int64_t>(wait.count(), 3'600'000)));
  now_ = now_instant();
  timers_.advance(now_);
  bool posted = false;
  for (int i = 0; i < count; ++i) {
    auto& event = events_[static_cast<std::size_t>(i)];
    if (event.data.u64 == wake_tag) {
      posted = true;
      continue;
    }
    auto& slot = slots_[event.data.u64 & 0xffff'ffff];
    if (slot.handler && slot.generation == event.data.u64 >> 32)
      slot.handler->on_ready(Ready{event.events});
  }
  if (posted)
    take_inbox();
  run_deferred();
}

void EventLoop::run() {
  constexpr Millis forever{3'600'000};
  while (!inbox_->stop.exchange(false))
    run_once(forever);
  take_inbox();
  run_deferred();
}

void EventLoop::stop() {
  std::lock_guard lock{inbox_->mutex};
  inbox_->stop = true;
  inbox_->signal();
}

} // namespace strait::net
