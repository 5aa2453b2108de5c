#include "gateway/feed/rule_messages.hpp"

#include "gateway/feed/feed_codec.hpp"

namespace strait::gateway::feed {

namespace pb = proxy::v1;

namespace {

// ── to protobuf ──

void write(const HeaderEdits& edits, pb::HeaderEdits& out) {
  for (const auto& edit : edits.set) {
    auto& to = *out.add_set();
    to.set_name(edit.name);
    to.set_value(edit.value);
  }
  for (const auto& edit : edits.add) {
    auto& to = *out.add_add();
    to.set_name(edit.name);
    to.set_value(edit.value);
  }
  write_texts(out.mutable_remove(), edits.remove);
}

void write(const ValueCondition& condition, pb::ValueCondition& out) {
  out.set_type(condition.type == ValueType::regex ? pb::VALUE_TYPE_REGEX : pb::VALUE_TYPE_EXACT);
  out.set_name(condition.name);
  out.set_value(condition.value);
}

void write(const Match& match, pb::Match& out) {
  out.set_path_type(match.path_type == PathType::exact    ? pb::PATH_TYPE_EXACT
                    : match.path_type == PathType::prefix ? pb::PATH_TYPE_PREFIX
                                                          : pb::PATH_TYPE_REGEX);
  out.set_path(match.path);
  out.set_method(match.method);
  for (const auto& header : match.headers)
    write(header, *out.add_headers());
  for (const auto& query : match.query)
    write(query, *out.add_query());
}

void write(const PathEdit& edit, pb::PathEdit& out) {
  out.set_type(edit.type == PathEdit::Type::full ? pb::PATH_EDIT_TYPE_FULL
                                                 : pb::PATH_EDIT_TYPE_PREFIX);
  out.set_value(edit.value);
}

void write(const Redirect& redirect, pb::Redirect& out) {
  out.set_scheme(redirect.scheme);
  out.set_hostname(redirect.hostname);
  if (redirect.path)
    write(*redirect.path, *out.mutable_path());
  out.set_port(redirect.port);
  out.set_status(redirect.status);
}

void write(const Rewrite& rewrite, pb::Rewrite& out) {
  out.set_hostname(rewrite.hostname);
  if (rewrite.path)
    write(*rewrite.path, *out.mutable_path());
}

void write(const Mirror& mirror, pb::Mirror& out) {
  out.set_cluster(mirror.cluster);
  out.set_numerator(mirror.numerator);
  out.set_denominator(mirror.denominator);
}

void write(const Cors& cors, pb::Cors& out) {
  write_texts(out.mutable_allow_origins(), cors.allow_origins);
  out.set_allow_credentials(cors.allow_credentials);
  write_texts(out.mutable_allow_methods(), cors.allow_methods);
  write_texts(out.mutable_allow_headers(), cors.allow_headers);
  write_texts(out.mutable_expose_headers(), cors.expose_headers);
  out.set_max_age(cors.max_age);
}

void write(const ExternalAuth& auth, pb::ExternalAuth& out) {
  out.set_cluster(auth.cluster);
  out.set_refusal(auth.refusal);
  out.set_grpc(auth.grpc);
  out.set_path(auth.path);
  write_texts(out.mutable_allowed_headers(), auth.allowed_headers);
  write_texts(out.mutable_allowed_response_headers(), auth.allowed_response_headers);
  out.set_forward_body(auth.forward_body);
}

void write(const Retry& retry, pb::Retry& out) {
  for (const auto code : retry.codes)
    out.add_codes(code);
  out.set_attempts(retry.attempts);
  out.set_on_connection_error(retry.on_connection_error);
  out.set_backoff_ms(retry.backoff.count());
}

void write(const SessionPersistence& session, pb::SessionPersistence& out) {
  out.set_header(session.header);
  out.set_name(session.name);
  out.set_absolute_timeout_ms(session.absolute_timeout.count());
  out.set_permanent(session.permanent);
}

void write(const Jwt::Location& location, pb::Jwt::Location& out) {
  out.set_type(location.type == Jwt::Location::Type::header  ? pb::JWT_LOCATION_TYPE_HEADER
               : location.type == Jwt::Location::Type::query ? pb::JWT_LOCATION_TYPE_QUERY
                                                             : pb::JWT_LOCATION_TYPE_COOKIE);
  out.set_name(location.name);
  out.set_prefix(location.prefix);
  out.set_forward(location.forward);
}

void write(const Jwt::Provider& provider, pb::Jwt::Provider& out) {
  out.set_name(provider.name);
  out.set_issuer(provider.issuer);
  write_texts(out.mutable_audiences(), provider.audiences);
  out.set_jwks(provider.jwks);
  for (const auto& location : provider.locations)
    write(location, *out.add_locations());
  for (const auto& claim : provider.claims) {
    auto& to = *out.add_claims();
    write_texts(to.mutable_path(), claim.path);
    to.set_value(claim.value);
  }
  out.set_clock_skew_seconds(provider.clock_skew_seconds);
}

} // namespace

void write_backends(const std::vector<Backend>& backends,
                    google::protobuf::RepeatedPtrField<pb::Backend>& out) {
  for (const auto& backend : backends) {
    auto& to = *out.Add();
    to.set_cluster(backend.cluster);
    to.set_weight(backend.weight);
    to.set_refusal(backend.refusal);
    if (!backend.request.empty())
      write(backend.request, *to.mutable_request());
    if (!backend.response.empty())
      write(backend.response, *to.mutable_response());
  }
}

void write_rule(const HttpRule& rule, pb::HttpRule& out) {
  out.set_name(rule.name);
  for (const auto& match : rule.matches)
    write(match, *out.add_matches());
  if (!rule.request.empty())
    write(rule.request, *out.mutable_request());
  if (!rule.response.empty())
    write(rule.response, *out.mutable_response());
  write_backends(rule.backends, *out.mutable_backends());
  if (rule.cors)
    write(*rule.cors, *out.mutable_cors());
  for (const auto& jwt : rule.jwt) {
    auto& to = *out.add_jwt();
    for (const auto& provider : jwt.providers)
      write(provider, *to.add_providers());
  }
  if (rule.auth)
    write(*rule.auth, *out.mutable_auth());
  if (rule.redirect)
    write(*rule.redirect, *out.mutable_redirect());
  for (const auto& mirror : rule.mirrors)
    write(mirror, *out.add_mirrors());
  if (rule.rewrite)
    write(*rule.rewrite, *out.mutable_rewrite());
  if (rule.request_timeout)
    out.set_request_timeout_ms(rule.request_timeout->count());
  if (rule.backend_timeout)
    out.set_backend_timeout_ms(rule.backend_timeout->count());
  if (rule.idle_timeout)
    out.set_idle_timeout_ms(rule.idle_timeout->count());
  if (rule.retry)
    write(*rule.retry, *out.mutable_retry());
  if (rule.session)
    write(*rule.session, *out.mutable_session());
}

// ── from protobuf ──

namespace {

HeaderEdits read(const pb::HeaderEdits& in, Problem& problem) {
  know_all(problem, in);
  HeaderEdits edits;
  for (const auto& edit : in.set()) {
    know_all(problem, edit);
    edits.set.push_back({edit.name(), edit.value()});
  }
  for (const auto& edit : in.add()) {
    know_all(problem, edit);
    edits.add.push_back({edit.name(), edit.value()});
  }
  edits.remove = read_texts(in.remove());
  return edits;
}

std::vector<ValueCondition> read(const google::protobuf::RepeatedPtrField<pb::ValueCondition>& in,
                                 Problem& problem) {
  std::vector<ValueCondition> conditions;
  conditions.reserve(static_cast<std::size_t>(in.size()));
  for (const auto& condition : in) {
    know_all(problem, condition);
    auto type = within<int>(problem, "condition type", static_cast<int>(condition.type()), 1, 2);
    conditions.push_back({type == pb::VALUE_TYPE_REGEX ? ValueType::regex : ValueType::exact,
                          condition.name(), condition.value()});
  }
  return conditions;
}

Millis read_time(Problem& problem, const char* field, std::int64_t milliseconds) {
  return Millis{within<std::int64_t>(problem, field, milliseconds, std::int64_t{0}, max_time_ms)};
}

PathEdit read(const pb::PathEdit& in, Problem& problem) {
  know_all(problem, in);
  auto type = within<int>(problem, "path edit type", static_cast<int>(in.type()), 1, 2);
  return {type == pb::PATH_EDIT_TYPE_FULL ? PathEdit::Type::full : PathEdit::Type::prefix,
          in.value()};
}

Redirect read(const pb::Redirect& in, Problem& problem) {
  know_all(problem, in);
  Redirect redirect{.scheme = in.scheme(),
                    .hostname = in.hostname(),
                    .port = within<std::uint16_t>(problem, "redirect.port", in.port(), 0U, 65535U),
                    .status =
                        within<std::uint16_t>(problem, "redirect.status", in.status(), 0U, 599U)};
  if (in.has_path())
    redirect.path = read(in.path(), problem);
  return redirect;
}

Rewrite read(const pb::Rewrite& in, Problem& problem) {
  know_all(problem, in);
  Rewrite rewrite{.hostname = in.hostname()};
  if (in.has_path())
    rewrite.path = read(in.path(), problem);
  return rewrite;
}

Cors read(const pb::Cors& in, Problem& problem) {
  know_all(problem, in);
  return {.allow_origins = read_texts(in.allow_origins()),
          .allow_credentials = in.allow_credentials(),
          .allow_methods = read_texts(in.allow_methods()),
          .allow_headers = read_texts(in.allow_headers()),
          .expose_headers = read_texts(in.expose_headers()),
          .max_age = in.max_age()};
}

ExternalAuth read(const pb::ExternalAuth& in, Problem& problem) {
  know_all(problem, in);
  return {.cluster = in.cluster(),
          .refusal = within<std::uint16_t>(problem, "auth.refusal", in.refusal(), 0U, 599U),
          .grpc = in.grpc(),
          .path = in.path(),
          .allowed_headers = read_texts(in.allowed_headers()),
          .allowed_response_headers = read_texts(in.allowed_response_headers()),
          .forward_body = in.forward_body()};
}

Retry read(const pb::Retry& in, Problem& problem) {
  know_all(problem, in);
  Retry retry{.attempts = in.attempts(),
              .on_connection_error = in.on_connection_error(),
              .backoff = read_time(problem, "retry.backoff_ms", in.backoff_ms())};
  for (const auto code : in.codes())
    retry.codes.push_back(within<std::uint16_t>(problem, "retry.codes", code, 0U, 599U));
  return retry;
}

SessionPersistence read(const pb::SessionPersistence& in, Problem& problem) {
  know_all(problem, in);
  return {.header = in.header(),
          .name = in.name(),
          .absolute_timeout =
              read_time(problem, "session.absolute_timeout_ms", in.absolute_timeout_ms()),
          .permanent = in.permanent()};
}

Jwt::Location read(const pb::Jwt::Location& in, Problem& problem) {
  know_all(problem, in);
  auto type = within<int>(problem, "jwt location type", static_cast<int>(in.type()), 1, 3);
  return {.type = type == pb::JWT_LOCATION_TYPE_HEADER  ? Jwt::Location::Type::header
                  : type == pb::JWT_LOCATION_TYPE_QUERY ? Jwt::Location::Type::query
                                                        : Jwt::Location::Type::cookie,
          .name = in.name(),
          .prefix = in.prefix(),
          .forward = in.forward()};
}

Jwt read(const pb::Jwt& in, Problem& problem) {
  know_all(problem, in);
  Jwt jwt;
  for (const auto& provider : in.providers()) {
    know_all(problem, provider);
    auto& to = jwt.providers.emplace_back();
    to.name = provider.name();
    to.issuer = provider.issuer();
    to.audiences = read_texts(provider.audiences());
    to.jwks = provider.jwks();
    for (const auto& location : provider.locations())
      to.locations.push_back(read(location, problem));
    for (const auto& claim : provider.claims()) {
      know_all(problem, claim);
      to.claims.push_back({read_texts(claim.path()), claim.value()});
    }
    to.clock_skew_seconds = provider.clock_skew_seconds();
  }
  return jwt;
}

} // namespace

std::vector<Backend> read_backends(const google::protobuf::RepeatedPtrField<pb::Backend>& in,
                                   Problem& problem) {
  std::vector<Backend> backends;
  backends.reserve(static_cast<std::size_t>(in.size()));
  for (const auto& backend : in) {
    know_all(problem, backend);
    backends.push_back({backend.cluster(),
                        within<std::uint32_t>(problem, "weight", backend.weight(), 0U, max_weight),
                        within<std::uint16_t>(problem, "refusal", backend.refusal(), 0U, 599U),
                        read(backend.request(), problem), read(backend.response(), problem)});
  }
  return backends;
}

HttpRule read_rule(const pb::HttpRule& in, Problem& problem) {
  know_all(problem, in);
  HttpRule rule{.name = in.name(),
                .request = read(in.request(), problem),
                .response = read(in.response(), problem)};
  rule.matches.reserve(static_cast<std::size_t>(in.matches_size()));
  for (const auto& match : in.matches()) {
    know_all(problem, match);
    auto type = within<int>(problem, "path_type", static_cast<int>(match.path_type()), 1, 3);
    rule.matches.push_back({type == pb::PATH_TYPE_EXACT    ? PathType::exact
                            : type == pb::PATH_TYPE_PREFIX ? PathType::prefix
                                                           : PathType::regex,
                            match.path(), match.method(), read(match.headers(), problem),
                            read(match.query(), problem)});
  }
  rule.backends = read_backends(in.backends(), problem);
  if (in.has_cors())
    rule.cors = read(in.cors(), problem);
  for (const auto& jwt : in.jwt())
    rule.jwt.push_back(read(jwt, problem));
  if (in.has_auth())
    rule.auth = read(in.auth(), problem);
  if (in.has_redirect())
    rule.redirect = read(in.redirect(), problem);
  for (const auto& mirror : in.mirrors()) {
    know_all(problem, mirror);
    rule.mirrors.push_back({mirror.cluster(), mirror.numerator(), mirror.denominator()});
  }
  if (in.has_rewrite())
    rule.rewrite = read(in.rewrite(), problem);
  if (in.has_request_timeout_ms())
    rule.request_timeout = read_time(problem, "request_timeout_ms", in.request_timeout_ms());
  if (in.has_backend_timeout_ms())
    rule.backend_timeout = read_time(problem, "backend_timeout_ms", in.backend_timeout_ms());
  if (in.has_idle_timeout_ms())
    rule.idle_timeout = read_time(problem, "idle_timeout_ms", in.idle_timeout_ms());
  if (in.has_retry())
    rule.retry = read(in.retry(), problem);
  if (in.has_session())
    rule.session = read(in.session(), problem);
  return rule;
}

} // namespace strait::gateway::feed
