#include "base/random.hpp"
#include "storage/checked_store.hpp"
#include "storage/memory_table.hpp"

namespace strait::storage {

void MemoryTable::apply(std::span<const Commit> commits, Revision keep_from) {
  for (const Commit& commit : commits) {
    for (const Write& write : commit.writes) {
      if (write.erase)
        values.erase(write.key);
      else
        values.insert_or_assign(write.key, write.value);
    }
    log.push_back(commit);
  }
  while (!log.empty() && log.front().revision < keep_from)
    log.pop_front();
}

Status MemoryTable::scan(std::string_view prefix, const Store::Visitor& visit) const {
  for (auto at = values.lower_bound(prefix); at != values.end(); ++at)
    if (!std::string_view{at->first}.starts_with(prefix) || !visit(at->first, at->second))
      break;
  return {};
}

Status MemoryTable::read_log(Revision first, Revision last,
                             const Store::ChangeVisitor& visit) const {
  auto begin = log.front().revision;
  for (auto revision = first; revision <= last; ++revision)
    if (!visit(log[revision - begin]))
      break;
  return {};
}

namespace {

class MemoryStore final : public CheckedStore {
public:
  explicit MemoryStore(Limits limits) : CheckedStore{"store in memory", limits} {
    start(random_uuid(), 0, 1);
  }

  Status scan(std::string_view prefix, const Visitor& visit) const override {
    return table_.scan(prefix, visit);
  }

private:
  Status persist(std::span<const Commit> commits, Revision keep_from) override {
    table_.apply(commits, keep_from);
    return {};
  }
  Status read_log(Revision first, Revision last, const ChangeVisitor& visit) const override {
    return table_.read_log(first, last, visit);
  }

  MemoryTable table_;
};

} // namespace

std::unique_ptr<Store> make_memory_store(Limits limits) {
  return std::make_unique<MemoryStore>(limits);
}

} // namespace strait::storage
