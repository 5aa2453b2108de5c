// links: strait_net strait_base
//
// A client's bytes against a server's session, and a server's against a client's: no event may come
// for a stream that was closed, and every head that is told can be written as HTTP/1.1 or is
// refused.

#include "net/http2_http1.hpp"
#include "net/http2_session.hpp"

#include <cstdlib>
#include <set>

namespace {

using namespace strait;
using namespace strait::net::http2;

struct Checked final : Events {
  explicit Checked(Role role) : session{role, {}, *this} {}
  void alive(std::int32_t stream) {
    if (closed.contains(stream))
      std::abort();
  }
  void on_head(std::int32_t stream, const FieldList& fields, bool ended) override {
    alive(stream);
    std::string out;
    if (fields.has(":status"))
      append_response(fields, ended, false, out);
    else if (append_request(fields, ended, out) != Content::refused)
      session.respond(stream, answer, false);
  }
  void on_trailers(std::int32_t stream, const FieldList& fields) override {
    alive(stream);
    std::string out;
    append_trailers(fields, out);
  }
  void on_head_too_large(std::int32_t stream) override { alive(stream); }
  void on_data(std::int32_t stream, std::string_view bytes) override {
    alive(stream);
    session.consume(stream, bytes.size());
  }
  void on_end(std::int32_t stream) override { alive(stream); }
  void on_sent(std::int32_t stream) override { alive(stream); }
  void on_closed(std::int32_t stream, std::uint32_t) override { closed.insert(stream); }
  void on_goaway() override {}
  Body on_body_wanted(std::int32_t, std::span<char> space) override {
    const auto count = std::min<std::size_t>(space.size(), 3);
    std::fill_n(space.begin(), count, 'x');
    return {count, true, nullptr};
  }
  void drain() {
    while (!session.next_output().empty()) {
    }
  }

  FieldList answer;
  std::set<std::int32_t> closed;
  Session session;
};

void feed(Checked& side, std::string_view bytes) {
  Instant now{};
  while (!bytes.empty()) {
    const auto piece = bytes.substr(0, 64);
    bytes.remove_prefix(piece.size());
    if (!side.session.receive(now, piece))
      break;
    side.drain();
    now += Millis{10};
  }
  side.drain();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  Checked server{Role::server};
  server.answer.add(":status", "200");
  feed(server, bytes);

  Checked client{Role::client};
  FieldList request;
  request.add(":method", "POST");
  request.add(":scheme", "http");
  request.add(":authority", "a");
  request.add(":path", "/");
  (void)client.session.request(request, false);
  client.drain();
  feed(client, bytes.substr(0, preface.size()) == preface ? bytes.substr(preface.size()) : bytes);
  return 0;
}
