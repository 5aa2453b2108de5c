#include "storage/faulty_store.hpp"

#include "base/random.hpp"
#include "storage/checked_store.hpp"
#include "storage/memory_table.hpp"

#include <random>

namespace strait::storage {

namespace {

/// The disk is a second table that follows the visible one at each sync.
struct Disk {
  MemoryTable table;
  Revision revision = 0;
  Revision first_logged = 1;

  void take(std::span<const Commit> commits, Revision keep_from) {
    table.apply(commits, keep_from);
    revision = commits.back().revision;
    first_logged = keep_from;
  }
};

class Rules final : public CheckedStore {
public:
  Rules(Faults faults, Limits limits, std::string id, Disk disk)
      : CheckedStore{"store on a faulty disk", limits}, faults_{faults}, prng_{faults.seed},
        visible_{disk.table}, disk_{std::move(disk)} {
    start(std::move(id), disk_.revision, disk_.first_logged);
  }

  const Disk& disk() const { return disk_; }
  void cut_power() { close_for_writing("the power was cut"); }

  Status scan(std::string_view prefix, const Visitor& visit) const override {
    return visible_.scan(prefix, visit);
  }

private:
  Status persist(std::span<const Commit> commits, Revision keep_from) override {
    std::uint64_t bytes = 0;
    for (const Commit& commit : commits)
      bytes += bytes_of(commit);
    if (faults_.disk_bytes && bytes > *faults_.disk_bytes - written_)
      return fail(Errc::exhausted, "{}: no space: {} of {} bytes used, {} asked for", name(),
                  written_, *faults_.disk_bytes, bytes);
    written_ += bytes;
    pending_.insert(pending_.end(), commits.begin(), commits.end());
    ++calls_;
    if (calls_ == faults_.fail_commit ||
        (faults_.fail_one_in && prng_() % faults_.fail_one_in == 0))
      return break_down(keep_from);
    visible_.apply(commits, keep_from);
    if (faults_.sync_every < 2 || calls_ % faults_.sync_every == 0)
      sync(keep_from);
    return {};
  }

  Status read_log(Revision first, Revision last, const ChangeVisitor& visit) const override {
    return visible_.read_log(first, last, visit);
  }

  tl::unexpected<Error> break_down(Revision keep_from) {
    bool whole = faults_.aftermath == Faults::Aftermath::whole_group ||
                 (faults_.aftermath == Faults::Aftermath::seed_decides && prng_() % 2 == 0);
    if (whole)
      sync(keep_from);
    return fail(Errc::internal, "{}: commit call {} failed, as its faults demand", name(), calls_);
  }

  void sync(Revision keep_from) {
    disk_.take(pending_, keep_from);
    pending_.clear();
  }

  Faults faults_;
  std::mt19937_64 prng_;
  MemoryTable visible_;
  Disk disk_;
  std::vector<Commit> pending_; // Written, not synced.
  std::uint64_t calls_ = 0;
  std::uint64_t written_ = 0;
};

class SimulatedStore final : public FaultyStore {
public:
  SimulatedStore(Faults faults, Limits limits, std::string id, Disk disk)
      : rules_{faults, limits, std::move(id), std::move(disk)} {}

  Revision revision() const override { return rules_.revision(); }
  const std::string& id() const override { return rules_.id(); }
  const Limits& limits() const override { return rules_.limits(); }
  Status commit(std::span<const Commit> commits) override { return rules_.commit(commits); }
  Status scan(std::string_view prefix, const Visitor& visit) const override {
    return rules_.scan(prefix, visit);
  }
  Status changes_after(Revision after, const ChangeVisitor& visit) const override {
    return rules_.changes_after(after, visit);
  }
  Result<std::shared_ptr<void>> watch(Watcher watcher) override {
    return rules_.watch(std::move(watcher));
  }
  std::unique_ptr<FaultyStore> crash(Faults next) override {
    rules_.cut_power();
    return std::make_unique<SimulatedStore>(next, limits(), id(), rules_.disk());
  }

private:
  Rules rules_;
};

} // namespace

std::unique_ptr<FaultyStore> make_faulty_store(Faults faults, Limits limits) {
  return std::make_unique<SimulatedStore>(faults, limits, random_uuid(), Disk{});
}

} // namespace strait::storage
