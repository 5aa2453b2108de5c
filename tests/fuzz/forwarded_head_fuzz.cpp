// links: strait_gateway_proxy strait_gateway_snapshot strait_net strait_base
//
// A head that was understood, forwarded and read again means the same: the backend sees the message
// that was routed, with the same framing, and nothing that was for one connection only.

#include "gateway/proxy/forwarded_head.hpp"
#include "net/http1_parser.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace strait;
using net::http1::Progress;

namespace {

void require(bool holds) {
  if (!holds)
    std::abort();
}

/// What our edits do must not depend on what the client sent.
const gateway::HeaderEdits& edits() {
  static const gateway::HeaderEdits made{
      {{"x-set", "1"}}, {{"x-add", "2"}, {"cookie", "c"}}, {"x-remove", "accept"}};
  return made;
}

void forward(std::string_view bytes, bool edited) {
  net::http1::RequestParser parser;
  if (parser.parse(bytes) != Progress::done)
    return;
  const auto& head = parser.head();
  gateway::proxy::ForwardedHead forwarded;
  std::string out;
  if (!forwarded.write_request(
          head, {.client_ip = "10.0.0.1", .edits = {edited ? &edits() : nullptr, nullptr}}, out))
    return;
  net::http1::RequestParser again;
  if (again.parse(out) != Progress::done) {
    // Only what was added may pass a maximum.
    require(out.size() > bytes.size() || head.fields().size() > 100);
    return;
  }
  const auto& sent = again.head();
  require(sent.bytes() == out.size());
  require(sent.method_text() == head.method_text());
  require(sent.path() == head.path() && sent.query() == head.query());
  require(sent.host() == head.host() && sent.port() == head.port());
  require(sent.framing() == head.framing() && sent.content_length() == head.content_length());
  require(!sent.upgrade());
  require(!sent.has(net::http1::HeaderId::keep_alive) &&
          !sent.has(net::http1::HeaderId::proxy_connection));
  require(sent.get("x-forwarded-for").ends_with("10.0.0.1"));
  if (edited)
    require(sent.get("x-set") == "1" && !sent.find("x-remove") && !sent.find("accept"));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  forward(bytes, false);
  forward(bytes, true);
  return 0;
}
