#include "gateway/snapshot/compiled_route.hpp"

#include "base/ascii.hpp"
#include "gateway/snapshot/rule_id.hpp"

#include <algorithm>
#include <tuple>

namespace strait::gateway {
namespace {

bool equal_without_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return ascii_lower(x) == ascii_lower(y); });
}

/// Whether an earlier condition has the same name: then this one says nothing (Gateway API).
bool repeated(const std::vector<ValueCondition>& conditions, std::size_t at, bool ignore_case) {
  return std::any_of(conditions.begin(), conditions.begin() + static_cast<std::ptrdiff_t>(at),
                     [&](const auto& earlier) {
                       return ignore_case ? equal_without_case(earlier.name, conditions[at].name)
                                          : earlier.name == conditions[at].name;
                     });
}

std::uint32_t count_distinct(const std::vector<ValueCondition>& conditions, bool ignore_case) {
  std::uint32_t count = 0;
  for (std::size_t at = 0; at < conditions.size(); ++at)
    count += repeated(conditions, at, ignore_case) ? 0 : 1;
  return count;
}

Result<std::unique_ptr<const RE2>> compile_regex(const std::string& pattern) {
  if (pattern.size() > max_regex_bytes)
    return fail(Errc::invalid, "a regular expression may have {} bytes", max_regex_bytes);
  RE2::Options options;
  options.set_log_errors(false);
  options.set_never_capture(true);
  options.set_max_mem(max_regex_memory);
  // Requests are bytes, not UTF-8: a pattern's bytes stand for themselves.
  options.set_encoding(RE2::Options::EncodingLatin1);
  auto regex = std::make_unique<const RE2>(pattern, options);
  if (!regex->ok())
    return fail(Errc::invalid, "'{}' is no regular expression: {}", pattern, regex->error());
  return regex;
}

Result<std::vector<Condition>> compile_conditions(const std::vector<ValueCondition>& conditions,
                                                  bool ignore_case) {
  if (conditions.size() > max_conditions)
    return fail(Errc::invalid, "there may be {} conditions", max_conditions);
  std::vector<Condition> compiled;
  for (std::size_t at = 0; at < conditions.size(); ++at) {
    if (repeated(conditions, at, ignore_case))
      continue;
    Condition condition{&conditions[at], nullptr};
    if (conditions[at].type == ValueType::regex) {
      auto regex = compile_regex(conditions[at].value);
      if (!regex)
        return fail(Errc::invalid, "[{}].value: {}", at, regex.error().detail);
      condition.regex = std::move(*regex);
    }
    compiled.push_back(std::move(condition));
  }
  return compiled;
}

Status compile_match(const Match& match, Candidate& candidate) {
  if (match.path_type == PathType::regex) {
    auto regex = compile_regex(match.path);
    if (!regex)
      return fail(Errc::invalid, "path: {}", regex.error().detail);
    candidate.path = std::move(*regex);
  } else if (!match.path.starts_with('/')) {
    return fail(Errc::invalid, "path: '{}' must start with '/'", match.path);
  } else if (std::count(match.path.begin(), match.path.end(), '/') >
             static_cast<std::ptrdiff_t>(max_path_segments)) {
    return fail(Errc::invalid, "path: may have {} segments", max_path_segments);
  }
  auto headers = compile_conditions(match.headers, true);
  if (!headers)
    return fail(Errc::invalid, "headers{}", headers.error().detail);
  candidate.headers = std::move(*headers);
  auto query = compile_conditions(match.query, false);
  if (!query)
    return fail(Errc::invalid, "query{}", query.error().detail);
  candidate.query = std::move(*query);
  return {};
}

/// What would have no meaning for a worker.
Status check_filters(const HttpRule& rule) {
  for (std::size_t m = 0; m < rule.mirrors.size(); ++m)
    if (rule.mirrors[m].denominator == 0 || rule.mirrors[m].numerator > rule.mirrors[m].denominator)
      return fail(Errc::invalid, "mirrors[{}]: {}/{} is no share", m, rule.mirrors[m].numerator,
                  rule.mirrors[m].denominator);
  if (rule.redirect && (rule.redirect->status < 300 || rule.redirect->status > 399))
    return fail(Errc::invalid, "redirect.status: {} must be 300..399", rule.redirect->status);
  return {};
}

bool holds(const Condition& condition, std::string_view value) {
  return condition.regex ? RE2::FullMatch({value.data(), value.size()}, *condition.regex)
                         : value == condition.condition->value;
}

bool header_holds(const Condition& condition, std::span<const HeaderView> headers) {
  for (const auto& header : headers)
    if (equal_without_case(header.name, condition.condition->name))
      return holds(condition, header.value);
  return false;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  c = ascii_lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// Takes one decoded byte off the text.
char take_decoded(std::string_view& text) {
  char c = text.front();
  if (c == '%' && text.size() >= 3) {
    int high = hex_digit(text[1]);
    int low = hex_digit(text[2]);
    if (high >= 0 && low >= 0) {
      text.remove_prefix(3);
      return static_cast<char>(high * 16 + low);
    }
  }
  text.remove_prefix(1);
  return c == '+' ? ' ' : c;
}

/// Whether the encoded text decodes to the plain one; decodes in step, so that it needs no memory.
bool decodes_to(std::string_view encoded, std::string_view plain) {
  for (; !encoded.empty(); plain.remove_prefix(1))
    if (plain.empty() || take_decoded(encoded) != plain.front())
      return false;
  return plain.empty();
}

bool query_holds(const Condition& condition, std::string_view query) {
  while (!query.empty()) {
    auto parameter = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), parameter.size() + 1));
    auto equals = std::min(parameter.find('='), parameter.size());
    if (parameter.empty() || !decodes_to(parameter.substr(0, equals), condition.condition->name))
      continue;
    auto value = parameter.substr(std::min(equals + 1, parameter.size()));
    if (!condition.regex)
      return decodes_to(value, condition.condition->value);
    if (value.find_first_of("%+") == std::string_view::npos)
      return holds(condition, value);
    std::string decoded; // Only for escaped values under a regular expression.
    while (!value.empty())
      decoded.push_back(take_decoded(value));
    return holds(condition, decoded);
  }
  return false;
}

} // namespace

bool precedes(const Rank& first, const Rank& second) {
  // What must be greater to come first stands on the other side.
  return std::tie(second.method, second.headers, second.query, first.created, first.id, first.rule,
                  first.match) < std::tie(first.method, first.headers, first.query, second.created,
                                          second.id, second.rule, second.match);
}

Rank rank_of(const BoundRoute& route, const HttpRoute& http, std::size_t rule, std::size_t match) {
  const auto& m = http.rules[rule].matches[match];
  return {.method = !m.method.empty(),
          .headers = count_distinct(m.headers, true),
          .query = count_distinct(m.query, false),
          .created = route.created,
          .id = route.id,
          .rule = static_cast<std::uint32_t>(rule),
          .match = static_cast<std::uint32_t>(match)};
}

bool satisfies(const Candidate& candidate, const RequestView& request) {
  const auto& match = *candidate.outcome.match;
  if (!match.method.empty() && match.method != request.method)
    return false;
  for (const auto& condition : candidate.headers)
    if (!header_holds(condition, request.headers))
      return false;
  for (const auto& condition : candidate.query)
    if (!query_holds(condition, request.query))
      return false;
  return !candidate.path ||
         RE2::FullMatch({request.path.data(), request.path.size()}, *candidate.path);
}

Status check_hostname(std::string_view hostname) {
  if (hostname.size() > max_hostname_bytes)
    return fail(Errc::invalid, "hostname: may have {} bytes", max_hostname_bytes);
  auto name = hostname.starts_with("*.") ? hostname.substr(2) : hostname;
  bool upper = std::any_of(name.begin(), name.end(), [](char c) { return ascii_lower(c) != c; });
  if (upper || name.find('*') != std::string_view::npos || (name.empty() && !hostname.empty()))
    return fail(Errc::invalid, "hostname: '{}' must be a lower-case name or '*.name'", hostname);
  return {};
}

Result<std::vector<CandidatePtr>> compile(const std::shared_ptr<const BoundRoute>& route) {
  const auto& http = std::get<HttpRoute>(route->route);
  for (const auto& hostname : http.hostnames)
    if (auto checked = check_hostname(hostname); !checked)
      return fail(Errc::invalid, "{}: {}", route->id, checked.error().detail);
  std::vector<CandidatePtr> candidates;
  for (std::size_t r = 0; r < http.rules.size(); ++r) {
    const auto& rule = http.rules[r];
    if (rule.matches.empty())
      return fail(Errc::invalid, "{}: rules[{}].matches: must not be empty", route->id, r);
    if (auto checked = check_filters(rule); !checked)
      return fail(Errc::invalid, "{}: rules[{}].{}", route->id, r, checked.error().detail);
    const auto id = rule_id(*route, http, rule);
    for (std::size_t m = 0; m < rule.matches.size(); ++m) {
      // The route is kept by the same allocation that its candidate is in.
      struct Kept {
        Candidate candidate;
        std::shared_ptr<const BoundRoute> route;
      };
      auto kept = std::make_shared<Kept>();
      kept->route = route;
      kept->candidate.rank = rank_of(*route, http, r, m);
      kept->candidate.outcome = {route.get(), &rule, &rule.matches[m], id};
      if (auto compiled = compile_match(rule.matches[m], kept->candidate); !compiled)
        return fail(Errc::invalid, "{}: rules[{}].matches[{}].{}", route->id, r, m,
                    compiled.error().detail);
      candidates.emplace_back(kept, &kept->candidate);
    }
  }
  return candidates;
}

} // namespace strait::gateway
