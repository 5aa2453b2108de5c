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
  write(text, 3, rule.backends);
}

void write(Text& text, const std::string& key, const Listener& listener) {
  text.line(0, "listener {}", quoted(key));
  if (key != listener.name)
    text.line(1, "name {}", quoted(listener.name));
  text.line(1, "{} {}:{} hostname {}", text_of(listener.protocol), quoted(listener.address),
            listener.port, quoted(listener.hostname));
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
                        text.line(1, "http");
                        for (const auto& hostname : http.hostnames)
                          text.line(2, "hostname {}", quoted(hostname));
                        for (const auto& rule : http.rules)
                          write(text, rule);
                      },
                      [&](const TcpRoute& tcp) {
                        text.line(1, "tcp");
                        write(text, 2, tcp.backends);
                      },
                      [&](const TlsRoute& tls) {
                        text.line(1, "tls");
                        for (const auto& hostname : tls.hostnames)
                          text.line(2, "hostname {}", quoted(hostname));
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
  if (!cluster.tls)
    return;
  text.line(1, "tls sni {} identity {}", quoted(cluster.tls->sni), quoted(cluster.tls->identity));
  for (const auto& id : cluster.tls->spiffe_ids)
    text.line(2, "expects {}", quoted(id));
  for (const auto& root : cluster.tls->root_pems)
    text.line(2, "root {}", digest(root));
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
