#pragma once

#include "actors/catalog_actor.hpp"
#include "actors/query_actor.hpp"
#include "api/agent_endpoints.hpp"
#include "api/identity.hpp"
#include "api/metrics.hpp"
#include "api/query_options.hpp"
#include "net/http_server.hpp"
#include "peering/wire.hpp"

#include <memory>

/// The HTTP API of an agent: Consul's paths, JSON and headers under /v1, Strait's own under
/// /strait/v1, metrics under /metrics. A request is routed to an endpoint, a pure function that
/// says what to answer, to read or to write (call.hpp); HttpApi carries that out: it reads from the
/// newest committed view, lets queries wait with the query actor, sends commands and answers once
/// they are durable. No thread is ever blocked.
namespace strait::api {

struct HttpApiLimits {
  QueryLimits query;
  std::size_t body_bytes_max = 512 * 1024;           ///< Of Consul's endpoints; 413 above.
  std::size_t documents_bytes_max = 8 * 1024 * 1024; ///< Of apply and delete.
  std::chrono::milliseconds report_wait_max{2'000};  ///< For what proxies say of themselves.
  /// A wait is stretched at random by up to wait / divisor, so that clients that came together do
  /// not come back together. 0: never.
  unsigned wait_jitter_divisor = 16;
};

struct HttpApiContext {
  std::shared_ptr<actors::ViewBox> view;
  actors::QueryActor queries;
  actors::CommandActor commands;
  actors::RootActor root; ///< Null: no gateway has proxies to show.
  AgentIdentity self;
  std::shared_ptr<peering::PeeringHandler> peering; ///< Null: peering is switched off.
  /// Where another replica feeds gateways; empty: here. Any thread. Null: always here.
  std::function<std::string()> feed_elsewhere;
  ReportTtl report_ttl; ///< Empty: reports on TTL checks only go into the catalog.
  std::shared_ptr<Metrics> metrics = std::make_shared<Metrics>();
  Log log;
  HttpApiLimits limits;
};

class HttpApi {
public:
  explicit HttpApi(HttpApiContext context);
  ~HttpApi();

  /// The handler of a net::HttpServer. One thread at a time; answers may come after the HttpApi is
  /// gone.
  void handle(net::HttpRequest request, const net::HttpPeer& peer, net::HttpResponder responder);

  /// How an answer leaves, for callers without a server.
  struct Exit {
    std::function<void(net::HttpResponse)> respond;
    /// Is given what to do when nobody waits for the answer any more.
    std::function<void(std::function<void()>)> on_disconnect;
  };
  void serve(net::HttpRequest request, Exit exit);

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace strait::api
