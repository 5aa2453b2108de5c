#pragma once

#include "net/http2_session.hpp"

#include <deque>
#include <map>
#include <string>
#include <vector>

namespace strait::net::http2::testing {

/// What one side of a connection was told, and what it has to say.
struct Side final : Events {
  Side(Role role, const Limits& limits) : session{role, limits, *this} {}

  struct Stream {
    std::vector<std::pair<std::string, std::string>> fields, trailers;
    std::vector<std::string> statuses;
    std::string body;
    bool ended = false, sent = false, too_large = false, closed = false;
    std::uint32_t code = 0;
    // To be sent.
    std::string out;
    bool out_ended = true;
    FieldList out_trailers;

    std::string field(std::string_view name) const {
      for (const auto& [had, value] : fields)
        if (had == name)
          return value;
      return {};
    }
  };

  void on_head(std::int32_t id, const FieldList& fields, bool) override {
    auto& stream = streams[id];
    stream.fields.clear();
    for (std::size_t i = 0; i < fields.size(); ++i)
      stream.fields.emplace_back(fields[i].name, fields[i].value);
    if (fields.has(":status"))
      stream.statuses.emplace_back(fields.get(":status"));
    heads.push_back(id);
  }
  void on_trailers(std::int32_t id, const FieldList& fields) override {
    for (std::size_t i = 0; i < fields.size(); ++i)
      streams[id].trailers.emplace_back(fields[i].name, fields[i].value);
  }
  void on_head_too_large(std::int32_t id) override { streams[id].too_large = true; }
  void on_data(std::int32_t id, std::string_view bytes) override {
    streams[id].body.append(bytes);
    if (consumes)
      session.consume(id, bytes.size());
  }
  void on_end(std::int32_t id) override { streams[id].ended = true; }
  void on_sent(std::int32_t id) override { streams[id].sent = true; }
  void on_closed(std::int32_t id, std::uint32_t code) override {
    streams[id].closed = true;
    streams[id].code = code;
  }
  void on_goaway() override { goaway = true; }
  Body on_body_wanted(std::int32_t id, std::span<char> space) override {
    auto& stream = streams[id];
    const auto count = std::min(space.size(), stream.out.size());
    stream.out.copy(space.data(), count);
    stream.out.erase(0, count);
    return {count, stream.out.empty() && stream.out_ended, &stream.out_trailers};
  }

  std::string output() {
    std::string bytes;
    for (;;) {
      const auto more = session.next_output();
      if (more.empty())
        return bytes;
      bytes.append(more);
    }
  }

  std::map<std::int32_t, Stream> streams;
  std::vector<std::int32_t> heads; ///< In the order in which they came.
  bool goaway = false, consumes = true;
  Session session;
};

/// A client and a server with nothing between them.
struct Pair {
  explicit Pair(const Limits& server_limits = {}, const Limits& client_limits = {})
      : client{Role::client, client_limits}, server{Role::server, server_limits} {}

  /// Carries bytes until neither has any; false if one of them gave the connection up.
  bool exchange() {
    bool good = true;
    for (;;) {
      const auto to_server = client.output(), to_client = server.output();
      if (to_server.empty() && to_client.empty())
        return good;
      good = (to_server.empty() || server.session.receive(now, to_server)) && good;
      good = (to_client.empty() || client.session.receive(now, to_client)) && good;
    }
  }

  std::int32_t ask(std::string_view method = "GET", std::string_view path = "/",
                   bool ended = true) {
    FieldList fields;
    fields.add(":method", method);
    fields.add(":scheme", "http");
    fields.add(":authority", "example.com");
    fields.add(":path", path);
    const auto id = client.session.request(fields, ended);
    return id ? *id : -1;
  }

  void answer(std::int32_t id, std::string_view status, bool ended) {
    FieldList fields;
    fields.add(":status", status);
    server.session.respond(id, fields, ended);
  }

  Instant now{};
  Side client, server;
};

} // namespace strait::net::http2::testing
