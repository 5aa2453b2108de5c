#pragma once

#include "storage/store.hpp"

#include <memory>
#include <optional>

namespace strait::storage {

/// What goes wrong with a simulated disk, and when. The same faults with the same commits always
/// end the same way.
struct Faults {
  /// What the disk holds after a commit that failed.
  enum class Aftermath : std::uint8_t { nothing, whole_group, seed_decides };

  std::uint64_t seed = 0;
  /// The n-th call of commit() fails with Errc::internal, counted from 1; 0 for none.
  std::uint64_t fail_commit = 0;
  /// Each call fails once in so many, as the seed decides; 0 for never.
  std::uint64_t fail_one_in = 0;
  Aftermath aftermath = Aftermath::seed_decides;
  /// Bytes (as bytes_of() counts) that all commits together may write, then Errc::exhausted.
  std::optional<std::uint64_t> disk_bytes;
  /// A disk that lies: it reports each sync as done but does only every n-th; 1 for an honest one.
  std::uint64_t sync_every = 1;
};

/// A store in memory over a simulated disk, for tests of whoever writes to a store.
class FaultyStore : public Store {
public:
  /// Power loss: what was durable is in the store that comes back, under the same id and with new
  /// faults; this one refuses every later commit. Can be called again, with the same result.
  virtual std::unique_ptr<FaultyStore> crash(Faults next = {}) = 0;
};

std::unique_ptr<FaultyStore> make_faulty_store(Faults faults, Limits limits = {});

} // namespace strait::storage
