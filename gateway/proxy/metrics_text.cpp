#include "gateway/proxy/metrics_text.hpp"

#include <fmt/format.h>

namespace strait::gateway::proxy {

namespace {

constexpr std::string_view prefix = "strait_gateway_";

/// A label's value, as it may stand between quotes.
std::string escaped(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '\\' || c == '"')
      out += '\\';
    if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  return out;
}

void begin_family(std::string& out, std::string_view name, std::string_view help,
                  std::string_view type) {
  out += fmt::format("# HELP {0}{1} {2}\n# TYPE {0}{1} {3}\n", prefix, name, help, type);
}

void add_named(std::string& out, std::string_view label, const std::vector<NamedCounts>& all) {
  if (all.empty())
    return;
  auto family = [&](std::string_view name, std::string_view help, auto value) {
    auto whole = fmt::format("{}_{}_total", label, name);
    begin_family(out, whole, fmt::format("{} by {}", help, label), "counter");
    for (const auto& it : all)
      out +=
          fmt::format("{}{}{{{}=\"{}\"}} {}\n", prefix, whole, label, escaped(it.name), value(it));
  };
  family("requests", "Requests, and connections of TCP", [](auto& it) { return it.requests; });
  family("failures", "Requests answered 5xx, and refused connections",
         [](auto& it) { return it.failures; });
}

} // namespace

std::string metrics_text(const Counters& counters) {
  std::string out;
  begin_family(out, "connections", "Connections of clients that are open", "gauge");
  out += fmt::format("{}connections {}\n", prefix, counters.active_connections());
  for (std::size_t i = 0; i < counter_count; ++i) {
    auto counter = static_cast<Counter>(i);
    auto name = fmt::format("{}_total", to_string(counter));
    begin_family(out, name, "Since the process began", "counter");
    out += fmt::format("{}{} {}\n", prefix, name, counters[counter]);
  }
  add_named(out, "listener", counters.listeners);
  add_named(out, "cluster", counters.clusters);
  return out;
}

} // namespace strait::gateway::proxy
