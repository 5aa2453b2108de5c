#pragma once

#include "net/event_loop.hpp"
#include "net/http_server.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace strait::net {

/// The answer of one request on its way from any thread to the loop: what HttpResponder fills and
/// the connection takes. Everything is guarded by the mutex.
struct HttpAnswer {
  HttpAnswer(Poster p, std::size_t max) : poster{std::move(p)}, waiting_max{max} {}

  std::mutex mutex;
  const Poster poster;
  const std::size_t waiting_max;
  std::function<void()> arrived;     ///< Loop thread only: the connection looks again.
  std::optional<HttpResponse> whole; ///< Or, with `streams`, the head.
  bool answered = false, streams = false;
  std::string chunks; ///< Content not yet taken by the connection.
  bool ended = false;
  bool abandoned = false;   ///< Nobody can end it any more.
  bool gone = false;        ///< The client left, or the answer is complete.
  std::size_t on_wire = 0;  ///< Taken by the connection and not yet by the client.
  bool wake_posted = false; ///< One task is enough for all that arrives before it runs.
  std::function<void()> disconnected;
};

/// What the copies of a responder share: the last one to die leaves no request unanswered.
struct HttpResponder::Exchange {
  explicit Exchange(std::shared_ptr<HttpAnswer> a) : answer{std::move(a)} {}
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  ~Exchange();
  const std::shared_ptr<HttpAnswer> answer;
};

/// With the answer's mutex held: makes the connection look at it soon.
void wake_connection(const std::shared_ptr<HttpAnswer>& answer);

/// Tells the responder's owner, once, that nobody waits any more. Loop thread.
void tell_gone(HttpAnswer& answer, bool complete);

} // namespace strait::net
