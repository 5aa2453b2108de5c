#pragma once

#include "actors/messages.hpp"

namespace strait::actors {

/// Opens the store; called again after a failed commit.
using OpenStore = std::function<Result<std::unique_ptr<storage::Store>>()>;

struct StorageState {
  static inline const char* name = "storage";
  std::unique_ptr<storage::Store> store;
};

/// Owns the Store. Spawn it detached: commit() waits for the disk. The first message must be load.
StorageActor::behavior_type storage_actor(StorageActor::stateful_pointer<StorageState> self,
                                          OpenStore open);

} // namespace strait::actors
