#pragma once

#include "gateway/proxy/channel.hpp"
#include "net/http1_body.hpp"
#include "net/http1_parser.hpp"
#include "net/http2_http1.hpp"
#include "net/http2_session.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace strait::gateway::proxy {

class Http2Connection;

/// One request and its answer on an HTTP/2 connection, kept by the connection until both sides have
/// ended and nobody uses it any more. What arrives is given out as HTTP/1.1, what is written must
/// be HTTP/1.1: so an Exchange serves HTTP/2 as it serves HTTP/1.1 (docs/decisions/0006-http2.md).
///
/// Held at most: received content up to the stream's window, content to be sent up to
/// Http2Limits::send_bytes_max, and the heads.
class Http2Stream {
public:
  /// `channel`: whose pipe this is; null until there is one.
  Http2Stream(Http2Connection& connection, Channel* channel, std::int32_t id);

  // The pipe's side.
  std::size_t read(std::span<char> space);
  /// How much was taken; less if there is no room, or it failed.
  std::size_t write(std::string_view bytes);
  /// Nothing more can be read or written but what was received.
  bool lost() const { return lost_; }
  /// The peer did not process the request: to send it again is safe (RFC 9113 §8.7).
  bool refused() const { return refused_; }
  /// The pipe is gone. May destroy the stream.
  void detach();

private:
  friend class Http2Connection;
  bool stage();
  bool start_message();
  void drop_content();
  net::http2::Events::Body send(std::span<char> space);

  Http2Connection& connection_;
  Channel* channel_;
  std::int32_t id_; // 0: the request was not sent yet.
  std::size_t index_ = 0;
  bool touched_ = false, fresh_ = false;

  // What arrives: heads and framing, content, and what follows it.
  std::string text_, content_;
  std::size_t text_read_ = 0, content_read_ = 0;
  net::http2::Content form_ = net::http2::Content::none;
  net::http2::FieldList trailers_;
  bool to_head_ = false; // The request is a HEAD.
  bool begun_ = false;   // The final head arrived.
  bool ended_ = false, tail_staged_ = false;

  // What is sent.
  net::http1::RequestParser request_;
  net::http1::ResponseParser response_;
  net::http1::BodyReader body_;
  std::string head_, out_;
  std::size_t out_read_ = 0;
  net::http2::FieldList out_trailers_;
  bool head_written_ = false, out_ended_ = false, sent_ = false, full_ = false;
  bool doomed_ = false; // To be reset once what was written is sent.

  bool lost_ = false, refused_ = false, closed_ = false;
};

/// The stream as a connection of its own, for a channel. Whoever owns the channel may outlive the
/// HTTP/2 connection: then it reads and writes nothing more.
class Http2Pipe final : public net::Stream {
public:
  Http2Pipe(Http2Stream& stream, bool tls, std::string_view sni);
  ~Http2Pipe() override { close(); }

  net::IoResult handshake() override { return {}; }
  net::IoResult read_some(std::span<char> space) override;
  net::IoResult write_some(std::span<const iovec> slices) override;
  net::IoResult shutdown() override { return {}; }
  void close() override;
  int fd() const override { return -1; }
  bool drained() const override { return drained_; }
  std::string failure() const override { return "the HTTP/2 stream was reset"; }
  bool is_tls() const override { return tls_; }
  std::string_view sni() const override { return sni_; }

  bool refused() const { return refused_; }
  /// The connection is gone.
  void orphan();

private:
  Http2Stream* stream_;
  const bool tls_;
  const std::string sni_;
  bool drained_ = false, refused_ = false;
};

} // namespace strait::gateway::proxy
