#pragma once

#include "base/result.hpp"
#include "base/time.hpp"
#include "kubernetes/document.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace strait::kubernetes {

/// The name of the Lease of Strait's controllers, in their namespace.
inline constexpr std::string_view controller_lease = "strait-controller";

/// Of a Lease: where its holder feeds gateways.
inline constexpr std::string_view feed_annotation = "strait.dev/feed-address";

/// What a coordination.k8s.io/v1 Lease says.
struct LeaseRecord {
  std::string holder; ///< Empty: nobody.
  std::int64_t duration_seconds = 0, transitions = 0;
  std::string acquire_time, renew_time; ///< RFC 3339 with microseconds.
  std::string resource_version;         ///< Empty for one that is not written yet.
  /// "host:port" at which the holder feeds gateways, in the annotation feed_annotation.
  std::string feed_address{};
  friend bool operator==(const LeaseRecord&, const LeaseRecord&) = default;
};
Result<LeaseRecord> parse_lease(std::string_view json);
/// As a Lease object; with resourceVersion, so that an update is a compare-and-set.
Node encode_lease(const LeaseRecord& record, const std::string& ns, const std::string& name);

/// To lose the lead for nothing costs next to nothing here: so the times are shorter than
/// the 15, 10 and 2 s that most controllers have. See docs/decisions/0010-leading.md.
struct LeaseOptions {
  std::string identity; ///< Unique to this process.
  /// What the identities of this replica's processes begin with, of which one runs at a time: a
  /// lease that an earlier one held is taken at once. Empty: nothing is known of earlier ones.
  std::string replica{};
  std::string feed_address{};   ///< Said in the lease while it is ours.
  Millis duration{8'000};       ///< After so long without renewal others may take it.
  Millis renew_deadline{6'000}; ///< After so long without success the leader stops being one.
  Millis retry{1'500};          ///< Between looks, and between renewals.
};

/// One replica's part in an election by Lease: a pure machine. Time in leases is never compared
/// with our clock, for clocks differ: a lease runs out when it has not changed for its duration
/// while we looked.
class Lease {
public:
  struct Get {};
  struct Create {
    LeaseRecord record;
  };
  struct Update {
    LeaseRecord record;
  };
  struct Elected {};
  struct Lost {
    std::string why;
  };
  struct Wait {
    Millis delay; ///< Then due().
  };
  using Effect = std::variant<Get, Create, Update, Elected, Lost, Wait>;
  using Effects = std::vector<Effect>;

  explicit Lease(LeaseOptions options) : options_{std::move(options)} {}

  Effects start(Instant now, WallTime wall);
  /// What Get found; nothing: there is no such lease.
  Effects got(Instant now, WallTime wall, std::optional<LeaseRecord> record);
  /// Create or Update was taken; as the server has it now.
  Effects wrote(Instant now, LeaseRecord record);
  /// A request failed. A conflict means that another one wrote first.
  Effects failed(Instant now, const std::string& why);
  Effects due(Instant now, WallTime wall);
  /// Gives the lease up, so that others need not wait for its end.
  Effects release(WallTime wall);

  bool leading() const { return leading_; }
  const std::string& holder() const { return seen_.holder; }
  /// Where another one that holds the lease feeds gateways; empty: nobody else leads, or it is not
  /// known where.
  std::string feed_elsewhere() const {
    return leading_ || seen_.holder.empty() || seen_.holder == options_.identity
               ? std::string{}
               : seen_.feed_address;
  }

private:
  LeaseRecord mine(WallTime wall) const;
  void check_deadline(Instant now, const std::string& why, Effects& effects);

  LeaseOptions options_;
  LeaseRecord seen_;
  Instant seen_at_{};    // When it last changed before our eyes.
  Instant renewed_at_{}; // When our last successful write began.
  Instant writing_since_{};
  bool leading_ = false, released_ = false, known_ = false;
};

} // namespace strait::kubernetes
