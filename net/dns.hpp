#pragma once

#include "base/result.hpp"
#include "net/address.hpp"
#include "net/event_loop.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace strait::net {

struct ResolverOptions {
  Millis timeout{2'000}; ///< Of one try at one server.
  int tries = 2;
  std::size_t pending_max = 1024;
  std::size_t addresses_max = 64; ///< Of one name; further ones are left out.
  std::string servers{};          ///< "10.0.0.2:53,[::1]:53"; empty: the system's.
};

/// Names to addresses (A and AAAA, /etc/hosts first) by c-ares, on a loop, without blocking it.
/// Loop thread only.
class Resolver {
public:
  using Callback = std::function<void(Result<std::vector<Address>>)>;

  static Result<std::unique_ptr<Resolver>> create(EventLoop& loop, ResolverOptions options = {});
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;
  /// Calls back what is pending with unavailable.
  ~Resolver();

  /// The callback comes later on the loop's thread, or at once for IP texts, /etc/hosts and
  /// refusals. not_found: no such name. unavailable: no answer in time. exhausted: `pending_max`.
  void resolve(const std::string& host, std::uint16_t port, Callback callback);
  std::size_t pending() const;

private:
  struct Channel;
  explicit Resolver(std::unique_ptr<Channel> channel);
  std::unique_ptr<Channel> channel_;
};

} // namespace strait::net
