#pragma once

#include "cmd/cli/connection.hpp"
#include "kubernetes/client.hpp"
#include "kubernetes/object_path.hpp"
#include "net/event_loop.hpp"

namespace strait::cli {

/// Which cluster, and the namespace there: of every command that needs one.
std::vector<Option> cluster_options();

/// A Kubernetes API server, one request at a time. One thread.
class Cluster {
public:
  /// That of --kubeconfig, else KUBECONFIG, else the pod's own, else ~/.kube/config.
  static Outcome<Cluster> open(const Arguments& arguments, Context& context);
  Cluster(Cluster&&) = default;
  ~Cluster();

  /// Creates the object or sets the fields that the document has.
  Status apply(const kubernetes::Node& document);
  /// Nothing: there is no such object, or no such kind.
  Result<std::optional<kubernetes::Node>> get(const kubernetes::ObjectId& id);
  /// JSON merge patch (RFC 7386).
  Status patch(const kubernetes::ObjectId& id, const kubernetes::Node& changes);
  /// Whether it was there.
  Result<bool> remove(const kubernetes::ObjectId& id);
  /// The objects of a kind, one that kubernetes::collection_of() knows, in all namespaces; only
  /// those with the labels, if a selector is given.
  Result<std::vector<kubernetes::ObjectId>> list(const std::string& api_version,
                                                 const std::string& kind,
                                                 const std::string& label_selector = "");
  const std::string& server() const { return client_->server(); }

private:
  Cluster() = default;
  Result<kubernetes::Response> send(kubernetes::Request request);

  std::unique_ptr<net::EventLoop> loop_;
  std::shared_ptr<kubernetes::Client> client_;
};

} // namespace strait::cli
