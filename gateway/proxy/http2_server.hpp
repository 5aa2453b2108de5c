#pragma once

#include "gateway/proxy/exchange.hpp"
#include "gateway/proxy/http2_connection.hpp"

#include <memory>
#include <string>
#include <vector>

namespace strait::gateway::proxy {

class Http2Server;

/// One request of an HTTP/2 client: an exchange on a stream. Owned by its server.
class Http2Request final : public Retirable, public Channel::Owner, public ExchangeOwner {
public:
  Http2Request(Http2Server& server, std::unique_ptr<Exchange> exchange);
  void start(Http2Stream& stream);
  /// Takes back the exchange; the stream is reset unless its answer is complete.
  std::unique_ptr<Exchange> stop();

private:
  friend class Http2Server;
  void on_channel(Channel&) override { advance(); }
  void on_exchange() override { advance(); }
  void expect(std::optional<Millis> within) override;
  void go_on_later() override { resume_.start(Millis{0}); }
  void advance();
  void carry_on(Exchange::Outcome outcome);

  Http2Server& server_;
  Channel channel_;
  net::Timer timer_, resume_;
  std::unique_ptr<Exchange> exchange_; // Null: over.
  std::size_t index_ = 0;
  bool advancing_ = false, again_ = false;
};

/// A client's connection that turned out to speak HTTP/2: its requests, each an exchange of its
/// own, and its end. Part of the session that accepted the connection.
class Http2Server final : Http2Connection::User {
public:
  class Owner {
  public:
    /// Close the channel.
    virtual void on_http2_finished() = 0;

  protected:
    ~Owner() = default;
  };

  Http2Server(WorkerContext& worker, Channel& channel, const PortState& port, std::string_view ip,
              Owner& owner);
  ~Http2Server() { abort(); }

  void advance() { connection_.advance(); }
  /// The port is closing. First a notice, while requests on their way are served, then no further
  /// ones; ends when those under way are answered. Nobody who was not served yet is turned away,
  /// unless the port is closed.
  void wind_down();
  /// Drops every request.
  void abort();

private:
  friend class Http2Request;
  void on_request(Http2Stream& stream) override;
  void on_streams() override;
  void on_finished(std::string_view why) override;
  void remove(Http2Request& request);
  void on_timer();

  WorkerContext& worker_;
  const PortState& port_;
  std::string_view ip_;
  Owner& owner_;
  Http2Connection connection_;
  net::Timer timer_;
  std::vector<std::unique_ptr<Http2Request>> requests_;
  bool asked_ = false; // For anything, ever.
  bool announced_ = false, ending_ = false;
};

} // namespace strait::gateway::proxy
