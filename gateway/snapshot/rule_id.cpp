#include "gateway/snapshot/rule_id.hpp"

#include <concepts>
#include <type_traits>

namespace strait::gateway {
namespace {

/// FNV-1a over what a rule says; lengths are part of it, so that fields cannot run together. Each
/// struct is taken apart into all of its fields: one more field in it does not compile until it is
/// added here.
class Fingerprint {
public:
  template <class T>
  requires std::integral<T> || std::is_enum_v<T>
  void add(T number) {
    const auto bits = static_cast<std::uint64_t>(number);
    for (int byte = 0; byte < 8; ++byte)
      mix(static_cast<unsigned char>(bits >> (8 * byte)));
  }
  void add(const std::string& text) {
    add(text.size());
    for (char c : text)
      mix(static_cast<unsigned char>(c));
  }
  void add(Millis time) { add(time.count()); }
  template <class T>
  void add(const std::vector<T>& items) {
    add(items.size());
    for (const auto& item : items)
      add(item);
  }
  template <class T>
  void add(const std::optional<T>& item) {
    add(item.has_value());
    if (item)
      add(*item);
  }
  void add(const HeaderEdit& of) {
    const auto& [name, value] = of;
    all(name, value);
  }
  void add(const HeaderEdits& of) {
    const auto& [set, added, removed] = of;
    all(set, added, removed);
  }
  void add(const Backend& of) {
    const auto& [cluster, weight, refusal, request, response] = of;
    all(cluster, weight, refusal, request, response);
  }
  void add(const ValueCondition& of) {
    const auto& [type, name, value] = of;
    all(type, name, value);
  }
  void add(const Match& of) {
    const auto& [path_type, path, method, headers, query] = of;
    all(path_type, path, method, headers, query);
  }
  void add(const PathEdit& of) {
    const auto& [type, value] = of;
    all(type, value);
  }
  void add(const Redirect& of) {
    const auto& [scheme, hostname, path, port, status] = of;
    all(scheme, hostname, path, port, status);
  }
  void add(const Rewrite& of) {
    const auto& [hostname, path] = of;
    all(hostname, path);
  }
  void add(const Mirror& of) {
    const auto& [cluster, numerator, denominator] = of;
    all(cluster, numerator, denominator);
  }
  void add(const Cors& of) {
    const auto& [origins, credentials, methods, headers, exposed, max_age] = of;
    all(origins, credentials, methods, headers, exposed, max_age);
  }
  void add(const ExternalAuth& of) {
    const auto& [cluster, refusal, grpc, path, headers, response_headers, body] = of;
    all(cluster, refusal, grpc, path, headers, response_headers, body);
  }
  void add(const Retry& of) {
    const auto& [codes, attempts, on_connection_error, backoff] = of;
    all(codes, attempts, on_connection_error, backoff);
  }
  void add(const SessionPersistence& of) {
    const auto& [header, name, timeout, permanent] = of;
    all(header, name, timeout, permanent);
  }
  void add(const Jwt::Location& of) {
    const auto& [type, name, prefix, forward] = of;
    all(type, name, prefix, forward);
  }
  void add(const Jwt::Claim& of) {
    const auto& [path, value] = of;
    all(path, value);
  }
  void add(const Jwt::Provider& of) {
    const auto& [name, issuer, audiences, jwks, locations, claims, skew] = of;
    all(name, issuer, audiences, jwks, locations, claims, skew);
  }
  void add(const Jwt& of) {
    const auto& [providers] = of;
    all(providers);
  }
  void add(const HttpRule& of) {
    const auto& [name, matches, request, response, backends, cors, jwt, auth, redirect, mirrors,
                 rewrite, request_timeout, backend_timeout, idle_timeout, retry, session] = of;
    all(name, matches, request, response, backends, cors, jwt, auth, redirect, mirrors, rewrite,
        request_timeout, backend_timeout, idle_timeout, retry, session);
  }
  template <class... T>
  void all(const T&... fields) {
    (add(fields), ...);
  }
  std::uint64_t value() const { return state_; }

private:
  void mix(unsigned char byte) { state_ = (state_ ^ byte) * 0x100000001b3ULL; }
  std::uint64_t state_ = 0xcbf29ce484222325ULL;
};

} // namespace

std::uint64_t rule_id(const BoundRoute& route, const HttpRoute& http, const HttpRule& rule) {
  Fingerprint fingerprint;
  fingerprint.all(route.id, http.grpc, rule);
  return fingerprint.value();
}

} // namespace strait::gateway
