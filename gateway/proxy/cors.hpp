#pragma once

#include "gateway/snapshot/config.hpp"

#include <string_view>

namespace strait::gateway::proxy {

/// What CORS looks at in a request; absent fields are empty.
struct CorsRequest {
  std::string_view method, origin;
  std::string_view requested_method;  ///< Access-Control-Request-Method.
  std::string_view requested_headers; ///< Access-Control-Request-Headers.
};

/// Whether a browser asks first (Fetch, CORS protocol): OPTIONS with an origin and a method.
bool is_preflight(const CorsRequest& request);

/// Whether one of the patterns covers the origin: ASCII case and the scheme's own port say nothing,
/// '*' in a pattern stands for any text without '/', "*" alone for every origin.
bool allows_origin(const Cors& cors, std::string_view origin);

/// Adds to `edits` what the answer's head must say: to a preflight all of it, to another request
/// what concerns its answer. An origin that is not allowed gets no permission, and what the backend
/// may have given is taken away. "*" is never said where credentials are allowed; what stands for
/// it is the text of the request.
void add_cors_edits(const Cors& cors, const CorsRequest& request, HeaderEdits& edits);

} // namespace strait::gateway::proxy
