#include "gateway/proxy/external_auth.hpp"

#include "gateway/proxy/forwarded_head.hpp"
#include "net/http1_writer.hpp"

#include <algorithm>

namespace strait::gateway::proxy {

using net::http1::equal_ignoring_case;
using net::http1::HeaderId;

namespace {

bool among(const std::vector<std::string>& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(),
                     [&](const auto& candidate) { return equal_ignoring_case(candidate, name); });
}

bool of_the_answer_only(std::string_view name) {
  for (std::string_view own : {"host", "date", "server", "set-cookie"})
    if (equal_ignoring_case(name, own))
      return true;
  constexpr std::string_view content{"content-"};
  return name.size() > content.size() &&
         equal_ignoring_case(name.substr(0, content.size()), content);
}

} // namespace

bool append_auth_request(const ExternalAuth& auth, const net::http1::RequestHead& head,
                         std::size_t body_bytes, std::string& out) {
  std::string target;
  if (!auth.path.empty() && !auth.path.starts_with('/'))
    target.append(1, '/');
  target.append(auth.path);
  if (target.ends_with('/'))
    target.pop_back();
  target.append(head.path());
  if (head.has_query())
    target.append(1, '?').append(head.query());
  net::http1::HeadWriter writer{out};
  writer.request(head.method_text(), target).field("host", head.authority());
  for (const auto& field : head.fields()) {
    const auto name = head.name(field);
    if (field.hop_by_hop || field.id == HeaderId::host || field.id == HeaderId::expect ||
        frames_message(name))
      continue;
    if (field.id == HeaderId::authorization || among(auth.allowed_headers, name))
      writer.raw_line(head.view(field.line));
  }
  writer.field("content-length", static_cast<std::uint64_t>(body_bytes)).end();
  return writer.ok();
}

void add_permitted_fields(const ExternalAuth& auth, const std::vector<HeaderEdit>& fields,
                          HeaderEdits& edits) {
  const auto begin = edits.set.size();
  for (const auto& field : fields) {
    if (frames_message(field.name) || equal_ignoring_case(field.name, "host"))
      continue;
    if (auth.allowed_response_headers.empty() ? of_the_answer_only(field.name)
                                              : !among(auth.allowed_response_headers, field.name))
      continue;
    const bool repeated = std::any_of(
        edits.set.begin() + static_cast<std::ptrdiff_t>(begin), edits.set.end(),
        [&](const auto& earlier) { return equal_ignoring_case(earlier.name, field.name); });
    (repeated ? edits.add : edits.set).push_back(field);
  }
  // A client must not say what the authorizer would have said.
  for (const auto& name : auth.allowed_response_headers)
    edits.remove.push_back(name);
}

} // namespace strait::gateway::proxy
