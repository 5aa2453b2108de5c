#include "gateway/proxy/http2_server.hpp"

#include "gateway/proxy/spare_exchanges.hpp"

namespace strait::gateway::proxy {

Http2Request::Http2Request(Http2Server& server, std::unique_ptr<Exchange> exchange)
    : server_{server}, channel_{server.worker_.loop, server.worker_.buffers,
                                server.worker_.options.limits.head.head_bytes_max + 1},
      timer_{server.worker_.loop,
             [this] {
               if (exchange_)
                 carry_on(exchange_->time_out());
             }},
      resume_{server.worker_.loop, [this] { advance(); }}, exchange_{std::move(exchange)} {}

void Http2Request::start(Http2Stream& stream) {
  channel_.attach(server_.connection_.accept(stream, channel_), *this);
  exchange_->begin(*this, channel_, server_.port_, server_.ip_);
  advance();
}

void Http2Request::expect(std::optional<Millis> within) {
  if (within)
    timer_.start(*within);
  else
    timer_.cancel();
}

void Http2Request::advance() {
  if (advancing_ || !exchange_) {
    again_ = true;
    return;
  }
  advancing_ = true;
  do {
    again_ = false;
    carry_on(exchange_->advance());
  } while (exchange_ && again_);
  advancing_ = false;
}

void Http2Request::carry_on(Exchange::Outcome outcome) {
  if (outcome != Exchange::Outcome::waiting)
    server_.remove(*this);
}

std::unique_ptr<Exchange> Http2Request::stop() {
  timer_.cancel();
  resume_.cancel();
  exchange_->reset();
  channel_.close();
  return std::move(exchange_);
}

Http2Server::Http2Server(WorkerContext& worker, Channel& channel, const PortState& port,
                         std::string_view ip, Owner& owner)
    : worker_{worker}, port_{port}, ip_{ip}, owner_{owner}, connection_{worker.loop,
                                                                        worker.buffers,
                                                                        worker.counters,
                                                                        worker.options.limits,
                                                                        channel,
                                                                        net::http2::Role::server,
                                                                        *this},
      timer_{worker.loop, [this] { on_timer(); }} {
  worker_.counters.add(Counter::http2_connections);
  const auto& timeouts = worker.options.timeouts;
  timer_.start(port.closed ? timeouts.linger : timeouts.request_head);
}

void Http2Server::on_request(Http2Stream& stream) {
  auto& request =
      *requests_.emplace_back(std::make_unique<Http2Request>(*this, take_exchange(worker_)));
  request.index_ = requests_.size() - 1;
  if (!announced_)
    timer_.cancel();
  if (!std::exchange(asked_, true) && port_.closing)
    wind_down();
  request.start(stream);
}

void Http2Server::remove(Http2Request& request) {
  return_exchange(worker_, request.stop());
  const auto index = request.index_;
  auto gone = std::move(requests_[index]);
  if (index + 1 != requests_.size()) {
    requests_[index] = std::move(requests_.back());
    requests_[index]->index_ = index;
  }
  requests_.pop_back();
  worker_.retirement.retire(std::move(gone));
  if (!requests_.empty())
    return;
  if (ending_)
    timer_.start(worker_.options.timeouts.linger);
  else if (announced_)
    return; // The notice is running.
  else if (port_.closing)
    wind_down();
  else
    timer_.start(worker_.options.timeouts.downstream_idle);
}

void Http2Server::on_streams() {}

void Http2Server::wind_down() {
  if (port_.closed && requests_.empty()) {
    if (!ending_)
      on_timer();
    return;
  }
  if (!asked_ || std::exchange(announced_, true))
    return;
  connection_.announce_end();
  timer_.start(worker_.options.timeouts.http2_notice);
}

/// The notice is over, or nothing was asked for too long.
void Http2Server::on_timer() {
  if (std::exchange(ending_, true))
    return owner_.on_http2_finished(); // The client does not even read that it ends.
  announced_ = true;
  connection_.end();
  if (requests_.empty())
    timer_.start(worker_.options.timeouts.linger);
}

void Http2Server::on_finished(std::string_view why) {
  if (!why.empty())
    worker_.options.log.debug("HTTP/2 client {}: {}", ip_, why);
  owner_.on_http2_finished();
}

void Http2Server::abort() {
  timer_.cancel();
  while (!requests_.empty()) {
    return_exchange(worker_, requests_.back()->stop());
    worker_.retirement.retire(std::move(requests_.back()));
    requests_.pop_back();
  }
}

} // namespace strait::gateway::proxy
