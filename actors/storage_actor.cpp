#include "actors/storage_actor.hpp"

namespace strait::actors {

StorageActor::behavior_type storage_actor(StorageActor::stateful_pointer<StorageState> self,
                                          OpenStore open) {
  return {
      [self](commit_atom, const CommitsPtr& commits) -> Committed {
        if (!self->state.store)
          return {fail(Errc::unavailable, "the store is not open")};
        return {self->state.store->commit(*commits)};
      },
      [self, open](load_atom) -> Loaded {
        self->state.store.reset(); // Its lock must be free before it is opened anew.
        auto store = open();
        if (!store)
          return {fail(store.error())};
        auto catalog = catalog::Catalog::load(**store);
        if (!catalog)
          return {fail(catalog.error())};
        self->state.store = std::move(*store);
        return {std::make_shared<catalog::Catalog>(std::move(*catalog))};
      },
  };
}

} // namespace strait::actors
