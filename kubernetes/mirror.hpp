#pragma once

#include "kubernetes/client.hpp"
#include "kubernetes/reflector.hpp"

namespace strait::kubernetes {

/// Which objects: a collection of one kind, in the cluster or in one namespace.
struct Collection {
  std::string path;        ///< "/api/v1/namespaces/default/secrets"
  std::string api_version; ///< "v1"; given to objects, which lists leave without.
  std::string kind;        ///< "Secret"
  std::string field_selector{}, label_selector{};
  bool metadata_only = false; ///< PartialObjectMetadata: without spec and status.
};

/// Told on the client's loop.
struct MirrorCallbacks {
  std::function<void(const Item&)> put;
  std::function<void(const model::Name&)> remove;
  std::function<void()> synced{}; ///< After every whole list.
  /// For the log: what does not work; empty: it works again.
  std::function<void(const std::string&)> problem{};
};

struct MirrorOptions {
  ReflectorOptions reflector{};
  std::vector<model::Name> known{}; ///< See Reflector::start.
  /// Objects told and not yet taken() while more are read; 0: they are not counted.
  std::size_t ahead_max = 0;
};

/// Objects of a collection, kept up with: carries out a Reflector with a client. Any thread may
/// begin and drop it; once dropped, nothing more is told (but what is being told right now).
class Mirror {
public:
  static std::shared_ptr<Mirror> start(std::shared_ptr<Client> client, Collection collection,
                                       MirrorCallbacks callbacks, MirrorOptions options = {});
  virtual ~Mirror() = default;
  /// Any thread: so many of put and remove were dealt with. Only beside ahead_max.
  virtual void taken(std::size_t count) = 0;
  /// Any thread: the collection is gone; everything is removed and nothing asked any more.
  virtual void vanish() = 0;
};

} // namespace strait::kubernetes
