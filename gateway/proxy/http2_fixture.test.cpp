#include "gateway/proxy/http2_fixture.test.hpp"

#include <set>

namespace strait::gateway::proxy::testing {

using net::http2::FieldList;
using net::http2::Role;

template <class W>
std::int32_t Http2On<W>::ask(std::string_view method, std::string_view path, Fields more,
                             std::string content, bool open, std::string_view host) {
  FieldList fields;
  fields.add(":method", method);
  fields.add(":scheme", "http");
  fields.add(":authority", host.empty() ? "example.com" : host);
  fields.add(":path", path);
  for (const auto& [name, value] : more)
    fields.add(name, value);
  const auto id = side.session.request(fields, content.empty() && !open);
  if (!id)
    return -1;
  side.streams[*id].out = std::move(content);
  side.streams[*id].out_ended = !open;
  flush();
  return *id;
}

template <class W>
bool Http2On<W>::flush() {
  const auto bytes = side.output();
  return bytes.empty() || wire.send(bytes);
}

template <class W>
bool Http2On<W>::until(const std::function<bool()>& condition) {
  for (;;) {
    if (!flush())
      return condition();
    if (condition())
      return true;
    const auto bytes = wire.some();
    if (bytes.empty())
      return false;
    if (!side.session.receive(now_instant(), bytes)) {
      flush();
      return condition();
    }
  }
}

template <class W>
Stream2& Http2On<W>::finish(std::int32_t id) {
  auto& stream = side.streams[id];
  until([&] { return stream.closed; });
  return stream;
}

template <class W>
void Http2On<W>::answer(std::int32_t id, Fields fields, std::string content, Fields trailers) {
  FieldList head;
  for (const auto& [name, value] : fields)
    head.add(name, value);
  auto& stream = side.streams[id];
  stream.out = std::move(content);
  for (const auto& [name, value] : trailers)
    stream.out_trailers.add(name, value);
  side.session.respond(id, head, stream.out.empty() && trailers.size() == 0);
  flush();
}

template class Http2On<Wire>;
template class Http2On<TlsWire>;

namespace {

template <class W, class Handle>
void serve(Http2On<W>& wire, Backend& self, const Handle& handle) {
  std::set<std::int32_t> handled;
  wire.until([&] {
    for (auto& [id, stream] : wire.side.streams)
      if (stream.ended && handled.insert(id).second) {
        ++self.requests;
        handle(wire, id, stream);
      }
    return false;
  });
}

} // namespace

Http2Wire dial_http2(std::uint16_t port, const net::http2::Limits& limits) {
  return {Wire::dial(port), Role::client, limits};
}

std::unique_ptr<Backend>
http2_backend(std::function<void(Http2Wire&, std::int32_t, Stream2&)> handle,
              net::http2::Limits limits) {
  return std::make_unique<Backend>([handle = std::move(handle), limits](Wire& raw, Backend& self) {
    Http2Wire wire{std::move(raw), Role::server, limits};
    serve(wire, self, handle);
  });
}

std::unique_ptr<Backend>
http2_tls_backend(std::shared_ptr<const net::TlsServerContext> context,
                  std::function<void(Http2TlsWire&, std::int32_t, Stream2&)> handle) {
  return std::make_unique<Backend>(
      [context = std::move(context), handle = std::move(handle)](Wire& raw, Backend& self) {
        TlsWire tls{raw, context};
        if (!tls.ok() || tls.stream().alpn() != "h2")
          return;
        Http2TlsWire wire{std::move(tls), Role::server};
        serve(wire, self, handle);
      });
}

std::unique_ptr<Backend> named_http2_backend(std::string name) {
  return http2_backend([name](Http2Wire& wire, std::int32_t id, Stream2& request) {
    std::string seen = name + " " + request.field(":method") + " " + request.field(":scheme") +
                       "://" + request.field(":authority") + request.field(":path");
    if (!request.body.empty())
      seen += " " + request.body;
    for (const auto& [trailer, value] : request.trailers)
      seen += " " + trailer + "=" + value;
    wire.answer(id, {{":status", "200"}, {"content-type", "text/plain"}}, std::move(seen));
  });
}

} // namespace strait::gateway::proxy::testing
