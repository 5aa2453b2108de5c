#pragma once

#include "gateway/proxy/session.hpp"
#include "net/client_hello.hpp"
#include "net/socket.hpp"

#include <cstddef>
#include <string_view>

namespace strait::gateway::proxy {

/// A connection on a port with TLS listeners, until its ClientHello tells whose it is; from then on
/// it is an HttpSession (HTTPS listeners) or a TcpSession (TLS routes, passed through or
/// terminated). The hello is looked at where it is, so whoever reads next finds every byte.
class TlsRouteSession final : public Session, public net::EventHandler {
public:
  /// Of the connection's bytes up to the end of the hello; a larger one is refused.
  static constexpr std::size_t hello_bytes_max = net::client_hello_bytes_max;

  TlsRouteSession(WorkerContext& worker, std::shared_ptr<PortState> port, net::Address peer);
  ~TlsRouteSession() override;
  /// Takes an accepted connection; the session is in the worker's list already.
  void start(net::Fd fd);

  void wind_down(std::optional<Millis> within) override;
  void abort() override { end(); }

private:
  void on_ready(net::Ready ready) override;
  void on_timer();
  void look();
  void choose(const net::ClientHello& hello);
  template <class Next, class... Arguments>
  void go_on_as(Arguments&&... arguments);
  void refuse(Counter reason, std::string_view why);
  void end();

  net::Timer timer_;
  net::Fd fd_;
};

} // namespace strait::gateway::proxy
