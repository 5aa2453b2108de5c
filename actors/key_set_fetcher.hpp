#pragma once

#include "base/result.hpp"
#include "catalog/key_set_fetches.hpp"
#include "net/event_loop.hpp"

#include <functional>
#include <memory>

namespace strait::actors {

/// Carries out fetches of key sets over HTTP and HTTPS, many at once on one loop. It follows no
/// redirect, and reads no more than a key set may have (gateway::proxy::jwks_bytes_max).
class KeySetFetcher : public std::enable_shared_from_this<KeySetFetcher> {
public:
  /// The text of a key set that was checked to be one; else why there is none, without anything of
  /// what the server sent.
  using Callback = std::function<void(Result<std::string>)>;

  /// Lives on the loop: there it must be closed before the loop ends.
  static Result<std::shared_ptr<KeySetFetcher>> create(net::EventLoop& loop);
  virtual ~KeySetFetcher() = default;

  /// Any thread. The callback comes once, on the loop's thread; at once if the loop is gone.
  virtual void fetch(catalog::KeySetFetches::Fetch what, Callback callback) = 0;
  /// Loop thread: breaks off what is under way, and tells so.
  virtual void close() = 0;
};

} // namespace strait::actors
