#include "gateway/resolve/route_filters.hpp"

#include "base/ascii.hpp"
#include "base/overload.hpp"
#include "gateway/resolve/extension_filters.hpp"
#include "gateway/resolve/listener_checks.hpp"

#include <algorithm>
#include <array>

namespace strait::gateway::resolve {

namespace {

using model::Reason;

/// Headers that say how a message is framed, or belong to one connection: not a filter's to change.
constexpr std::array<std::string_view, 7> framing{
    "connection", "content-length", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"};

HeaderEdits edits_of(RouteReferences& references, const model::HeaderModifier& from,
                     const std::string& path) {
  auto check = [&](const std::string& name) {
    if (std::find(framing.begin(), framing.end(), ascii_lower(name)) != framing.end())
      references.refuse(fmt::format("{}: header {} is the gateway's own to set", path, name));
  };
  HeaderEdits edits;
  for (auto& header : from.set)
    edits.set.push_back({header.name, header.value});
  for (auto& header : from.add)
    edits.add.push_back({header.name, header.value});
  edits.remove = from.remove;
  for (auto* headers : {&from.set, &from.add})
    for (auto& header : *headers)
      check(header.name);
  for (auto& name : from.remove)
    check(name);
  return edits;
}

std::optional<PathEdit> path_edit_of(const std::optional<model::PathModifier>& from) {
  if (!from)
    return {};
  return PathEdit{static_cast<PathEdit::Type>(from->type), from->value};
}

Redirect redirect_of(const model::RequestRedirect& from) {
  Redirect redirect;
  redirect.scheme = ascii_lower(from.scheme);
  redirect.hostname = ascii_lower(from.hostname);
  redirect.path = path_edit_of(from.path);
  redirect.port = from.port.value_or(0);
  redirect.status = from.status;
  return redirect;
}

Cors cors_of(const model::Cors& from) {
  return {.allow_origins = from.allow_origins,
          .allow_credentials = from.allow_credentials,
          .allow_methods = from.allow_methods,
          .allow_headers = from.allow_headers,
          .expose_headers = from.expose_headers,
          .max_age = from.max_age};
}

ExternalAuth auth_of(RouteReferences& references, const model::ExternalAuth& from,
                     const std::string& path) {
  ExternalAuth auth;
  auth.grpc = from.protocol == model::ExternalAuth::Protocol::grpc;
  auth.path = from.path;
  for (auto& name : from.allowed_headers)
    auth.allowed_headers.push_back(ascii_lower(name));
  for (auto& name : from.allowed_response_headers)
    auth.allowed_response_headers.push_back(ascii_lower(name));
  auth.forward_body = from.forward_body;
  // Nobody passes without being asked for: an authorizer that is not there lets no request in.
  if (auto cluster = references.cluster(from.backend, path + ".externalAuth.backendRef"))
    auth.cluster = std::move(*cluster);
  else
    auth.refusal = 500;
  return auth;
}

void add_mirror(RouteReferences& references, const model::RequestMirror& from,
                const std::string& path, HttpRule& rule) {
  if (from.denominator == 0 || from.numerator > from.denominator)
    return references.refuse(fmt::format("{}.requestMirror: {} of {} is no share", path,
                                         from.numerator, from.denominator));
  if (auto cluster = references.cluster(from.backend, path + ".requestMirror.backendRef"))
    rule.mirrors.push_back({std::move(*cluster), from.numerator, from.denominator});
}

/// A filter type that may stand in one rule several times.
bool repeats(const model::Filter& filter) {
  return std::holds_alternative<model::RequestMirror>(filter) ||
         std::holds_alternative<model::ExtensionRef>(filter) ||
         std::holds_alternative<model::UnsupportedFilter>(filter);
}

void refuse_repetition(RouteReferences& references, const std::vector<model::Filter>& filters,
                       const std::string& path) {
  for (std::size_t i = 0; i < filters.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (filters[i].index() == filters[j].index() && !repeats(filters[i]))
        references.refuse(
            fmt::format("{}.filters[{}]: of the same type as filters[{}]", path, i, j),
            Reason::incompatible_filters);
}

std::string_view type_of(const model::Filter& filter) {
  return std::visit(
      overload{[](const model::RequestHeaderModifier&) -> std::string_view {
                 return "RequestHeaderModifier";
               },
               [](const model::ResponseHeaderModifier&) -> std::string_view {
                 return "ResponseHeaderModifier";
               },
               [](const model::UnsupportedFilter& it) -> std::string_view { return it.type; },
               [](const model::RequestMirror&) -> std::string_view { return "RequestMirror"; },
               [](const model::RequestRedirect&) -> std::string_view { return "RequestRedirect"; },
               [](const model::UrlRewrite&) -> std::string_view { return "URLRewrite"; },
               [](const model::Cors&) -> std::string_view { return "CORS"; },
               [](const model::ExternalAuth&) -> std::string_view { return "ExternalAuth"; },
               [](const model::ExtensionRef&) -> std::string_view { return "ExtensionRef"; }},
      filter);
}

/// A prefix can be replaced only where one was matched.
void check_prefix_edit(RouteReferences& references, const std::optional<PathEdit>& edit,
                       const std::string& path, const HttpRule& rule) {
  bool prefixes = std::all_of(rule.matches.begin(), rule.matches.end(),
                              [](auto& it) { return it.path_type == PathType::prefix; });
  if (edit && edit->type == PathEdit::Type::prefix && !prefixes)
    references.refuse(
        fmt::format("{}: ReplacePrefixMatch needs every match to be of type PathPrefix", path));
}

} // namespace

void apply_filters(RouteReferences& references, const std::vector<model::Filter>& filters,
                   const std::string& path, HttpRule& rule) {
  refuse_repetition(references, filters, path);
  for (std::size_t i = 0; i < filters.size(); ++i) {
    auto at = fmt::format("{}.filters[{}]", path, i);
    std::visit(
        overload{[&](const model::RequestHeaderModifier& it) {
                   rule.request = edits_of(references, it.headers, at);
                 },
                 [&](const model::ResponseHeaderModifier& it) {
                   rule.response = edits_of(references, it.headers, at);
                 },
                 [&](const model::UnsupportedFilter& it) {
                   references.refuse(fmt::format("{}: filter {} is not supported", at, it.type));
                 },
                 [&](const model::RequestMirror& it) { add_mirror(references, it, at, rule); },
                 [&](const model::RequestRedirect& it) { rule.redirect = redirect_of(it); },
                 [&](const model::UrlRewrite& it) {
                   rule.rewrite = Rewrite{ascii_lower(it.hostname), path_edit_of(it.path)};
                 },
                 [&](const model::Cors& it) { rule.cors = cors_of(it); },
                 [&](const model::ExternalAuth& it) { rule.auth = auth_of(references, it, at); },
                 [&](const model::ExtensionRef& it) { apply_extension(references, it, at, rule); }},
        filters[i]);
  }
  if (rule.redirect && rule.rewrite)
    references.refuse(path + ".filters: RequestRedirect and URLRewrite exclude each other",
                      Reason::incompatible_filters);
  if (rule.redirect)
    check_prefix_edit(references, rule.redirect->path, path + ".filters: RequestRedirect", rule);
  if (rule.rewrite)
    check_prefix_edit(references, rule.rewrite->path, path + ".filters: URLRewrite", rule);
}

void apply_filters(RouteReferences& references, const std::vector<model::Filter>& filters,
                   const std::string& path, Backend& backend) {
  refuse_repetition(references, filters, path);
  for (std::size_t i = 0; i < filters.size(); ++i) {
    auto at = fmt::format("{}.filters[{}]", path, i);
    if (auto* request = std::get_if<model::RequestHeaderModifier>(&filters[i]))
      backend.request = edits_of(references, request->headers, at);
    else if (auto* response = std::get_if<model::ResponseHeaderModifier>(&filters[i]))
      backend.response = edits_of(references, response->headers, at);
    else
      references.refuse(
          fmt::format("{}: filter {} is not supported at a backend", at, type_of(filters[i])));
  }
}

Retry retry_of(const model::Retry& from) {
  Retry retry;
  retry.codes = from.codes;
  retry.attempts = static_cast<std::uint32_t>(std::max(from.attempts.value_or(1), 0));
  retry.backoff = from.backoff.value_or(Millis{0});
  return retry;
}

SessionPersistence session_of(const model::SessionPersistence& from, const model::ObjectKey& route,
                              const std::string& rule_path) {
  SessionPersistence session;
  session.header = from.type == model::SessionPersistence::Type::header;
  session.name = from.name;
  session.absolute_timeout = from.absolute_timeout.value_or(Millis{0});
  session.permanent = from.permanent;
  if (session.name.empty()) {
    // One rule's own, and stable: rules of one host must not overwrite each other's sessions.
    std::uint64_t hash = 0xcbf29ce484222325u; // FNV-1a
    for (char c : to_string(route) + ' ' + rule_path)
      hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    session.name = fmt::format("strait-session-{:016x}", hash);
  }
  if (session.header)
    session.name = ascii_lower(session.name);
  return session;
}

} // namespace strait::gateway::resolve
