#pragma once

#include "gateway/proxy/exchange_filters.hpp"
#include "gateway/proxy/failover_path.hpp"
#include "gateway/proxy/forwarded_head.hpp"
#include "gateway/proxy/jwt.hpp"
#include "gateway/proxy/relay.hpp"
#include "gateway/proxy/retry.hpp"
#include "gateway/proxy/session.hpp"
#include "net/http1_body.hpp"
#include "net/http1_parser.hpp"

#include <memory>
#include <optional>
#include <span>
#include <string>

namespace strait::gateway::proxy {

/// Whose request an exchange carries out.
class ExchangeOwner {
public:
  /// The upstream side moved: call advance().
  virtual void on_exchange() = 0;
  /// Restarts (or, with nothing, stops) the time-out after which to call time_out().
  virtual void expect(std::optional<Millis> within) = 0;
  /// Asks for advance() in the next turn of the loop.
  virtual void go_on_later() = 0;

protected:
  ~ExchangeOwner() = default;
};

/// One request and its answer, from the first byte of the head to the last of the body:
///
///   head ─► filters ─► connecting ─► streaming ─► done
///              │          │   ▲  backoff │ 101 ─► tunnel
///              │          │   └──────────┤
///              └──────────┴─► replying ◄─┘ (an answer of our own)
///
/// Bodies go straight from one receive buffer to the other socket, both ways at once, each read
/// only when what was read before is written: what is held is bounded by the two buffers. The
/// request stays in the client's buffer until the first byte of the answer came (or the buffer is
/// full), so that it can be sent once more. Reused from request to request; one worker's thread.
class Exchange final : public Channel::Owner,
                       public UpstreamTicket::User,
                       public SideRequest::User {
public:
  enum class Outcome : std::uint8_t {
    waiting,
    next,   ///< Answered; the connection is good for another request.
    close,  ///< Answered; the connection ends.
    linger, ///< Answered before the request was read to its end: close so that the answer arrives.
    abort,  ///< Nothing more can be said on this connection.
  };

  explicit Exchange(WorkerContext& worker);
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  /// A request is about to arrive on the channel.
  void begin(ExchangeOwner& owner, Channel& client, const PortState& port,
             std::string_view client_ip);
  Outcome advance();
  /// What was expected did not happen in time.
  Outcome time_out();
  /// Drops everything: the connection is lost. Ready for begin() again.
  void reset();
  /// Nothing was received yet.
  bool idle() const { return phase_ == Phase::idle; }
  bool tunnel() const { return phase_ == Phase::tunnel; }

private:
  enum class Phase : std::uint8_t {
    idle,
    head,
    gathering,   // The body that an authorizer is to see.
    authorizing, // It is being asked.
    connecting,
    streaming,
    replying,
    tunnel,
    done
  };
  /// How the answer's body goes on.
  enum class Transfer : std::uint8_t { as_is, payload_only, chunk };

  // exchange.cpp
  void on_channel(Channel& channel) override;
  void on_upstream(UpstreamConnection& connection) override;
  void on_upstream_failed(bool timed_out, std::string_view why) override;
  Outcome finish();
  void log();

  // exchange_route.cpp: which backend, which connection, and answers of our own.
  void read_head();
  void route();
  bool grpc_route() const;
  Pick pick(const UpstreamEndpoint* avoid);
  void start_attempt(UpstreamEndpoint::Reuse reuse, const UpstreamEndpoint* avoid);
  void try_at(const Pick& pick, UpstreamEndpoint::Reuse reuse);
  void use(UpstreamConnection& connection);
  void attempt_failed(std::string_view why);
  void forward();
  void reply(int status, std::string_view text);
  void answer(int status, std::span<const HeaderView> fields, std::string_view body);
  void drop_upstream();

  // exchange_filters.cpp: what the rule does before the backend is chosen.
  FilterState& filters();
  void filter();
  bool answered_by_cors();
  void redirect_or_forward();
  void redirect();
  void rewrite();

  // exchange_jwt.cpp
  bool refused_by_jwt();
  void keep_back(const Jwt::Location& location);
  void refuse_token(JwtFault fault);

  // exchange_session.cpp
  bool choose_by_session();
  void hand_out_session();

  // exchange_mirror.cpp
  void draw_mirrors();
  void copy_for_mirrors(std::string_view bytes);
  void send_mirrors();
  void abandon_mirrors();

  // exchange_auth.cpp
  void authorize();
  void gather_for_authorizer();
  void ask_authorizer();
  void on_side_request(SideRequest& request) override;
  void on_grpc_verdict(const SideRequest& request);
  void auth_failed(std::string_view why);
  void pass_authorized();

  // exchange_retry.cpp: time-outs of the rule, and attempts that are made again.
  std::optional<Millis> stream_idle() const; ///< None: as long as it likes.
  std::optional<Millis> response_wait() const;
  bool retry(FailedAttempt attempt);
  void retry_now();
  void let_go_of_attempt();
  void on_deadline();
  void on_attempt_timeout();

  // exchange_request.cpp
  bool may_read();
  void pump_request();
  void queue_request();

  // exchange_response.cpp
  void pump_response();
  void queue_response();
  void start_response();
  void queue_body();
  void response_ended();

  WorkerContext& worker_;
  ExchangeOwner* owner_ = nullptr;
  Channel* client_ = nullptr;
  const PortState* port_ = nullptr;
  std::string_view client_ip_;

  Phase phase_ = Phase::idle;
  ServedPtr served_; // The snapshot of this request.
  const ListenerTable* listener_ = nullptr;
  MatchedRule matched_;
  Choice choice_; // Its cluster: the one that is being tried, once one is.
  NamedCount* listener_counts_ = nullptr;

  net::http1::RequestParser request_;
  net::http1::BodyReader request_body_;
  std::size_t request_read_ = 0; // Bytes of the client's buffer that are dealt with, not consumed.
  bool keep_request_ = true;     // It may have to be sent once more.
  bool request_done_ = false;    // Read to its end, and queued.
  bool wants_upgrade_ = false;
  bool grpc_ = false; // By its content type: our own answers are gRPC's.

  UpstreamTicket ticket_;
  const UpstreamEndpoint* attempted_ = nullptr; // Compared, never looked into.
  FailoverPath path_;
  bool answered_ = false; // The attempt before: only its status is not wanted.
  UpstreamConnection* upstream_ = nullptr;
  std::uint64_t upstream_out_before_ = 0, client_out_before_ = 0, client_in_before_ = 0;
  unsigned retries_ = 0;
  bool met_stale_ = false;      // A kept connection that had ended.
  unsigned policy_retries_ = 0; // That the rule's policy asked for.
  net::Timer deadline_, attempt_timer_, backoff_;
  std::unique_ptr<FilterState> filters_; // Made when a rule first needs it.
  bool filtered_ = false;                // It is this request's.
  unsigned reads_ = 0;                   // In this turn.

  net::http1::ResponseParser response_;
  net::http1::BodyReader response_body_;
  std::size_t response_read_ = 0;
  Transfer transfer_ = Transfer::as_is;
  bool response_begun_ = false; // A byte of it came.
  bool head_sent_ = false;      // The final head was queued for the client.
  bool response_done_ = false;
  bool close_client_ = false;
  bool lingers_ = false;
  bool abort_ = false;
  int status_ = 0;

  net::OutputQueue to_upstream_, to_client_;
  std::optional<Relay> relay_;
  ForwardedHead forwarded_;
  std::string text_, body_, host_, sni_, grpc_message_;
  std::vector<HeaderView> header_views_, own_fields_, own_answer_fields_;

  // For the access log, if there is one: the request's text, gone from the buffer by then.
  WallTime began_wall_{};
  Instant began_{};
  std::string log_method_, log_host_, log_target_, log_agent_, log_id_, log_cluster_, log_endpoint_,
      log_failure_;
};

} // namespace strait::gateway::proxy
