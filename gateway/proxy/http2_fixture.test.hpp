#pragma once

#include "gateway/proxy/proxy_tls_fixture.test.hpp"
#include "net/http2_pair.test.hpp"

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace strait::gateway::proxy::testing {

using Fields = std::initializer_list<std::pair<std::string_view, std::string_view>>;
using Stream2 = net::http2::testing::Side::Stream;

/// One side of an HTTP/2 connection over a blocking wire, a Wire or a TlsWire.
template <class W>
class Http2On {
public:
  Http2On(W connected, net::http2::Role role, const net::http2::Limits& limits = {})
      : wire{std::move(connected)}, side{role, limits} {}

  /// Client: begins a request. Its content goes out as far as it is there; `open`: more follows.
  std::int32_t ask(std::string_view method, std::string_view path, Fields more = {},
                   std::string content = {}, bool open = false, std::string_view host = {});
  /// Writes what is to be said.
  bool flush();
  /// Until the condition holds; false if the connection ended before.
  bool until(const std::function<bool()>& condition);
  /// Until the stream is closed on both sides, or reset.
  Stream2& finish(std::int32_t id);
  /// Server: answers.
  void answer(std::int32_t id, Fields fields, std::string content = {}, Fields trailers = {});

  W wire;
  net::http2::testing::Side side;
};
using Http2Wire = Http2On<Wire>;
using Http2TlsWire = Http2On<TlsWire>;

Http2Wire dial_http2(std::uint16_t port, const net::http2::Limits& limits = {});

/// A server of HTTP/2 with prior knowledge. `handle` is called once for each request, when it has
/// ended.
std::unique_ptr<Backend>
http2_backend(std::function<void(Http2Wire&, std::int32_t id, Stream2& request)> handle,
              net::http2::Limits limits = {});
/// The same by TLS, for clients that choose h2 by ALPN.
std::unique_ptr<Backend>
http2_tls_backend(std::shared_ptr<const net::TlsServerContext> context,
                  std::function<void(Http2TlsWire&, std::int32_t id, Stream2& request)> handle);
/// Answers with its name and with what it saw.
std::unique_ptr<Backend> named_http2_backend(std::string name);

} // namespace strait::gateway::proxy::testing
