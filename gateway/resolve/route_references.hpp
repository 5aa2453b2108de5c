#pragma once

#include "gateway/resolve/resolve.hpp"

#include <tl/expected.hpp>

namespace strait::gateway::resolve {

/// What a backend is spoken to over.
enum class Transport : std::uint8_t { tcp, udp };

/// Looks up what one route refers to, and collects in the route what is wrong and what was looked
/// at. References are named by the path of their field.
class RouteReferences {
public:
  RouteReferences(const View& view, ResolvedRoute& route) : view_{view}, route_{route} {}

  /// The id of the backend's cluster, or why there is none; then the route has an unresolved
  /// reference. Grants come before existence: nobody may probe for names in another namespace.
  std::optional<std::string> cluster(const model::BackendTarget& target, const std::string& path,
                                     Transport transport = Transport::tcp);
  /// A share of a rule, without its filters.
  Backend backend(const model::BackendRef& ref, const std::string& path, Transport transport);

  /// The route asks for something that Strait cannot carry out. The first one counts.
  void refuse(std::string message, model::Reason reason = model::Reason::unsupported_value);
  void depend(Topic topic) { route_.depends.insert(std::move(topic)); }

  const View& view() const { return view_; }
  const ResolvedRoute& route() const { return route_; }

private:
  using Found = tl::expected<std::string, Problem>;
  Found look_up(const model::BackendTarget& target, Transport transport);
  Found service(const model::BackendTarget& target, const model::Name& name, Transport transport);
  Found mesh_service(const model::Name& name);

  const View& view_;
  ResolvedRoute& route_;
};

} // namespace strait::gateway::resolve
