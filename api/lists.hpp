#pragma once

#include "api/call.hpp"
#include "api/filter.hpp"
#include "api/json_writer.hpp"
#include "catalog/queries.hpp"

#include <optional>

/// Lists of the catalog as queries ask for them: which records, which of those pass the filter.
namespace strait::api {

/// ?peer, in lower case; empty: this datacenter.
std::string peer_of(const Call& call);

/// ?node-meta=KEY:VALUE, repeated: all must hold.
class NodeSelection {
public:
  explicit NodeSelection(const Call& call);
  bool any() const { return !pairs_.empty(); }
  bool takes(const catalog::Record<model::Node>* node) const;
  bool takes(const catalog::View& view, const std::string& peer, const std::string& node) const;

private:
  std::vector<std::pair<std::string, std::string>> pairs_;
};

/// ?tag, repeated: all must be there, ignoring case; and ?node-meta.
class InstanceSelection {
public:
  explicit InstanceSelection(const Call& call);
  bool takes(const catalog::InstanceHealth& instance) const;

private:
  std::vector<std::string> tags_;
  NodeSelection nodes_;
};

using FilterPtr = std::shared_ptr<const Filter>;
/// ?filter, compiled for what the list holds; null: there is none. The error is the one that Consul
/// answers with 500.
Result<FilterPtr> list_filter(const Call& call, Element element);

/// A JSON array of those elements that pass the filter.
class ListWriter {
public:
  explicit ListWriter(FilterPtr filter) : filter_{std::move(filter)} { json_.begin_array(); }
  /// `write` writes one element.
  template <class Write>
  void add(Write&& write) {
    if (!filter_) {
      write(json_);
      return;
    }
    JsonWriter element;
    write(element);
    if (filter_->takes(element.view()))
      json_.raw(element.view());
  }
  std::string take() { return json_.end_array().take(); }
  Reply reply() { return {200, take(), json_type, {}}; }

private:
  FilterPtr filter_;
  JsonWriter json_;
};

} // namespace strait::api
