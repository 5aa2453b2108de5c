#pragma once

#include "gateway/proxy/counters.hpp"
#include "gateway/proxy/http2_stream.hpp"
#include "gateway/proxy/options.hpp"

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace strait::gateway::proxy {

/// An HTTP/2 connection, of a client or to an upstream: bytes between a channel and a session, and
/// the streams between that session and whoever serves or sends requests. One worker's thread;
/// owned by its user, and not destroyed from within a call that it makes.
class Http2Connection final : net::http2::Events {
public:
  class User {
  public:
    /// Server: a request has begun; take its pipe.
    virtual void on_request(Http2Stream& stream) = 0;
    /// A stream is gone, or the peer takes no more.
    virtual void on_streams() = 0;
    /// The connection has ended, in order (`why` is empty) or not: close its channel.
    virtual void on_finished(std::string_view why) = 0;

  protected:
    ~User() = default;
  };

  /// The channel's handshake is done; its owner calls advance() from now on.
  Http2Connection(net::EventLoop& loop, net::BufferPool& buffers, WorkerCounters& counters,
                  const ProxyLimits& limits, Channel& channel, net::http2::Role role, User& user);
  Http2Connection(const Http2Connection&) = delete;
  Http2Connection& operator=(const Http2Connection&) = delete;
  ~Http2Connection();

  /// Moves what can be moved now.
  void advance();
  /// Server: the pipe of a request, for its channel.
  std::unique_ptr<net::Stream> accept(Http2Stream& stream, Channel& channel);
  /// Client: a pipe for one request.
  std::unique_ptr<net::Stream> open(Channel& channel);
  /// Client: whether there is room for one more stream.
  bool has_room() const;
  std::size_t streams() const { return streams_.size(); }
  /// The peer takes no more streams, or we said that we do not.
  bool retiring() const { return retiring_; }

  /// Server: the client should use another connection; what it sends meanwhile is served.
  void announce_end();
  /// Takes no more streams; finished once the last one has ended.
  void end();

private:
  friend class Http2Stream;
  // net::http2::Events
  void on_head(std::int32_t id, const net::http2::FieldList& fields, bool ended) override;
  void on_trailers(std::int32_t id, const net::http2::FieldList& fields) override;
  void on_head_too_large(std::int32_t id) override;
  void on_data(std::int32_t id, std::string_view bytes) override;
  void on_end(std::int32_t id) override;
  void on_sent(std::int32_t id) override;
  void on_closed(std::int32_t id, std::uint32_t code) override;
  void on_goaway() override;
  Body on_body_wanted(std::int32_t id, std::span<char> space) override;

  Http2Stream* find(std::int32_t id);
  Http2Stream& add(std::unique_ptr<Http2Stream> stream);
  void forget(Http2Stream& stream);
  void touch(Http2Stream& stream);
  void consumed(Http2Stream& stream, std::size_t bytes);
  bool send_request(Http2Stream& stream, const net::http2::FieldList& fields, bool ended);
  bool read();
  void deliver();
  void flush();
  void advance_later();
  void fail(std::string_view why);

  net::EventLoop& loop_;
  WorkerCounters& counters_;
  const ProxyLimits& limits_;
  Channel& channel_;
  const net::http2::Role role_;
  User& user_;
  net::http2::Session session_;
  net::OutputQueue output_;
  std::vector<std::unique_ptr<Http2Stream>> streams_;
  std::unordered_map<std::int32_t, Http2Stream*> by_id_;
  std::vector<Http2Stream*> touched_;      // To be told; null: gone meanwhile.
  std::shared_ptr<Http2Connection*> self_; // Null once this died: for what was deferred.
  std::string why_;
  bool advancing_ = false, again_ = false, later_ = false, streams_changed_ = false;
  bool retiring_ = false, over_ = false, told_ = false;
};

} // namespace strait::gateway::proxy
