#pragma once

#include "gateway/resolve/resolve.hpp"

namespace strait::gateway::resolve {

/// One listener as its Gateway has it, with where it stands: in the Gateway itself, or in one of
/// its ListenerSets.
struct ListenerEntry {
  model::Listener spec;
  std::optional<model::Name> set; ///< The ListenerSet; none: the Gateway's own.
  std::string ns;                 ///< Of the object that it stands in.
  std::int64_t generation = 0;    ///< Of that object.
  /// A field of this listener that cannot be carried out: it fails alone.
  std::optional<model::Unsupported> broken{};
};

/// The first field of the `index`-th listener that its object cannot carry out …
std::optional<model::Unsupported> broken_in(const std::vector<model::Unsupported>& fields,
                                            std::size_t index);
/// … and the first that lies in none of the listeners, so that it is the whole object's.
const model::Unsupported* broken_outside(const std::vector<model::Unsupported>& fields);

/// What a listener is called in a Config, where names hold no '/'.
std::string config_name(const ListenerEntry& entry);

/// What is found of one listener, one problem per aspect; conditions are written from it.
struct ListenerFindings {
  std::optional<Problem> accepted;   ///< Why it is not: a field, its protocol, its port.
  std::optional<Problem> conflicted; ///< With another listener of the same port.
  std::optional<Problem> refs;       ///< The first certificate that cannot be used.
  std::optional<Problem> kinds;      ///< A kind of route that it cannot serve.
  std::optional<Problem> overlapping;
  std::vector<model::RouteGroupKind> supported_kinds;
  std::uint16_t port = 0; ///< To bind in the container.
  TlsSettings tls;
  bool passthrough = false;
  std::optional<ClientValidation> clients;
  std::vector<std::shared_ptr<const Certificate>> certificates; ///< Those that are in order.
};

/// Checks each listener by itself (protocol, TLS, certificates and their grants, client validation,
/// kinds) and against the others of its Gateway (ports, hostnames). Entries are in the order of
/// their precedence, the Gateway's own first. `depends` gets what was looked at.
std::vector<ListenerFindings> check_listeners(const View& view, const model::Gateway& gateway,
                                              const std::vector<ListenerEntry>& entries,
                                              const ResolvedClass& gateway_class, Topics& depends);

/// Who refers to a certificate's Secret, and the reasons for a condition that tells why it cannot.
struct CertificateReferrer {
  std::string_view kind, ns;
  model::Reason invalid, not_permitted;
};
/// The pair of a kubernetes.io/tls Secret, with the id "Secret NS/NAME".
tl::expected<std::shared_ptr<const Certificate>, Problem>
certificate_of(const View& view, const CertificateReferrer& from, const model::CertificateRef& ref,
               Topics& depends);

/// Nothing for a protocol that no listener can have yet.
std::optional<Protocol> protocol_of(const std::string& text);

/// The port in the container: privileged ones are moved up by `offset` (specification B3). Nothing
/// if there is no such port.
std::optional<std::uint16_t> container_port(std::uint16_t port, std::int32_t offset);

} // namespace strait::gateway::resolve
