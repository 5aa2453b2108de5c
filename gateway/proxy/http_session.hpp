#pragma once

#include "gateway/proxy/exchange.hpp"
#include "gateway/proxy/http2_server.hpp"

namespace strait::gateway::proxy {

/// A client's connection that speaks HTTP/1.1, plain or by TLS: one exchange after another, in
/// order (RFC 9112 §9.3). Idle, it holds neither buffer nor exchange. One that turns out to speak
/// HTTP/2, by ALPN or by its first bytes (RFC 9113 §3), is served by an Http2Server from then on.
class HttpSession final : public Session,
                          public Channel::Owner,
                          public ExchangeOwner,
                          public Http2Server::Owner {
public:
  HttpSession(WorkerContext& worker, std::shared_ptr<PortState> port, net::Address peer);
  ~HttpSession() override;
  /// Takes an accepted connection; the session is in the worker's list already.
  void start(net::Fd fd);

  void wind_down(std::optional<Millis> within) override;
  void abort() override;

private:
  enum class State : std::uint8_t { handshake, idle, busy, http2, closing, lingering, dead };

  void on_channel(Channel& channel) override;
  void on_exchange() override { advance(); }
  void expect(std::optional<Millis> within) override;
  void go_on_later() override { resume_.start(Millis{0}); }
  void on_http2_finished() override { end(); }
  void on_timer();

  void advance();
  bool step();
  bool handshake();
  bool await_request();
  bool may_be_preface() const;
  void start_http2();
  bool carry_on(Exchange::Outcome outcome);
  void close_soon(bool linger);
  bool close_softly();
  bool throw_away();
  void end();
  void return_exchange();

  Channel channel_;
  net::Timer timer_, resume_;
  std::string ip_;
  std::unique_ptr<Exchange> exchange_;
  std::unique_ptr<Http2Server> http2_;
  State state_ = State::handshake;
  bool first_ = true; // No request came yet.
  bool lingers_ = false, advancing_ = false, again_ = false;
  std::size_t thrown_away_ = 0;
};

} // namespace strait::gateway::proxy
