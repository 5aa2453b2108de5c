#include "api/peering_endpoints.hpp"

#include "api/consul_bodies.hpp"
#include "api/consul_json.hpp"
#include "base/ascii.hpp"
#include "peering/names.hpp"

/// Reference/consul §1.15. Reading comes from the view, so that it can be waited for.
namespace strait::api {

namespace {

using catalog::View;
using model::Kind;
using HandlerPtr = std::shared_ptr<peering::PeeringHandler>;

Outcome token(const HandlerPtr& handler, const Call& call) {
  auto body = decode_peering_token(call.body);
  if (!body)
    return text_reply(400, body.error().detail);
  return Later{[handler, body = *body](const std::function<void(Reply)>& reply) {
    peering::GenerateTokenRequest request{.peer_name = body.peer_name,
                                          .meta = body.meta,
                                          .server_external_addresses =
                                              body.server_external_addresses};
    handler->generate_token(std::move(request), [reply](const Result<std::string>& made) {
      if (!made)
        return reply(consul_error(made.error()));
      JsonWriter json;
      json.begin_object().text("PeeringToken", *made).end_object();
      reply(Reply{200, json.take()});
    });
  }};
}

Outcome establish(const HandlerPtr& handler, const Call& call) {
  auto body = decode_peering_establish(call.body);
  if (!body)
    return text_reply(400, body.error().detail);
  return Later{[handler, body = *body](const std::function<void(Reply)>& reply) {
    handler->establish(
        {.peer_name = body.peer_name, .peering_token = body.peering_token, .meta = body.meta},
        [reply](const Status& done) {
          reply(done ? Reply{200, "{}"} : consul_error(done.error()));
        });
  }};
}

Outcome remove(const HandlerPtr& handler, const Call& call) {
  auto name = call.parts.at(0);
  if (name.empty())
    return text_reply(400, "Must specify a name to delete.");
  return Later{[=](const std::function<void(Reply)>& reply) {
    handler->remove(name, [reply](const Status& done) {
      reply(done ? Reply{200, ""} : consul_error(done.error()));
    });
  }};
}

Outcome read(const HandlerPtr&, const Call& call) {
  auto name = call.parts.at(0);
  if (name.empty())
    return text_reply(400, "Must specify a name to fetch.");
  auto answer = [name](const View& view) {
    auto peering = peering::read_peering(view, name);
    if (!peering)
      return peering.error().code == Errc::not_found ? text_reply(404, peering.error().detail)
                                                     : consul_error(peering.error());
    JsonWriter json;
    write_peering(json, **peering);
    return Reply{200, json.take()};
  };
  auto key = ascii_lower(name);
  auto index = [key](const View& view) {
    auto record = view.record<model::Peering>({"", key});
    return record ? record->modified : view.kind_revision(Kind::peering);
  };
  return Read{index, answer, {{Kind::peering, {"", key}}}};
}

Outcome list(const HandlerPtr&, const Call&) {
  auto answer = [](const View& view) {
    JsonWriter json;
    json.begin_array();
    for (auto& peering : peering::list_peerings(view))
      write_peering(json, *peering);
    return Reply{200, json.end_array().take()};
  };
  return Read{[](const View& view) { return view.kind_revision(Kind::peering); },
              answer,
              {{Kind::peering, {}}}};
}

} // namespace

void add_peering_endpoints(Router& router, std::shared_ptr<peering::PeeringHandler> handler) {
  auto add = [&](std::string_view method, std::string_view pattern, auto endpoint) {
    router.add(method, pattern, [=](const Surroundings&, const Call& call) -> Outcome {
      if (!handler)
        return text_reply(500, "peering must be enabled to use this endpoint");
      return endpoint(handler, call);
    });
  };
  add("POST", "/v1/peering/token", token);
  add("POST", "/v1/peering/establish", establish);
  add("GET", "/v1/peering/:name", read);
  add("DELETE", "/v1/peering/:name", remove);
  add("GET", "/v1/peerings", list);
}

} // namespace strait::api
