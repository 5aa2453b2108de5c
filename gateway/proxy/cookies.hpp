#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace strait::gateway::proxy {

/// The first cookie of that name in a Cookie field's value (RFC 6265 §4.2.1). Names are compared
/// as they are.
std::optional<std::string_view> cookie_value(std::string_view field, std::string_view name);

/// Appends the Cookie field's value without the cookies of that name; may append nothing.
void append_without_cookie(std::string_view field, std::string_view name, std::string& out);

/// The first parameter of that name in a query, as it stands ("%XX" is not decoded).
std::optional<std::string_view> query_value(std::string_view query, std::string_view name);

/// Appends the query without the parameters of that name; may append nothing.
void append_without_parameter(std::string_view query, std::string_view name, std::string& out);

} // namespace strait::gateway::proxy
