#pragma once

#include "peering/exports.hpp"

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace strait::peering {

struct ImportLimits {
  std::size_t uncommitted_max = 256;              ///< Received and not yet in our catalog.
  std::size_t uncommitted_bytes_max = 32U << 20U; ///< Of them; one alone may be larger.
  PayloadLimits payload;
};

/// The receiving half of a link: what came in, on its way into our catalog. Every response is
/// answered exactly once, when its command is committed or refused.
class ImportQueue {
public:
  using Ticket = std::uint64_t;

  ImportQueue(std::string peering, ImportLimits limits)
      : peering_{std::move(peering)}, limits_{limits} {}

  struct Begun {
    Ticket ticket = 0;
    catalog::Command command;
  };
  /// A command to commit, or at once the NACK.
  std::variant<Begun, Request> begin(Response response);

  struct Done {
    Request answer; ///< For the stream that the response came on.
    std::string failure;
    std::optional<std::vector<std::string>> services; ///< The list that is now in force.
  };
  /// Nothing: no such ticket, or its stream has gone and nobody waits for the answer.
  std::optional<Done> end(Ticket ticket, const Status& status);

  /// "All up to here": returned by passed() once everything received before it is committed.
  void mark(StoreRevision revision);
  std::optional<StoreRevision> passed();

  /// Whether the wire may read on. False only while our own catalog is behind.
  bool wants_more() const {
    return waiting_.size() < limits_.uncommitted_max && bytes_ < limits_.uncommitted_bytes_max;
  }
  /// The stream has gone: what is being committed stays so, its answers are of no use.
  void restart();

private:
  struct Waiting {
    Request answer;
    std::size_t bytes = 0;
    std::optional<std::vector<std::string>> services;
    bool answerable = true;
  };
  std::string peering_;
  ImportLimits limits_;
  Ticket next_ = 1;
  std::map<Ticket, Waiting> waiting_;
  std::size_t bytes_ = 0;
  std::optional<std::pair<Ticket, StoreRevision>> mark_; // After the ticket.
};

} // namespace strait::peering
