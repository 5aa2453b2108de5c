#pragma once

#include "storage/store.hpp"

#include <string>
#include <vector>

namespace strait::storage {

/// The rules that every store shares: consecutive revisions, limits, the refusal after a failure,
/// and the watchers. A kind of store adds where the bytes go. Threads as for Store.
class CheckedStore : public Store {
public:
  Revision revision() const final { return revision_; }
  const std::string& id() const final { return id_; }
  const Limits& limits() const final { return limits_; }
  Status commit(std::span<const Commit> commits) final;
  Status changes_after(Revision after, const ChangeVisitor& visit) const final;
  [[nodiscard]] Result<std::shared_ptr<void>> watch(Watcher watcher) final;

protected:
  /// The name begins every error's text: "store /var/lib/strait".
  CheckedStore(std::string name, Limits limits);

  /// What an existing store was found to hold. Called once, before anything else.
  void start(std::string id, Revision newest, Revision first_logged);

  /// Makes a group durable: it has one commit or more and was checked. If the log is to be trimmed,
  /// commits below keep_from leave it in the same batch.
  virtual Status persist(std::span<const Commit> commits, Revision keep_from) = 0;

  /// Visits the log from first to last, both known to be there.
  virtual Status read_log(Revision first, Revision last, const ChangeVisitor& visit) const = 0;

  const std::string& name() const { return name_; }
  /// The oldest commit that the log still holds; revision() + 1 if it is empty.
  Revision first_logged() const { return first_logged_; }
  /// From now on every commit is refused.
  void close_for_writing(std::string why) { closed_ = std::move(why); }

private:
  Status check_group(std::span<const Commit> commits) const;
  Revision trimmed_start(Revision newest) const;
  void notify(std::span<const Commit> commits);

  std::string name_;
  Limits limits_;
  std::string id_;
  Revision revision_ = 0;
  Revision first_logged_ = 1;
  std::string closed_; // Why no commit is taken any more; empty while they are.
  bool notifying_ = false;
  std::vector<std::weak_ptr<Watcher>> watchers_;
};

/// The log is cut when it holds this many commits more than it must, or an eighth more if that is
/// more: one range deletion is paid for by many commits.
inline constexpr std::uint64_t log_trim_slack_min = 1000;

} // namespace strait::storage
