#include "api/http_api.hpp"

#include "api/gateway_endpoints.hpp"
#include "api/json_writer.hpp"
#include "api/object_endpoints.hpp"
#include "api/peering_endpoints.hpp"
#include "base/overload.hpp"

#include <caf/all.hpp>

#include <algorithm>
#include <array>
#include <mutex>
#include <random>

namespace strait::api {

namespace {

/// One answer on its way out: counts it and adds what every answer has. Any thread; once.
class Answering {
public:
  Answering(HttpApi::Exit exit, std::shared_ptr<Metrics> metrics, std::string endpoint,
            std::string method)
      : exit_{std::move(exit)}, metrics_{std::move(metrics)}, endpoint_{std::move(endpoint)},
        method_{std::move(method)} {}

  void reply(Reply reply) {
    auto exit = take();
    if (!exit.respond)
      return;
    metrics_->count_request(endpoint_, method_, reply.status);
    net::HttpResponse response{.status = reply.status};
    if (!reply.body.empty() || reply.status != 200)
      response.fields.add("Content-Type", reply.content_type);
    if (endpoint_.starts_with("/v1/"))
      response.fields.add("X-Consul-Default-ACL-Policy", "allow");
    for (auto& [name, value] : reply.fields)
      response.fields.add(name, value);
    response.body = std::move(reply.body);
    exit.respond(std::move(response));
  }
  /// Nobody waits any more: lets go of what the answer would have needed.
  void drop() { take(); }
  void on_disconnect(std::function<void()> callback) const {
    if (exit_.on_disconnect)
      exit_.on_disconnect(std::move(callback));
  }

private:
  HttpApi::Exit take() {
    std::lock_guard lock{mutex_};
    return std::exchange(exit_, {});
  }
  std::mutex mutex_;
  HttpApi::Exit exit_;
  const std::shared_ptr<Metrics> metrics_;
  const std::string endpoint_, method_;
};
using AnsweringPtr = std::shared_ptr<Answering>;

/// The head fields of an answer that can be waited for. Nothing at all is shown as index 1, as at
/// Consul; revision 1 is the agent's own registration, made before it serves, so nobody waits for
/// it.
void add_index(Reply& reply, catalog::Revision index, const std::string& consistency) {
  reply.fields.insert(reply.fields.end(),
                      {{"X-Consul-Index", std::to_string(std::max<catalog::Revision>(index, 1))},
                       {"X-Consul-KnownLeader", "true"},
                       {"X-Consul-LastContact", "0"},
                       {"X-Consul-Effective-Consistency", consistency},
                       {"X-Consul-Query-Backend", "blocking-query"}});
}

void make_pretty(Reply& reply) {
  if (reply.content_type == json_type && !reply.body.empty())
    reply.body = pretty_json(reply.body);
}

std::string_view name_of(const catalog::Command& command) {
  constexpr std::array names{"put",           "remove",         "register",       "deregister",
                             "report_check",  "import",         "import_list",    "import_trust",
                             "write_peering", "report_peering", "forget_peering", "write_authority",
                             "write_key_set", "keep_route",     "report_status"};
  static_assert(names.size() == std::variant_size_v<catalog::Command>);
  return names.at(command.index());
}

bool printable(std::string_view path) {
  return std::none_of(path.begin(), path.end(),
                      [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

/// Methods as labels of metrics: clients may send any.
std::string label_of(const std::string& method) {
  for (auto* known : {"GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH"})
    if (method == known)
      return method;
  return "other";
}

} // namespace

struct HttpApi::State {
  HttpApiContext context;
  Router router;
  std::minstd_rand random{std::random_device{}()};

  explicit State(HttpApiContext c) : context{std::move(c)} {
    add_catalog_endpoints(router);
    add_health_endpoints(router);
    add_agent_endpoints(router);
    add_agent_check_endpoints(router, context.report_ttl);
    add_config_endpoints(router);
    add_peering_endpoints(router, context.peering);
    add_object_endpoints(router);
    add_gateway_endpoints(router, {context.root, context.limits.report_wait_max, context.metrics,
                                   context.feed_elsewhere});
    add_status_endpoints(router);
  }

  std::size_t body_max(std::string_view pattern) const {
    return pattern.starts_with("/strait/") ? context.limits.documents_bytes_max
                                           : context.limits.body_bytes_max;
  }

  void serve(net::HttpRequest request, Exit exit);
  void carry_out(const AnsweringPtr& answering, const Call& call, const QueryOptions& options,
                 Outcome outcome);
  void read(const AnsweringPtr& answering, const Call& call, const QueryOptions& options,
            const Read& read);
  void wait(const AnsweringPtr& answering, const Call& call, const QueryOptions& options,
            const Read& read, catalog::Revision min_index);
  void write(const AnsweringPtr& answering, const Write& write);
};

void HttpApi::State::serve(net::HttpRequest request, Exit exit) {
  auto match = router.find(request.method, request.path());
  auto answering =
      std::make_shared<Answering>(std::move(exit), context.metrics,
                                  match ? match->pattern : "unknown", label_of(request.method));
  Call call{.method = request.method,
            .path = net::percent_decode(request.path()),
            .parameters = Parameters{net::parse_query(request.query())},
            .content_type = std::string{request.fields.get("Content-Type")}};
  if (!printable(call.path))
    return answering->reply(text_reply(400, "Invalid URL path: it has control characters"));
  if (!match)
    return answering->reply(
        text_reply(404, "Invalid URL path: not a recognized HTTP API endpoint"));
  if (request.method == "OPTIONS")
    return answering->reply({200, "", text_type, {{"Allow", match->allow}}});
  if (!match->endpoint) {
    auto refusal = text_reply(405, fmt::format("method {} not allowed", request.method));
    refusal.fields.emplace_back("Allow", match->allow);
    return answering->reply(std::move(refusal));
  }
  if (auto max = body_max(match->pattern); request.body.size() > max)
    return answering->reply(
        text_reply(413, fmt::format("Request body({} bytes) too large, max size: {} bytes.",
                                    request.body.size(), max)));
  auto options = read_options(
      call.parameters, context.self,
      [&](std::string_view name) { return request.fields.get(name); }, context.limits.query);
  if (!options)
    return answering->reply(options.error());
  call.parts = std::move(match->parts);
  call.body = std::move(request.body);
  Surroundings at{context.self, context.view->load(), now_wall()};
  carry_out(answering, call, *options, (*match->endpoint)(at, call));
}

void HttpApi::State::carry_out(const AnsweringPtr& answering, const Call& call,
                               const QueryOptions& options, Outcome outcome) {
  auto finish = [answering, pretty = options.pretty](Reply reply) {
    if (pretty)
      make_pretty(reply);
    answering->reply(std::move(reply));
  };
  std::visit(overload{[&](Reply& reply) { finish(std::move(reply)); },
                      [&](Read& it) { read(answering, call, options, it); },
                      [&](Write& it) { write(answering, it); },
                      [&](Later& it) { it.start(finish); }},
             outcome);
}

void HttpApi::State::read(const AnsweringPtr& answering, const Call& call,
                          const QueryOptions& options, const Read& read) {
  auto view = context.view->load();
  auto index = std::max<catalog::Revision>(read.index(*view), 1);
  auto min_index = read.min_index > 0 ? read.min_index : options.index;
  if (min_index > 0 && index <= min_index)
    return wait(answering, call, options, read, min_index);
  context.metrics->count_evaluation();
  auto reply = read.answer(*view);
  if (options.pretty)
    make_pretty(reply);
  add_index(reply, index, options.consistency);
  answering->reply(std::move(reply));
}

void HttpApi::State::wait(const AnsweringPtr& answering, const Call& call,
                          const QueryOptions& options, const Read& read,
                          catalog::Revision min_index) {
  auto query = std::make_shared<actors::Query>();
  query->key = query_key(call);
  query->evaluate = [read, pretty = options.pretty,
                     metrics = context.metrics](const catalog::View& view) {
    metrics->count_evaluation();
    auto reply = read.answer(view);
    if (pretty)
      make_pretty(reply);
    return actors::Answer{std::max<catalog::Revision>(read.index(view), 1), reply.status,
                          std::move(reply.body), std::move(reply.content_type)};
  };
  query->topics = read.topics;
  query->min_index = min_index;
  query->wait = options.wait;
  if (auto divisor = context.limits.wait_jitter_divisor; divisor > 0)
    query->wait += Millis{static_cast<Millis::rep>(
        std::uniform_int_distribution<std::int64_t>{0, options.wait.count() / divisor}(random))};
  // A hash to wait by stands in the head of the answer, which queries do not carry.
  auto again = read.min_index > 0 ? read.answer : nullptr;
  query->reply = [answering, again, consistency = options.consistency,
                  views = context.view](const actors::AnswerPtr& answer) {
    auto reply = again ? again(*views->load())
                       : Reply{answer->status, answer->body, answer->content_type, {}};
    add_index(reply, answer->index, consistency);
    answering->reply(std::move(reply));
  };
  actors::QueryPtr waiting = query;
  answering->on_disconnect([weak = std::weak_ptr{waiting}, queries = context.queries,
                            weak_answering = std::weak_ptr{answering}] {
    if (auto it = weak.lock())
      caf::anon_send(queries, actors::cancel_atom::value, it);
    if (auto it = weak_answering.lock())
      it->drop();
  });
  caf::anon_send(context.queries, actors::query_atom::value, waiting);
}

void HttpApi::State::write(const AnsweringPtr& answering, const Write& write) {
  // The replies of one command actor come one after the other.
  struct Sent {
    Write::Results results;
    std::size_t open = 0;
  };
  auto sent = std::make_shared<Sent>();
  sent->open = write.commands.size();
  sent->results.resize(write.commands.size());
  for (std::size_t i = 0; i < write.commands.size(); ++i)
    caf::anon_send(context.commands, actors::apply_atom::value, write.commands[i],
                   std::function<void(const actors::Applied&)>{
                       [=, reply = write.reply, views = context.view, metrics = context.metrics,
                        name = name_of(write.commands[i])](const actors::Applied& applied) {
                         auto& result = applied.revision;
                         metrics->count_command(name,
                                                result ? "ok" : to_string(result.error().code));
                         sent->results[i] = result;
                         if (--sent->open == 0)
                           answering->reply(reply(sent->results, *views->load()));
                       }});
}

HttpApi::HttpApi(HttpApiContext context) : state_{std::make_unique<State>(std::move(context))} {}
HttpApi::~HttpApi() = default;

void HttpApi::serve(net::HttpRequest request, Exit exit) {
  state_->serve(std::move(request), std::move(exit));
}

void HttpApi::handle(net::HttpRequest request, const net::HttpPeer&, net::HttpResponder responder) {
  serve(std::move(request),
        {[responder](net::HttpResponse response) { responder.respond(std::move(response)); },
         [responder](std::function<void()> callback) {
           responder.on_disconnect(std::move(callback));
         }});
}

} // namespace strait::api
