#include "net/http_exchange.hpp"

#include <utility>

namespace strait::net {

void wake_connection(const std::shared_ptr<HttpAnswer>& answer) {
  if (answer->wake_posted || answer->gone)
    return;
  // Refused by a full inbox: HttpServer looks at waiting answers once per second.
  answer->wake_posted = answer->poster.post([answer] {
    std::function<void()> arrived;
    {
      std::lock_guard lock{answer->mutex};
      answer->wake_posted = false;
      if (!answer->gone)
        arrived = answer->arrived;
    }
    if (arrived)
      arrived();
  });
}

void tell_gone(HttpAnswer& answer, bool complete) {
  std::function<void()> callback;
  {
    std::lock_guard lock{answer.mutex};
    if (std::exchange(answer.gone, true))
      return;
    callback = std::exchange(answer.disconnected, nullptr);
    answer.chunks.clear();
    answer.arrived = nullptr;
  }
  if (callback && !complete)
    callback();
}

HttpResponder::Exchange::~Exchange() {
  std::lock_guard lock{answer->mutex};
  if (!answer->answered) {
    answer->answered = answer->ended = true;
    answer->whole =
        HttpResponse{500, {{"Content-Type", "text/plain"}}, "the request was dropped unanswered\n"};
  } else if (!answer->ended) {
    answer->abandoned = true;
  } else {
    return;
  }
  wake_connection(answer);
}

void HttpResponder::respond(HttpResponse response) const {
  auto& answer = exchange_->answer;
  std::lock_guard lock{answer->mutex};
  if (std::exchange(answer->answered, true))
    return;
  answer->whole = std::move(response);
  answer->ended = true;
  wake_connection(answer);
}

void HttpResponder::begin(int status, HttpFields fields) const {
  auto& answer = exchange_->answer;
  std::lock_guard lock{answer->mutex};
  if (std::exchange(answer->answered, true))
    return;
  answer->whole = HttpResponse{status, std::move(fields), {}};
  answer->streams = true;
  wake_connection(answer);
}

bool HttpResponder::write(std::string bytes) const {
  auto& answer = exchange_->answer;
  std::lock_guard lock{answer->mutex};
  auto waiting = answer->chunks.size() + answer->on_wire;
  if (answer->gone || !answer->streams || answer->ended ||
      bytes.size() > answer->waiting_max - std::min(waiting, answer->waiting_max))
    return false;
  answer->chunks += bytes;
  wake_connection(answer);
  return true;
}

void HttpResponder::end() const {
  auto& answer = exchange_->answer;
  std::lock_guard lock{answer->mutex};
  if (!answer->streams || std::exchange(answer->ended, true))
    return;
  wake_connection(answer);
}

bool HttpResponder::disconnected() const {
  std::lock_guard lock{exchange_->answer->mutex};
  return exchange_->answer->gone;
}

void HttpResponder::on_disconnect(std::function<void()> callback) const {
  auto& answer = exchange_->answer;
  {
    std::lock_guard lock{answer->mutex};
    if (!answer->gone) {
      answer->disconnected = std::move(callback);
      return;
    }
  }
  // A false from post() means that the loop is gone: then nobody is left to be told.
  answer->poster.post(std::move(callback));
}

} // namespace strait::net
