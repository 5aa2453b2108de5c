#include "gateway/proxy/status_port.hpp"

namespace strait::gateway::proxy {

Result<std::unique_ptr<net::HttpThread>>
open_status_port(StatusPortOptions options, std::function<net::HttpResponse()> answer) {
  return open_status_port(
      std::move(options),
      net::HttpServer::Handler{
          [answer = std::move(answer)](const net::HttpRequest&, const net::HttpPeer&,
                                       const net::HttpResponder& to) { to.respond(answer()); }});
}

Result<std::unique_ptr<net::HttpThread>> open_status_port(StatusPortOptions options,
                                                          net::HttpServer::Handler answer) {
  auto where = net::Address::from_ip(options.address, options.port);
  if (!where)
    return fail(Errc::invalid, "{}: {}", options.what, where.error().detail);
  auto opened =
      net::HttpThread::start(*where, [answer = std::move(answer), path = std::move(options.path)](
                                         net::HttpRequest request, const net::HttpPeer& peer,
                                         net::HttpResponder responder) {
        if (request.path() != path)
          return responder.respond(
              {404, {{"content-type", "text/plain"}}, "only " + path + " is here\n"});
        if (request.method != "GET" && request.method != "HEAD")
          return responder.respond(
              {405, {{"content-type", "text/plain"}, {"allow", "GET, HEAD"}}, "GET only\n"});
        answer(std::move(request), peer, std::move(responder));
      });
  if (!opened)
    return fail(opened.error().code, "{}: {}", options.what, opened.error().detail);
  return opened;
}

net::HttpResponse readiness(bool ready) {
  return {ready ? 200 : 503, {{"content-type", "text/plain"}}, ready ? "ready\n" : "not ready\n"};
}

net::HttpResponse prometheus_text(std::string text) {
  return {200, {{"content-type", "text/plain; version=0.0.4"}}, std::move(text)};
}

} // namespace strait::gateway::proxy
