#include "gateway/snapshot/shadow_index.hpp"

#include "base/ascii.hpp"
#include "base/overload.hpp"
#include "gateway/snapshot/compiled_route.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

namespace strait::gateway {
namespace {

/// Texts with their lengths, so that no two lists of texts are the same place.
class Place {
public:
  Place& add(std::string_view text) {
    text_ += std::to_string(text.size());
    text_ += ':';
    text_ += text;
    return *this;
  }
  Place& add(std::size_t number) { return add(std::to_string(number)); }
  std::string take() { return std::move(text_); }

private:
  std::string text_;
};

/// By name, where the first condition of a name is the one that counts.
void add(Place& place, const std::vector<ValueCondition>& conditions, bool ignore_case) {
  std::map<std::string, const ValueCondition*> by_name;
  for (const auto& condition : conditions)
    by_name.emplace(ignore_case ? ascii_lower(condition.name) : condition.name, &condition);
  place.add(by_name.size());
  for (const auto& [name, condition] : by_name)
    place.add(name).add(static_cast<std::size_t>(condition->type)).add(condition->value);
}

std::string place_of(std::string_view listener, std::string_view hostname, const Match& match) {
  Place place;
  place.add(listener).add("http").add(hostname).add(static_cast<std::size_t>(match.path_type));
  place.add(match.path_type == PathType::prefix ? prefix_path(match.path)
                                                : std::string_view{match.path});
  place.add(match.method);
  add(place, match.headers, true);
  add(place, match.query, false);
  return place.take();
}

/// Calls visit(hostname) for each, for "" if there are none.
template <class F>
void for_each_hostname(const std::vector<std::string>& hostnames, F visit) {
  if (hostnames.empty())
    visit(std::string_view{});
  for (const auto& hostname : hostnames)
    visit(std::string_view{hostname});
}

} // namespace

bool ShadowIndex::Claim::operator<(const Claim& other) const {
  // Equal matches have equal numbers of conditions: what is left of the order of precedence.
  return std::tie(route->created, route->id, rule, match) <
         std::tie(other.route->created, other.route->id, other.rule, other.match);
}

/// Calls visit(place, claim): rule by rule, hostname by hostname, match by match.
template <class F>
void ShadowIndex::for_each_claim(const std::string& binding, const BoundRoute& route, F visit) {
  const auto listener = listener_of(binding);
  std::visit(
      overload{
          [&](const HttpRoute& http) {
            for (std::size_t r = 0; r < http.rules.size(); ++r)
              for_each_hostname(http.hostnames, [&](std::string_view hostname) {
                const auto& matches = http.rules[r].matches;
                for (std::size_t m = 0; m < matches.size(); ++m)
                  visit(place_of(listener, hostname, matches[m]), Claim{&route, r, m});
              });
          },
          [&](const TlsRoute& tls) {
            for_each_hostname(tls.hostnames, [&](std::string_view hostname) {
              visit(Place{}.add(listener).add("tls").add(hostname).take(), Claim{&route});
            });
          },
          [&](const TcpRoute&) { visit(Place{}.add(listener).add("tcp").take(), Claim{&route}); },
          [&](const UdpRoute&) { visit(Place{}.add(listener).add("udp").take(), Claim{&route}); }},
      route.route);
}

std::vector<std::string> ShadowIndex::change(const std::string& binding,
                                             std::shared_ptr<const BoundRoute> route) {
  /// Whose rule was the first at each place that changes; nobody's: no value.
  using Owner = std::optional<std::pair<std::string, std::size_t>>;
  const auto owner_of = [&](const std::string& place) -> Owner {
    ++counters_.places;
    auto found = places_.find(place);
    if (found == places_.end())
      return std::nullopt;
    const auto& first = *found->second.begin();
    return std::pair{first.route->id, first.rule};
  };
  std::map<std::string, Owner> before;
  auto old = bindings_.find(binding);
  if (old != bindings_.end())
    for_each_claim(binding, *old->second, [&](const std::string& place, const Claim&) {
      before.try_emplace(place, owner_of(place));
    });
  if (route)
    for_each_claim(binding, *route, [&](const std::string& place, const Claim&) {
      before.try_emplace(place, owner_of(place));
    });

  if (old != bindings_.end()) {
    for_each_claim(binding, *old->second, [&](const std::string& place, const Claim& claim) {
      auto at = places_.find(place);
      if (at == places_.end())
        return; // A hostname that the route names twice.
      at->second.erase(claim);
      if (at->second.empty())
        places_.erase(at);
    });
    bindings_.erase(old); // Not before: the claims look into the route.
  }
  if (route) {
    for_each_claim(binding, *route, [&](const std::string& place, const Claim& claim) {
      places_[place].insert(claim);
    });
    bindings_.emplace(binding, std::move(route));
  }

  std::set<std::string> affected;
  for (const auto& [place, owner] : before) {
    if (owner_of(place) == owner)
      continue;
    auto at = places_.find(place);
    if (at == places_.end())
      continue;
    for (const auto& claim : at->second) {
      ++counters_.claims;
      affected.insert(binding_key(std::string{listener_of(binding)}, claim.route->id));
    }
  }
  affected.erase(binding);
  return {affected.begin(), affected.end()};
}

std::vector<ShadowedRule> ShadowIndex::shadowed(const std::string& binding) const {
  std::vector<ShadowedRule> rules;
  auto found = bindings_.find(binding);
  if (found == bindings_.end())
    return rules;
  std::optional<std::size_t> reached; // The last rule that is known to be reached.
  for_each_claim(binding, *found->second, [&](const std::string& place, const Claim& claim) {
    if (reached == claim.rule)
      return;
    ++counters_.places;
    const auto& first = *places_.at(place).begin();
    const bool listed = !rules.empty() && rules.back().rule == claim.rule;
    if (first.same_rule(claim)) {
      reached = claim.rule;
      if (listed)
        rules.pop_back();
    } else if (!listed) {
      rules.push_back({claim.rule, first.route->id, first.rule});
    }
  });
  return rules;
}

} // namespace strait::gateway
