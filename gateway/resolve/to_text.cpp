#include "gateway/resolve/resolve.hpp"

#include <fmt/format.h>

namespace strait::gateway::resolve {

namespace {

void write(std::string& text, std::string_view indent, const model::Condition& it) {
  text += fmt::format("{}{}={} {} (generation {}){}{}\n", indent, to_string(it.type),
                      it.status ? "True" : "False", to_string(it.reason), it.observed_generation,
                      it.message.empty() ? "" : ": ", it.message);
}

} // namespace

std::string to_text(const model::ObjectStatus& status) {
  auto text = to_string(status.object) + "\n";
  for (auto& condition : status.conditions)
    write(text, "  ", condition);
  if (!status.addresses.empty())
    text += fmt::format("  addresses {}\n", fmt::join(status.addresses, " "));
  if (status.attached_listener_sets != 0)
    text += fmt::format("  {} listener sets\n", status.attached_listener_sets);
  if (!status.supported_features.empty())
    text += fmt::format("  features {}\n", fmt::join(status.supported_features, " "));
  for (auto& listener : status.listeners) {
    text +=
        fmt::format("  listener {}: {} attached, kinds", listener.name, listener.attached_routes);
    for (auto& kind : listener.supported_kinds)
      text += " " + kind.kind;
    text += "\n";
    for (auto& condition : listener.conditions)
      write(text, "    ", condition);
  }
  for (auto& parent : status.parents) {
    text += fmt::format("  parent {}{}/{}{}{} of {}\n",
                        parent.parent.kind == "Gateway" ? "" : parent.parent.kind + " ",
                        parent.parent.ns, parent.parent.name,
                        parent.parent.section_name.empty() ? "" : "/" + parent.parent.section_name,
                        parent.parent.port ? fmt::format(":{}", *parent.parent.port) : "",
                        parent.controller);
    for (auto& condition : parent.conditions)
      write(text, "    ", condition);
  }
  return text;
}

} // namespace strait::gateway::resolve
