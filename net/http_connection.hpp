#pragma once

#include "net/buffer.hpp"
#include "net/event_loop.hpp"
#include "net/http1_body.hpp"
#include "net/http1_parser.hpp"
#include "net/http_exchange.hpp"
#include "net/stream.hpp"

#include <functional>
#include <memory>
#include <string>

namespace strait::net {

/// One client of an HttpServer: takes requests one after the other and writes their answers. Owned
/// by the server's state; loop thread only.
class HttpConnection final : public EventHandler,
                             public std::enable_shared_from_this<HttpConnection> {
public:
  struct Context {
    EventLoop& loop;
    BufferPool& pool;
    const HttpServerOptions& options;
    const HttpServer::Handler& handler;
    std::function<void(HttpConnection&)> closed;
  };
  HttpConnection(Context& context, std::unique_ptr<Stream> stream, Address peer);

  /// False if the descriptor cannot be watched: drop it.
  bool start();
  void on_ready(Ready ready) override;
  /// Drops the connection and tells whoever prepares an answer.
  void close();
  /// No further request after the one at hand; closes at once if there is none.
  void finish();
  /// For answers whose wake-up the loop's inbox refused.
  void look_at_answer();
  const Address& peer() const { return peer_.address; }

private:
  enum class Phase : std::uint8_t { handshake, head, body, answer, linger, closed };

  void drive();
  void advance();
  bool shake_hands();
  bool read();
  bool take_head();
  bool take_body();
  void dispatch();
  bool take_answer();
  void write_head(HttpResponse& response, bool streams);
  void answer_done();
  bool flush();
  void refuse(int status, std::string_view why);
  void linger();
  void on_deadline();

  Context& context_;
  std::unique_ptr<Stream> stream_;
  HttpPeer peer_;
  Phase phase_;
  ReceiveBuffer in_;
  http1::RequestParser parser_;
  http1::BodyReader body_;
  HttpRequest request_;
  std::shared_ptr<HttpAnswer> answer_;
  std::string out_;
  std::size_t written_ = 0;
  Timer deadline_;
  std::size_t lingered_ = 0;
  bool keep_alive_ = true, head_only_ = false, chunked_ = false, head_written_ = false;
  bool head_begun_ = false, ended_ = false, finishing_ = false, peer_ended_ = false,
       driving_ = false, again_ = false;
  int version_minor_ = 1;
};

} // namespace strait::net
