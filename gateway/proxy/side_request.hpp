#pragma once

#include "gateway/proxy/failover_path.hpp"
#include "gateway/proxy/session.hpp"
#include "net/http1_body.hpp"
#include "net/http1_parser.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace strait::gateway::proxy {

/// A request of the gateway's own beside that of a client: to an authorizer, or a mirror's copy.
/// Whole when it starts; its answer is read to the end and kept, up to a maximum, or thrown away.
/// HTTP/1.1 over the connections of the cluster, or over streams of its HTTP/2 connections. Reused;
/// one worker's thread.
class SideRequest final : public Channel::Owner, public UpstreamTicket::User {
public:
  class User {
  public:
    /// It is over: see failure() and status(). Never called from within start().
    virtual void on_side_request(SideRequest& request) = 0;

  protected:
    ~User() = default;
  };

  struct Options {
    Millis timeout{0}; ///< For all of it.
    /// Of the answer's content, in bytes; more of it ends the connection.
    std::size_t answer_bytes_max = 0;
    bool keep_answer = false;
    bool head = false;   ///< The method is HEAD.
    bool http2 = false;  ///< Over HTTP/2, whatever the cluster says of itself.
    bool resend = false; ///< May be sent once more when a kept connection turns out to be closed.
  };

  SideRequest(WorkerContext& worker, User& user);
  ~SideRequest() { cancel(); }
  SideRequest(const SideRequest&) = delete;
  SideRequest& operator=(const SideRequest&) = delete;

  /// Sends these bytes, a head and its body, to one endpoint of the cluster, or of one that stands
  /// in for it. `under`: see Routing::cluster().
  void start(UpstreamCluster& cluster, ServedPtr under, std::string bytes, const Options& options);
  void cancel();
  bool running() const { return running_; }

  /// Why there is no answer; empty if there is one.
  std::string_view failure() const { return failure_; }
  int status() const { return status_; }
  /// Without what concerns the connection or the framing.
  const std::vector<HeaderEdit>& fields() const { return fields_; }
  const std::vector<HeaderEdit>& trailers() const { return trailers_; }
  /// Empty as well if it was longer than may be kept.
  const std::string& body() const { return body_; }

private:
  void on_channel(Channel&) override { advance(); }
  void on_upstream(UpstreamConnection& connection) override;
  void on_upstream_failed(bool timed_out, std::string_view why) override;
  void on_timer();
  Pick pick();
  void connect(const Pick& pick, UpstreamEndpoint::Reuse reuse);
  void advance();
  bool read();
  bool take_head();
  bool take_body();
  void take_fields();
  void connection_ended();
  void drop();
  void succeed();
  void fail(std::string_view why);

  WorkerContext& worker_;
  User& user_;
  UpstreamTicket ticket_;
  net::Timer timer_, resume_;
  Options options_;
  ServedPtr under_;
  std::string cluster_id_; // It is looked up when it is needed: nothing holds it.
  FailoverPath path_;
  const UpstreamEndpoint* attempted_ = nullptr; // Compared, never looked into.
  UpstreamConnection* upstream_ = nullptr;
  std::string bytes_;
  net::OutputQueue out_;
  net::http1::ResponseParser response_;
  net::http1::BodyReader reader_;
  std::uint64_t out_before_ = 0;
  bool running_ = false, resent_ = false, head_done_ = false, too_long_ = false;
  std::string_view failure_;
  std::string_view failure_soon_; // To be told by the timer.
  int status_ = 0;
  std::vector<HeaderEdit> fields_, trailers_;
  std::string body_;
};

} // namespace strait::gateway::proxy
