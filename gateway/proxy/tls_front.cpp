#include "gateway/proxy/tls_front.hpp"

#include "gateway/proxy/peering_admission.hpp"
#include "gateway/proxy/session.hpp"
#include "net/http1_names.hpp"

#include <algorithm>

namespace strait::gateway::proxy {

namespace {

net::TlsVersion version(TlsVersion wanted, net::TlsVersion any) {
  switch (wanted) {
  case TlsVersion::any:
    return any;
  case TlsVersion::tls1_0:
    return net::TlsVersion::tls1_0;
  case TlsVersion::tls1_1:
    return net::TlsVersion::tls1_1;
  case TlsVersion::tls1_2:
    return net::TlsVersion::tls1_2;
  case TlsVersion::tls1_3:
    return net::TlsVersion::tls1_3;
  }
  return any;
}

/// What the peering listener shows: a mesh gateway, or for want of it the gateway itself.
constexpr std::string_view mesh_gateway_id = "mesh-gateway";
constexpr std::string_view identity_id = "identity";

} // namespace

std::size_t coverage(std::string_view pattern, std::string_view host) {
  if (net::http1::equal_ignoring_case(pattern, host))
    return host.size() + 1;
  if (!pattern.starts_with("*."))
    return 0;
  const auto dot = host.find('.');
  return dot != std::string_view::npos && dot > 0 &&
                 net::http1::equal_ignoring_case(pattern.substr(1), host.substr(dot))
             ? pattern.size() - 1
             : 0;
}

Result<std::unique_ptr<TlsFront>> TlsFront::create(PortState& port, WorkerCounters& counters,
                                                   const ProxyOptions& options,
                                                   const std::string& ticket_keys) {
  auto front = std::unique_ptr<TlsFront>{new TlsFront{port, counters, options, ticket_keys}};
  net::TlsServerOptions outer;
  outer.version_min = net::TlsVersion::tls1_0;
  outer.session_tickets = port.protocol != Protocol::peering;
  outer.ticket_keys = ticket_keys;
  outer.select = [self = front.get()](std::string_view sni) { return self->select(sni); };
  auto context = net::TlsServerContext::create(std::move(outer));
  if (!context)
    return fail(context.error());
  front->front_ = *context;
  return front;
}

TlsFront::Context TlsFront::select(std::string_view sni) {
  return port_.protocol == Protocol::peering ? select_peering(sni) : select_listener(sni);
}

TlsFront::Context TlsFront::select_listener(std::string_view sni) {
  const auto* table = port_.table->find(sni);
  // Who passes connections through has nothing to present; none comes here, unless the listener
  // was another one when the connection was looked at.
  if (!table || table->listener->passthrough) {
    counters_.add(Counter::tls_unknown_name);
    return nullptr;
  }
  const auto& listener = table->listener;
  auto certificate = choose(*listener, sni);
  if (!certificate) {
    options_.log.warn("listener {}: none of its certificates is known", listener->name);
    return nullptr;
  }
  if (auto kept = contexts_.find({listener.get(), nullptr, certificate.get()});
      kept != contexts_.end())
    return kept->second.context;
  net::TlsServerOptions made;
  made.version_min = version(listener->tls.min, net::TlsVersion::tls1_0);
  made.version_max = version(listener->tls.max, net::TlsVersion::tls1_3);
  made.cipher_suites = listener->tls.cipher_suites;
  if (listener->protocol == Protocol::https)
    made.alpn = {"h2", "http/1.1"};
  made.ticket_keys = ticket_keys_;
  made.session_scope = listener->name;
  if (listener->clients) {
    made.client_auth = listener->clients->insecure_fallback ? net::ClientAuth::requested
                                                            : net::ClientAuth::required;
    for (const auto& root : listener->clients->ca_pems)
      made.client_ca_pem.append(root).append(1, '\n');
    made.session_tickets = false; // Every connection is verified anew.
  }
  return keep({listener, nullptr, std::move(certificate), nullptr}, std::move(made));
}

TlsFront::Context TlsFront::select_peering(std::string_view sni) {
  const auto& config = port_.served->snapshot->config;
  const auto* exported = config.exports.find(sni);
  if (!exported) {
    counters_.add(Counter::peering_unknown_name);
    return nullptr;
  }
  const auto* trust = config.trust.find((*exported)->peer);
  const auto* identity = config.certificates.find(mesh_gateway_id);
  if (!identity)
    identity = config.certificates.find(identity_id);
  if (!trust || !identity) {
    counters_.add(Counter::peering_bad_certificate);
    options_.log.warn("export {}: no {}", sni, trust ? "identity" : "trust bundle of its peer");
    return nullptr;
  }
  if (auto kept = contexts_.find({exported->get(), trust->get(), identity->get()});
      kept != contexts_.end())
    return kept->second.context;
  net::TlsServerOptions made;
  made.client_auth = net::ClientAuth::required;
  for (const auto& root : (*trust)->root_pems)
    made.client_ca_pem.append(root).append(1, '\n');
  made.session_tickets = false; // Every connection is admitted anew.
  made.verify = [whose = *trust, what = *exported,
                 &counters = counters_](const net::PeerIdentity& peer) -> Status {
    switch (admit(peer.uris, whose->trust_domain, what->callers)) {
    case Admission::accepted:
      return {};
    case Admission::foreign_identity:
      counters.add(Counter::peering_foreign_identity);
      return fail(Errc::denied, "not one SPIFFE id of trust domain {}", whose->trust_domain);
    case Admission::denied:
      break;
    }
    counters.add(Counter::peering_denied);
    return fail(Errc::denied, "{} may not call {}", peer.uris.front(), what->sni);
  };
  return keep({*exported, *trust, *identity, nullptr}, std::move(made));
}

TlsFront::Context TlsFront::keep(Made made, net::TlsServerOptions options) {
  auto certificate =
      net::TlsCertificate::from_pem(made.certificate->chain_pem, made.certificate->key_pem);
  if (!certificate) {
    options_.log.warn("certificate {}: {}", made.certificate->id, certificate.error().detail);
    return nullptr;
  }
  options.certificate = *certificate;
  auto context = net::TlsServerContext::create(std::move(options));
  if (!context) {
    options_.log.warn("port {}: {}", port_.port, context.error().detail);
    return nullptr;
  }
  if (contexts_.size() >= options_.limits.tls_contexts_max)
    contexts_.clear(); // Connections keep theirs; what is needed is made again.
  made.context = *context;
  const Key key{made.subject.get(), made.trust.get(), made.certificate.get()};
  return contexts_.insert_or_assign(key, std::move(made)).first->second.context;
}

std::shared_ptr<const Certificate> TlsFront::choose(const Listener& listener,
                                                    std::string_view sni) {
  std::shared_ptr<const Certificate> best;
  std::size_t best_coverage = 0;
  for (const auto& id : listener.tls.certificates) {
    const auto* found = port_.served->snapshot->config.certificates.find(id);
    if (!found)
      continue;
    if (listener.tls.certificates.size() == 1)
      return *found;
    std::size_t covers = 0;
    for (const auto& name : names_of(*found))
      covers = std::max(covers, coverage(name, sni));
    if (!best || covers > best_coverage) {
      best = *found;
      best_coverage = covers;
    }
  }
  return best;
}

const std::vector<std::string>&
TlsFront::names_of(const std::shared_ptr<const Certificate>& certificate) {
  auto [entry, added] = names_.try_emplace(certificate);
  if (added)
    if (auto parsed = net::TlsCertificate::from_pem(certificate->chain_pem, certificate->key_pem))
      entry->second = net::peer_identity((*parsed)->leaf(), nullptr).dns_names;
  return entry->second;
}

void TlsFront::prune() {
  if (!port_.served)
    return;
  const auto& config = port_.served->snapshot->config;
  const auto current = [&](const std::shared_ptr<const Certificate>& certificate) {
    const auto* found = config.certificates.find(certificate->id);
    return found && *found == certificate;
  };
  std::erase_if(contexts_, [&](const auto& entry) { return !current(entry.second.certificate); });
  std::erase_if(names_, [&](const auto& entry) { return !current(entry.first); });
}

} // namespace strait::gateway::proxy
