#pragma once

#include "base/time.hpp"
#include "peering/exports.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace strait::peering {

struct ExportLimits {
  std::size_t unacked_max = 64;                       ///< Responses that the peer has not answered.
  std::size_t unacked_bytes_max = 4U << 20U;          ///< Of them; one alone may be larger.
  std::size_t payload_bytes_max = (8U << 20U) - 4096; ///< The peer takes messages of 8 MiB.
  Millis retry_first{1000};                           ///< After a refusal, then twice as long.
  Millis retry_max{64'000};
};

/// What one peering is to hold of this datacenter, what it holds, and what is under way: the
/// sending half of a link. Each resource waits at most once (the latest wins) and has at most one
/// response on the way, so what is queued is bounded by what is exported. Lives as long as its
/// link; one stream after another.
class ExportTable {
public:
  ExportTable(std::string peering, ExportOptions options, ExportLimits limits)
      : peering_{std::move(peering)}, options_{std::move(options)}, limits_{limits} {}

  /// Compares with the catalog at a revision; nothing is encoded yet.
  void refresh(catalog::ViewPtr view);

  /// A new stream: nothing is subscribed, nothing is on the way.
  void restart();
  /// The peer wants a resource. `imported` (of our store, and not newer than it): what it holds
  /// already is not sent again, nor the list if it has that digest.
  void subscribe(Resource resource, const std::optional<StoreRevision>& imported,
                 const std::string& list_digest);
  bool subscribed(Resource resource) const { return subscribed_.count(resource) > 0; }

  /// What may be sent now, within the limits; nonces count from 1.
  std::vector<Response> release(Instant now, WallTime wall);
  /// The peer's answer. False: no such response is on the way (it may have been withdrawn).
  bool answered(Instant now, const std::string& nonce,
                const std::optional<Request::Failure>& failure);

  /// The peer holds everything that it subscribed to, up to revision().
  bool synced() const { return waiting_.empty() && on_the_way_.empty(); }
  /// Everything was sent and answered at least once on this stream.
  bool tried_all() const;
  /// The newest change of anything that is exported.
  catalog::Revision revision() const { return revision_; }
  /// When a refused resource is due again.
  std::optional<Instant> retry_at() const;

  const std::vector<std::string>& services() const { return services_; }
  /// The last refusal of a resource that the peer does not hold yet; empty: none.
  std::string refusal() const;

private:
  struct Key {
    int rank; // Services after the rest: deletions and trust do not wait for bulk.
    Resource resource;
    std::string id;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  struct Held { // What the peer acknowledged.
    std::string hash;
    catalog::Revision modified = 0;
  };
  struct Entry {
    catalog::Revision modified = 0;
    std::optional<Held> held;
    std::string on_the_way; // The nonce it travels under.
    int refusals = 0;
    Instant retry_at{};
    std::string refusal;
  };
  struct OnTheWay {
    Key key;
    std::string hash;
    catalog::Revision modified = 0;
    std::size_t bytes = 0;
  };
  static Key key_of(Resource resource, std::string id);
  void note(const Key& key, catalog::Revision modified);
  Payload payload_of(const Key& key, WallTime wall) const;
  void refuse(Instant now, Entry& entry, std::string why);

  std::string peering_;
  ExportOptions options_;
  ExportLimits limits_;
  catalog::ViewPtr view_;
  std::vector<std::string> services_;
  catalog::Revision revision_ = 0;
  catalog::Revision sources_ = 0; // Of the catalog, when it was last compared.
  std::map<Key, Entry> entries_;
  std::set<Resource> subscribed_;
  std::set<Key> waiting_; // Subscribed, and changed since the peer last had it.
  std::map<std::string, OnTheWay> on_the_way_;
  std::size_t bytes_on_the_way_ = 0;
  std::uint32_t nonce_ = 0;
};

} // namespace strait::peering
