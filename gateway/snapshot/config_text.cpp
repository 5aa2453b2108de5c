#include "base/overload.hpp"
#include "gateway/snapshot/config.hpp"

#include <fmt/format.h>

#include <iterator>

namespace strait::gateway {
namespace {

std::string_view text_of(Protocol protocol) {
  switch (protocol) {
  case Protocol::http:
    return "http";
  case Protocol::https:
    return "https";
  case Protocol::tcp:
    return "tcp";
  case Protocol::udp:
    return "udp";
  case Protocol::tls:
    return "tls";
  case Protocol::peering:
    return "peering";
  }
  return "?";
}

std::string_view text_of(TlsVersion version) {
  switch (version) {
  case TlsVersion::any:
    return "any";
  case TlsVersion::tls1_0:
    return "1.0";
  case TlsVersion::tls1_1:
    return "1.1";
  case TlsVersion::tls1_2:
    return "1.2";
  case TlsVersion::tls1_3:
    return "1.3";
  }
  return "?";
}

std::string_view text_of(PathType type) {
  switch (type) {
  case PathType::exact:
    return "exact";
  case PathType::prefix:
    return "prefix";
  case PathType::regex:
    return "regex";
  }
  return "?";
}

/// Long texts (chains of certificates) by length and fingerprint: enough to see that they differ.
std::string digest(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (char c : text)
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return fmt::format("{} bytes {:016x}", text.size(), hash);
}

/// Quoted, so that no value can look like another line.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      out += '\\', out += c;
    else if (byte < 0x20 || byte == 0x7f)
      out += fmt::format("\\x{:02x}", byte);
    else
      out += c;
  }
  return out + '"';
}

/// Lines, indented by two spaces a level.
class Text {
public:
  template <class... Args>
  void line(int level, fmt::format_string<Args...> format, Args&&... args) {
    out_.append(static_cast<std::size_t>(level) * 2, ' ');
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
    out_ += '\n';
  }
  std::string take() { return std::move(out_); }

private:
  std::string out_;
};

void write(Text& text, int level, std::string_view what, const HeaderEdits& edits) {
  for (const auto& edit : edits.set)
    text.line(level, "{} header set {}: {}", what, quoted(edit.name), quoted(edit.value));
  for (const auto& edit : edits.add)
    text.line(level, "{} header add {}: {}", what, quoted(edit.name), quoted(edit.value));
  for (const auto& name : edits.remove)
    text.line(level, "{} header remove {}", what, quoted(name));
}

void write(Text& text, int level, const std::vector<Backend>& backends) {
  for (const auto& backend : backends) {
    if (backend.cluster.empty())
      text.line(level, "backend refused {} weight {}", backend.refusal, backend.weight);
    else if (backend.refusal)
      text.line(level, "backend {} weight {} refusal {}", quoted(backend.cluster), backend.weight,
                backend.refusal);
    else
      text.line(level, "backend {} weight {}", quoted(backend.cluster), backend.weight);
    write(text, level + 1, "request", backend.request);
    write(text, level + 1, "response", backend.response);
  }
}

void write(Text& text, std::string_view what, const std::vector<ValueCondition>& conditions) {
  for (const auto& condition : conditions)
    text.line(4, "{} {} {} {}", what, quoted(condition.name),
              condition.type == ValueType::regex ? "regex" : "exact", quoted(condition.value));
}

void write(Text& text, int level, std::string_view what, const std::vector<std::string>& items) {
  for (const auto& item : items)
    text.line(level, "{} {}", what, quoted(item));
}

void write(Text& text, const Cors& cors) {
  text.line(3, "cors max age {}{}", cors.max_age, cors.allow_credentials ? " credentials" : "");
  write(text, 4, "origin", cors.allow_origins);
  write(text, 4, "method", cors.allow_methods);
  write(text, 4, "header", cors.allow_headers);
  write(text, 4, "exposed header", cors.expose_headers);
}

std::string_view text_of(Jwt::Location::Type type) {
  switch (type) {
  case Jwt::Location::Type::header:
    return "header";
  case Jwt::Location::Type::query:
    return "query";
  case Jwt::Location::Type::cookie:
    return "cookie";
  }
  return "?";
}

void write(Text& text, const Jwt& jwt) {
  text.line(3, "jwt");
  for (const auto& provider : jwt.providers) {
    text.line(4, "provider {} issuer {} clock skew {} s", quoted(provider.name),
              quoted(provider.issuer), provider.clock_skew_seconds);
    text.line(5, "keys {}", provider.jwks.empty() ? "none" : digest(provider.jwks));
    write(text, 5, "audience", provider.audiences);
    for (const auto& location : provider.locations)
      text.line(5, "in {} {} prefix {}{}", text_of(location.type), quoted(location.name),
                quoted(location.prefix), location.forward ? "" : " not forwarded");
    for (const auto& claim : provider.claims) {
      text.line(5, "claim {}", quoted(claim.value));
      write(text, 6, "at", claim.path);
    }
  }
}

void write(Text& text, const ExternalAuth& auth) {
  if (auth.refusal)
    text.line(3, "auth {} {} refused {}", auth.grpc ? "grpc" : "http", quoted(auth.cluster),
              auth.refusal);
  else
    text.line(3, "auth {} {}", auth.grpc ? "grpc" : "http", quoted(auth.cluster));
  if (!auth.path.empty())
    text.line(4, "path {}", quoted(auth.path));
  write(text, 4, "header", auth.allowed_headers);
  write(text, 4, "response header", auth.allowed_response_headers);
  if (auth.forward_body)
    text.line(4, "body {} bytes", auth.forward_body);
}

void write(Text& text, const std::optional<PathEdit>& edit) {
  if (edit)
    text.line(4, "path {} {}", edit->type == PathEdit::Type::full ? "full" : "prefix",
              quoted(edit->value));
}

void write(Text& text, const Redirect& redirect) {
  text.line(3, "redirect {} scheme {} hostname {} port {}", redirect.status,
            quoted(redirect.scheme), quoted(redirect.hostname), redirect.port);
  write(text, redirect.path);
}

void write(Text& text, const Rewrite& rewrite) {
  text.line(3, "rewrite hostname {}", quoted(rewrite.hostname));
  write(text, rewrite.path);
}

void write(Text& text, const Retry& retry) {
  text.line(3, "retry {} times backoff {} ms{}", retry.attempts, retry.backoff.count(),
            retry.on_connection_error ? " connection errors" : "");
  for (const auto code : retry.codes)
    text.line(4, "code {}", code);
}

void write(Text& text, const SessionPersistence& session) {
  text.line(3, "session {} {} timeout {} ms{}", session.header ? "header" : "cookie",
            quoted(session.name), session.absolute_timeout.count(),
            session.permanent ? " permanent" : "");
}

/// What a request meets before its backend; nothing for what the rule does not have.
void write_filters(Text& text, const HttpRule& rule) {
  if (rule.cors)
    write(text, *rule.cors);
  for (const auto& jwt : rule.jwt)
    write(text, jwt);
  if (rule.auth)
    write(text, *rule.auth);
  if (rule.redirect)
    write(text, *rule.redirect);
  for (const auto& mirror : rule.mirrors)
    text.line(3, "mirror {} {}/{}", quoted(mirror.cluster), mirror.numerator, mirror.denominator);
  if (rule.rewrite)
    write(text, *rule.rewrite);
  for (const auto& [what, time] : {std::pair{"request", rule.request_timeout},
                                   {"backend", rule.backend_timeout},
                                   {"idle", rule.idle_timeout}})
    if (time)
      text.line(3, "{} timeout {} ms", what, time->count());
  if (rule.retry)
    write(text, *rule.retry);
  if (rule.session)
    write(text, *rule.session);
}

void write(Text& text, const HttpRule& rule) {
  text.line(2, "rule {}", quoted(rule.name));
  for (const auto& match : rule.matches) {
    text.line(3, "match {} {}{}{}", text_of(match.path_type), quoted(match.path),
              match.method.empty() ? "" : " method ",
              match.method.empty() ? "" : quoted(match.method));
    write(text, "header", match.headers);
    write(text, "query", match.query);
  }
  write(text, 3, "request", rule.request);
  write(text, 3, "response", rule.response);
  write_filters(text, rule);
  write(text, 3, rule.backends);
}

void write(Text& text, const std::string& key, const Listener& listener) {
  text.line(0, "listener {}", quoted(key));
  if (key != listener.name)
    text.line(1, "name {}", quoted(listener.name));
  text.line(1, "{} {}:{} hostname {}", text_of(listener.protocol), quoted(listener.address),
            listener.port, quoted(listener.hostname));
  if (listener.passthrough)
    text.line(1, "passthrough");
  if (listener.public_port != 0)
    text.line(1, "public port {}", listener.public_port);
  if (listener.clients) {
    text.line(1, "clients{}", listener.clients->insecure_fallback ? " or not" : "");
    for (const auto& ca : listener.clients->ca_pems)
      text.line(2, "root {}", digest(ca));
  }
  if (listener.tls == TlsSettings{})
    return;
  text.line(1, "tls {}..{}", text_of(listener.tls.min), text_of(listener.tls.max));
  for (const auto& certificate : listener.tls.certificates)
    text.line(2, "certificate {}", quoted(certificate));
  for (const auto& suite : listener.tls.cipher_suites)
    text.line(2, "cipher suite {}", quoted(suite));
}

void write(Text& text, const std::string& key, const BoundRoute& bound) {
  text.line(0, "route {}", quoted(key));
  text.line(1, "id {} created {}", quoted(bound.id), bound.created.time_since_epoch().count());
  std::visit(overload{[&](const HttpRoute& http) {
                        text.line(1, "{}", http.grpc ? "grpc" : "http");
                        write(text, 2, "hostname", http.hostnames);
                        for (const auto& rule : http.rules)
                          write(text, rule);
                      },
                      [&](const TcpRoute& tcp) {
                        text.line(1, "tcp");
                        write(text, 2, tcp.backends);
                      },
                      [&](const TlsRoute& tls) {
                        text.line(1, "tls");
                        write(text, 2, "hostname", tls.hostnames);
                        write(text, 2, tls.backends);
                      },
                      [&](const UdpRoute& udp) {
                        text.line(1, "udp");
                        write(text, 2, udp.backends);
                      }},
             bound.route);
}

void write(Text& text, const std::string& key, const Cluster& cluster) {
  text.line(0, "cluster {}", quoted(key));
  if (key != cluster.id)
    text.line(1, "id {}", quoted(cluster.id));
  for (const auto& endpoint : cluster.endpoints)
    text.line(1, "endpoint {}:{} weight {}", quoted(endpoint.address), endpoint.port,
              endpoint.weight);
  if (cluster.http2)
    text.line(1, "http2");
  if (cluster.refused)
    text.line(1, "refused");
  write(text, 1, "failover", cluster.failover);
  if (cluster.tls) {
    text.line(1, "tls sni {} identity {}", quoted(cluster.tls->sni), quoted(cluster.tls->identity));
    write(text, 2, "expects", cluster.tls->spiffe_ids);
    for (const auto& root : cluster.tls->root_pems)
      text.line(2, "root {}", digest(root));
  }
  if (cluster.backend_tls) {
    text.line(1, "backend tls sni {}{}", quoted(cluster.backend_tls->sni),
              cluster.backend_tls->system_ca ? " system roots" : "");
    write(text, 2, "expects name", cluster.backend_tls->dns_names);
    write(text, 2, "expects uri", cluster.backend_tls->uris);
    for (const auto& root : cluster.backend_tls->ca_pems)
      text.line(2, "root {}", digest(root));
  }
}

void write(Text& text, const std::string& key, const Certificate& certificate) {
  text.line(0, "certificate {}", quoted(key));
  if (key != certificate.id)
    text.line(1, "id {}", quoted(certificate.id));
  text.line(1, "chain {}", digest(certificate.chain_pem));
  text.line(1, "key {} bytes", certificate.key_pem.size());
}

void write(Text& text, const std::string& key, const PeeringExport& exported) {
  text.line(0, "export {}", quoted(key));
  if (key != exported.sni)
    text.line(1, "sni {}", quoted(exported.sni));
  text.line(1, "cluster {} peer {}", quoted(exported.cluster), quoted(exported.peer));
  for (const auto& caller : exported.callers)
    text.line(1, "{} {}", caller.allow ? "allow" : "deny", quoted(caller.spiffe_id));
}

void write(Text& text, const std::string& key, const PeeringTrust& trust) {
  text.line(0, "trust {}", quoted(key));
  if (key != trust.peer)
    text.line(1, "peer {}", quoted(trust.peer));
  text.line(1, "domain {}", quoted(trust.trust_domain));
  for (const auto& root : trust.root_pems)
    text.line(1, "root {}", digest(root));
}

template <class T>
void write_all(Text& text, const Resources<T>& resources) {
  resources.each([&](const auto& item) {
    write(text, item.first, *item.second);
    return true;
  });
}

} // namespace

std::string to_text(const Config& config) {
  Text text;
  write_all(text, config.listeners);
  write_all(text, config.routes);
  write_all(text, config.clusters);
  write_all(text, config.certificates);
  write_all(text, config.exports);
  write_all(text, config.trust);
  return text.take();
}

} // namespace strait::gateway
