#pragma once

#include "catalog/catalog.hpp"
#include "catalog/view_writer.hpp"

#include <map>
#include <set>

namespace strait::catalog {

/// One command in the making: what it puts and erases becomes one commit and one view, or, at the
/// first error, nothing. An equal value is not written. The rules of the commands are in
/// apply_*.cpp; here is what holds for all: revisions, limits, indexes, which services are touched.
class Change {
public:
  Change(ViewPtr base, const CommandLimits& limits)
      : base_{std::move(base)}, limits_{limits}, writer_{*base_} {}

  /// With what was put and erased so far.
  const View& view() const { return writer_.view(); }
  Revision revision() const { return base_->revision + 1; }

  /// True if it was written.
  template <class T>
  bool put(T value) {
    auto key = model::key_of(value);
    auto old = view().template record<T>(key.name);
    if ((old && old->value == value) || !fits(key))
      return false;
    auto record = std::make_shared<const Record<T>>(
        Record<T>{std::move(value), old ? old->created : revision(), revision()});
    if (old)
      touch_for(old->value);
    writer_.set<T>(record);
    touch_for(record->value);
    write(key, encode_record(AnyRecord{record->value}, record->created, record->modified));
    return true;
  }
  /// False if there was none.
  template <class T>
  bool erase(const model::Name& name) {
    auto old = view().template record<T>(name);
    if (!old)
      return false;
    touch_for(old->value);
    writer_.unset<T>(name);
    erased({T::kind, name});
    return true;
  }

  /// Gives the whole up; the first error counts.
  void refuse(Error error) {
    if (!error_)
      error_ = std::move(error);
  }
  template <class... Args>
  void refuse(Errc code, fmt::format_string<Args...> text, Args&&... args) {
    refuse(Error{code, fmt::format(text, std::forward<Args>(args)...)});
  }
  bool refused() const { return error_.has_value(); }

  /// The outcome, or the error. Call once.
  Result<Outcome> finish();

private:
  bool fits(const model::ObjectKey& key);
  void write(const model::ObjectKey& key, std::string value);
  void erased(const model::ObjectKey& key);

  template <class T>
  void touch_for(const T&) {}
  void touch_for(const model::ServiceInstance& instance);
  void touch_for(const model::HealthCheck& check);
  void touch_for(const model::Node& node);

  ViewPtr base_;
  const CommandLimits& limits_;
  ViewWriter writer_;
  std::map<model::ObjectKey, storage::Write> writes_;
  std::set<ServiceKey> touched_;
  std::optional<Error> error_;
};

/// Consul's and Kubernetes' rule for compare-and-set: Errc::conflict tells both revisions.
void require(Change& change, const model::ObjectKey& key, const Cas& cas, Revision modified);

/// A UUID (RFC 9562, version 8) that follows from the object's key and the revision that made it,
/// so that the same commands make the same catalog.
std::string derive_uid(const model::ObjectKey& key, Revision created);

/// Whether a name is within the limit and not empty; refuses the change with the field's name.
bool check_name(Change& change, const CommandLimits& limits, std::string_view field,
                std::string_view name);

/// The families of commands.
void apply(Change& change, const CommandLimits& limits, const Put& command, WallTime now);
void apply(Change& change, const CommandLimits& limits, const Remove& command, WallTime now);
void apply(Change& change, const CommandLimits& limits, const ReportStatus& command, WallTime now);
void apply(Change& change, const CommandLimits& limits, const Register& command, WallTime now);
void apply(Change& change, const CommandLimits& limits, const Deregister& command, WallTime now);
void apply(Change& change, const CommandLimits& limits, const ReportCheck& command, WallTime now);
void apply(Change& change, const CommandLimits& limits, const Import& command, WallTime now);
void apply(Change& change, const CommandLimits& limits, const ImportList& command, WallTime now);
void apply(Change& change, const CommandLimits& limits, const ImportTrust& command, WallTime now);
void apply(Change& change, const CommandLimits& limits, const WritePeering& command, WallTime now);
void apply(Change& change, const CommandLimits& limits, const ReportPeering& command, WallTime now);
void apply(Change& change, const CommandLimits& limits, const ForgetPeering& command, WallTime now);
void apply(Change& change, const CommandLimits& limits, const WriteAuthority& command,
           WallTime now);
void apply(Change& change, const CommandLimits& limits, const WriteKeySet& command, WallTime now);
void apply(Change& change, const CommandLimits& limits, const KeepRoute& command, WallTime now);

/// Removes an instance and its checks; its node stays.
void remove_instance(Change& change, const model::Name& instance);
/// Removes a node with all on it; `node` is its name in its ObjectKey: (peer, node).
void remove_node(Change& change, const model::Name& node);
/// The checks of an instance (of a node: with an empty instance id), by their ids.
std::vector<std::string> checks_of(const View& view, const model::Name& owner);
/// The ids of the instances on a node.
std::vector<std::string> instances_on(const View& view, const model::Name& node);

} // namespace strait::catalog
