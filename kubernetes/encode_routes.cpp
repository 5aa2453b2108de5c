#include "kubernetes/encode_kinds.hpp"

namespace strait::kubernetes {

namespace {

Node encode_backend(const model::BackendRef& ref) {
  MapWriter out;
  out.put("group", ref.group);
  out.put("kind", ref.kind);
  out.put_unless_empty("namespace", ref.ns);
  out.put("name", ref.name);
  out.put_if("port", ref.port);
  out.put("weight", std::int64_t{ref.weight});
  out.put_unless_empty("filters", list_of(ref.filters, encode_filter));
  return out.take();
}

Node encode_values(const std::vector<model::ValueMatch>& matches) {
  return list_of(matches, [](auto& match) {
    MapWriter out;
    bool exact = match.type == model::ValueMatchType::exact;
    out.put("type", exact ? "Exact" : "RegularExpression");
    out.put("name", match.name);
    out.put("value", match.value);
    return out.take();
  });
}

Node encode_match(const model::HttpMatch& match) {
  constexpr const char* types[] = {"Exact", "PathPrefix", "RegularExpression"};
  MapWriter path, out;
  path.put("type", types[static_cast<std::size_t>(match.path.type)]);
  path.put("value", match.path.value);
  out.put("path", path.take());
  out.put_unless_empty("headers", encode_values(match.headers));
  out.put_unless_empty("queryParams", encode_values(match.query));
  out.put_unless_empty("method", match.method);
  return out.take();
}

Node encode_match(const model::GrpcMatch& match) {
  MapWriter out;
  if (auto& method = match.method) {
    MapWriter one;
    bool exact = method->type == model::ValueMatchType::exact;
    one.put("type", exact ? "Exact" : "RegularExpression");
    one.put_unless_empty("service", method->service);
    one.put_unless_empty("method", method->method);
    out.put("method", one.take());
  }
  out.put_unless_empty("headers", encode_values(match.headers));
  return out.take();
}

void put_session(MapWriter& rule, const std::optional<model::SessionPersistence>& session) {
  if (!session)
    return;
  MapWriter out;
  bool cookie = session->type == model::SessionPersistence::Type::cookie;
  out.put_unless_empty("sessionName", session->name);
  out.put("type", cookie ? "Cookie" : "Header");
  out.put_duration("absoluteTimeout", session->absolute_timeout);
  if (session->permanent) {
    MapWriter lifetime;
    lifetime.put("lifetimeType", "Permanent");
    out.put("cookieConfig", lifetime.take());
  }
  rule.put("sessionPersistence", out.take());
}

void put_timeouts(MapWriter& rule, const model::Timeouts& timeouts) {
  MapWriter out;
  out.put_duration("request", timeouts.request);
  out.put_duration("backendRequest", timeouts.backend_request);
  rule.put_unless_empty("timeouts", out.take());
}

void put_retry(MapWriter& rule, const std::optional<model::Retry>& retry) {
  if (!retry)
    return;
  MapWriter out;
  out.put_unless_empty("codes", list_of(retry->codes, [](auto code) {
                         return Node{std::int64_t{code}, {}};
                       }));
  out.put_if("attempts", retry->attempts);
  out.put_duration("backoff", retry->backoff);
  rule.put("retry", out.take());
}

/// TCPRoute, TLSRoute and UDPRoute: their only rule has only backends.
template <class Route>
void encode_stream_route(MapWriter& root, const Route& object) {
  MapWriter spec, rule;
  spec.put_unless_empty("parentRefs", list_of(object.parents, encode_parent));
  if constexpr (requires { object.hostnames; })
    spec.put("hostnames", list_of(object.hostnames));
  rule.put("backendRefs", list_of(object.backends, encode_backend));
  Node::List rules;
  rules.push_back(rule.take());
  spec.put("rules", Node{std::move(rules), {}});
  root.put("spec", spec.take());
}

} // namespace

Node encode_parent(const model::ParentRef& ref) {
  MapWriter out;
  out.put("group", ref.group);
  out.put("kind", ref.kind);
  out.put_unless_empty("namespace", ref.ns);
  out.put("name", ref.name);
  out.put_unless_empty("sectionName", ref.section_name);
  out.put_if("port", ref.port);
  return out.take();
}

void encode(MapWriter& root, const model::HttpRoute& object) {
  MapWriter spec;
  spec.put_unless_empty("parentRefs", list_of(object.parents, encode_parent));
  spec.put_unless_empty("hostnames", list_of(object.hostnames));
  spec.put("rules", list_of(object.rules, [](auto& rule) {
             MapWriter out;
             out.put_unless_empty("name", rule.name);
             out.put("matches", list_of(rule.matches, [](auto& it) { return encode_match(it); }));
             out.put_unless_empty("filters", list_of(rule.filters, encode_filter));
             out.put_unless_empty("backendRefs", list_of(rule.backends, encode_backend));
             put_timeouts(out, rule.timeouts);
             put_retry(out, rule.retry);
             put_session(out, rule.session);
             return out.take();
           }));
  root.put("spec", spec.take());
}

void encode(MapWriter& root, const model::GrpcRoute& object) {
  MapWriter spec;
  spec.put_unless_empty("parentRefs", list_of(object.parents, encode_parent));
  spec.put_unless_empty("hostnames", list_of(object.hostnames));
  spec.put_unless_empty(
      "rules", list_of(object.rules, [](auto& rule) {
        MapWriter out;
        out.put_unless_empty("name", rule.name);
        out.put_unless_empty("matches",
                             list_of(rule.matches, [](auto& it) { return encode_match(it); }));
        out.put_unless_empty("filters", list_of(rule.filters, encode_filter));
        out.put_unless_empty("backendRefs", list_of(rule.backends, encode_backend));
        put_session(out, rule.session);
        return out.take();
      }));
  root.put("spec", spec.take());
}

void encode(MapWriter& root, const model::TcpRoute& object) { encode_stream_route(root, object); }
void encode(MapWriter& root, const model::TlsRoute& object) { encode_stream_route(root, object); }
void encode(MapWriter& root, const model::UdpRoute& object) { encode_stream_route(root, object); }

void encode(MapWriter& root, const model::ReferenceGrant& object) {
  MapWriter spec;
  spec.put("from", list_of(object.from, [](auto& from) {
             MapWriter out;
             out.put("group", from.group);
             out.put("kind", from.kind);
             out.put("namespace", from.ns);
             return out.take();
           }));
  spec.put("to", list_of(object.to, [](auto& to) {
             MapWriter out;
             out.put("group", to.group);
             out.put("kind", to.kind);
             out.put_unless_empty("name", to.name);
             return out.take();
           }));
  root.put("spec", spec.take());
}

} // namespace strait::kubernetes
