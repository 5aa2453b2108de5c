#pragma once

#include "actors/messages.hpp"

namespace strait::actors {

/// Which listeners and routes of one Gateway changed with which epoch, out of what its Binder
/// tells: a pure machine, owned by the gateway actor. It keeps no more than the listeners'
/// conditions; words on who serves what come from its ledger.
class GatewayServing {
public:
  explicit GatewayServing(model::Name gateway) : gateway_{std::move(gateway)} {}

  /// Enters what changed into the ledger. Parents and listeners that nothing serves get their
  /// Serving=False here, in `taken`; on the others words() follow.
  void took(gateway::resolve::Binder::Taken& taken);

  ServingLedger& ledger() { return ledger_; }
  /// What became of them since the last call.
  std::vector<ServingStatus> words();

private:
  using Conditions = std::vector<model::Condition>;
  void took_listeners(const model::ObjectKey& owner, std::vector<model::ListenerStatus>& listeners,
                      std::uint64_t epoch);
  void took_config(const gateway::resolve::Binder::Taken& taken);
  void took_routes(gateway::resolve::Binder::Taken& taken, std::uint64_t epoch);
  void changed(const std::string& config_listener, std::uint64_t epoch);

  model::Name gateway_;
  ServingLedger ledger_;
  std::uint64_t epoch_ = 0; ///< Of the last config; 0: there was none.
  /// Conditions of the listeners that are programmed, by their owner.
  std::map<model::ObjectKey, std::map<std::string, Conditions>> listeners_;
};

} // namespace strait::actors
