#pragma once

#include "gateway/snapshot/config.hpp"
#include "net/http1_head.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// What an authorizer is told and what of its answer is passed on (Gateway API, GEP-1494, HTTP).
/// Pure functions.
namespace strait::gateway::proxy {

/// Appends the head of the question: the client's method and target, behind the filter's path, its
/// Host and Authorization, and what the filter allows; never what concerns a connection. The
/// length is that of the body which goes with it. False if it cannot be written.
bool append_auth_request(const ExternalAuth& auth, const net::http1::RequestHead& head,
                         std::size_t body_bytes, std::string& out);

/// Adds the fields of a permission that the backend is to see: those allowed, or all but Host,
/// Date, Server and what describes the permission's own content.
void add_permitted_fields(const ExternalAuth& auth, const std::vector<HeaderEdit>& fields,
                          HeaderEdits& edits);

/// Only 200 is a permission.
inline constexpr int auth_permitted = 200;

} // namespace strait::gateway::proxy
