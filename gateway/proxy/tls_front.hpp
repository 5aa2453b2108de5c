#pragma once

#include "gateway/proxy/counters.hpp"
#include "gateway/proxy/options.hpp"
#include "gateway/proxy/served.hpp"
#include "net/tls.hpp"

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>

namespace strait::gateway::proxy {

struct PortState;

/// The TLS side of one worker's HTTPS, TLS or peering port: chooses what to present and to demand
/// by the SNI of each connection, under the snapshot that is served at that moment, so that a new
/// certificate needs no new listener. Contexts are made when first needed and kept.
class TlsFront {
public:
  /// `ticket_keys`: see net::TlsServerOptions. All references outlive it.
  static Result<std::unique_ptr<TlsFront>> create(PortState& port, WorkerCounters& counters,
                                                  const ProxyOptions& options,
                                                  const std::string& ticket_keys);

  Result<std::unique_ptr<net::TlsStream>> accept(net::Fd fd) {
    return net::TlsStream::server(std::move(fd), front_);
  }
  /// Forgets contexts that the port's snapshot does not use any more.
  void prune();
  std::size_t contexts() const { return contexts_.size(); }

private:
  using Context = std::shared_ptr<const net::TlsServerContext>;
  /// What a context was made of, alive as long as the context is kept: so the key is exact.
  struct Made {
    std::shared_ptr<const void> subject; // The listener, or the export.
    std::shared_ptr<const void> trust;   // Of peering.
    std::shared_ptr<const Certificate> certificate;
    Context context;
  };
  using Key = std::tuple<const void*, const void*, const void*>;

  TlsFront(PortState& port, WorkerCounters& counters, const ProxyOptions& options,
           const std::string& ticket_keys)
      : port_{port}, counters_{counters}, options_{options}, ticket_keys_{ticket_keys} {}
  Context select(std::string_view sni);
  Context select_listener(std::string_view sni);
  Context select_peering(std::string_view sni);
  std::shared_ptr<const Certificate> choose(const Listener& listener, std::string_view sni);
  const std::vector<std::string>& names_of(const std::shared_ptr<const Certificate>& certificate);
  Context keep(Made made, net::TlsServerOptions options);

  PortState& port_;
  WorkerCounters& counters_;
  const ProxyOptions& options_;
  const std::string& ticket_keys_;
  Context front_;
  std::map<Key, Made> contexts_;
  std::map<std::shared_ptr<const Certificate>, std::vector<std::string>> names_;
};

/// How well a certificate's DNS name covers a host: its length if it is equal, less if by wildcard
/// ("*.b" covers one label, RFC 6125 §6.4.3), 0 if not. The greatest wins.
std::size_t coverage(std::string_view pattern, std::string_view host);

} // namespace strait::gateway::proxy
