#include "net/http_client.hpp"

#include "net/http1_body.hpp"
#include "net/http1_parser.hpp"
#include "net/http1_writer.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <netdb.h>
#include <poll.h>
#include <utility>

namespace strait::net {

namespace {

Result<std::vector<Address>> addresses_of(const std::string& host, std::uint16_t port) {
  if (auto literal = Address::from_ip(host, port))
    return std::vector{*literal};
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  if (int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &found); error != 0)
    return fail(Errc::unavailable, "{}: {}", host, ::gai_strerror(error));
  std::vector<Address> out;
  for (auto* info = found; info; info = info->ai_next)
    out.push_back(Address::from_sockaddr(info->ai_addr, info->ai_addrlen).with_port(port));
  ::freeaddrinfo(found);
  return out;
}

} // namespace

struct HttpClient::Session {
  HttpClientOptions options;
  bool tls = false;
  std::string host, authority;
  std::uint16_t port = 0;
  std::shared_ptr<const TlsClientContext> context;
  std::unique_ptr<Stream> stream;
  std::string in; // Read and not yet consumed.
  Instant deadline{};

  Result<HttpResponse> send_once(const HttpRequest& request, bool& unanswered);
  Status connect();
  Status wait(int fd, Io want, std::string_view what);
  Status write_all(std::string_view bytes);
  Result<bool> read_more(); // False: the server ended its side.
  Result<HttpResponse> read_response(const HttpRequest& request, bool& unanswered);
};

Result<HttpClient> HttpClient::create(std::string_view url, HttpClientOptions options) {
  auto session = std::make_unique<Session>();
  auto rest = url;
  if (rest.substr(0, 8) == "https://") {
    session->tls = true;
    rest.remove_prefix(8);
  } else if (rest.substr(0, 7) == "http://") {
    rest.remove_prefix(7);
  } else if (rest.find("://") != std::string_view::npos) {
    return fail(Errc::invalid, "\"{}\": expected http:// or https://", url);
  }
  if (!rest.empty() && rest.back() == '/')
    rest.remove_suffix(1);
  auto split = split_host_port(rest);
  if (!split)
    return fail(split.error());
  if (split->host.empty() || split->host.find_first_of("/?# @") != std::string::npos)
    return fail(Errc::invalid, "\"{}\": expected http://HOST:PORT without a path", url);
  session->host = split->host;
  session->port = split->port ? split->port : session->tls ? 443 : 80;
  session->authority = rest;
  if (session->tls) {
    auto context = TlsClientContext::create({.ca_pem = options.ca_pem,
                                             .system_roots = options.ca_pem.empty(),
                                             .insecure = options.insecure,
                                             .certificate = options.certificate,
                                             .alpn = {"http/1.1"}});
    if (!context)
      return fail(context.error());
    session->context = *context;
  }
  session->options = std::move(options);
  return HttpClient{std::move(session)};
}

HttpClient::HttpClient(std::unique_ptr<Session> session) : session_{std::move(session)} {}
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;
HttpClient::~HttpClient() = default;

Result<HttpResponse> HttpClient::send(const HttpRequest& request) {
  auto& session = *session_;
  session.deadline = now_instant() + session.options.timeout;
  bool kept = session.stream != nullptr, unanswered = false;
  auto response = session.send_once(request, unanswered);
  bool idempotent = request.method != "POST" && request.method != "PATCH";
  // A kept connection may have been closed while this request was on its way.
  if (!response && kept && unanswered && idempotent)
    response = session.send_once(request, unanswered);
  return response;
}

Status HttpClient::Session::wait(int fd, Io want, std::string_view what) {
  auto left = deadline - now_instant();
  pollfd poll{fd, static_cast<short>(want == Io::want_write ? POLLOUT : POLLIN), 0};
  if (left <= Millis{0} || ::poll(&poll, 1, static_cast<int>(left.count())) == 0)
    return fail(Errc::unavailable, "{}: timed out {}", authority, what);
  return {};
}

Status HttpClient::Session::connect() {
  auto addresses = addresses_of(host, port);
  if (!addresses)
    return fail(addresses.error());
  Status last = fail(Errc::unavailable, "{}: no address", host);
  auto request_deadline = deadline;
  for (const auto& address : *addresses) {
    deadline = std::min(request_deadline, now_instant() + options.connect_timeout);
    auto fd = connect_tcp(address);
    if (!fd) {
      last = fail(fd.error());
      continue;
    }
    last = wait(fd->get(), Io::want_write, "connecting");
    if (last)
      last = connect_outcome(*fd, address);
    if (!last)
      continue;
    if (!tls) {
      stream = std::make_unique<TcpStream>(std::move(*fd));
    } else {
      bool literal = Address::from_ip(host, port).has_value();
      auto made = TlsStream::client(
          std::move(*fd), context,
          {.sni = literal ? "" : host, .host = options.insecure ? "" : host, .spiffe_id = {}});
      if (!made)
        return fail(made.error());
      stream = std::move(*made);
      for (auto result = stream->handshake(); last && result.state != Io::ok;
           result = stream->handshake()) {
        if (result.state == Io::failed || result.state == Io::closed)
          last = fail(Errc::unavailable, "{}: TLS handshake: {}", authority, stream->failure());
        else
          last = wait(stream->fd(), result.state, "in the TLS handshake");
        if (!last)
          break;
      }
      if (!last)
        stream.reset();
    }
    break;
  }
  deadline = request_deadline;
  return last;
}

Status HttpClient::Session::write_all(std::string_view bytes) {
  while (!bytes.empty()) {
    std::array slice{iovec{const_cast<char*>(bytes.data()), bytes.size()}};
    auto result = stream->write_some(slice);
    if (result.state == Io::ok)
      bytes.remove_prefix(result.bytes);
    else if (result.state == Io::failed || result.state == Io::closed)
      return fail(Errc::unavailable, "{}: connection lost: {}", authority, stream->failure());
    else if (auto waited = wait(stream->fd(), result.state, "sending the request"); !waited)
      return waited;
  }
  return {};
}

Result<bool> HttpClient::Session::read_more() {
  std::array<char, 16 * 1024> space;
  for (;;) {
    auto result = stream->read_some(space);
    if (result.state == Io::ok) {
      in.append(space.data(), result.bytes);
      return true;
    }
    if (result.state == Io::closed)
      return false;
    if (result.state == Io::failed)
      return fail(Errc::unavailable, "{}: connection lost: {}", authority, stream->failure());
    if (auto waited = wait(stream->fd(), result.state, "waiting for the answer"); !waited)
      return fail(waited.error());
  }
}

Result<HttpResponse> HttpClient::Session::send_once(const HttpRequest& request, bool& unanswered) {
  unanswered = false;
  if (!stream) {
    in.clear();
    if (auto connected = connect(); !connected)
      return fail(connected.error());
  }
  std::string out;
  http1::HeadWriter head{out};
  head.request(request.method, request.target);
  if (!request.fields.find("Host"))
    head.field("Host", authority);
  for (const auto& [name, value] : request.fields)
    if (http1::header_id(name) != http1::HeaderId::content_length &&
        http1::header_id(name) != http1::HeaderId::transfer_encoding)
      head.field(name, value);
  if (!request.body.empty() || request.method == "PUT" || request.method == "POST")
    head.field("Content-Length", request.body.size());
  head.end();
  if (!head.ok())
    return fail(Errc::invalid, "request {} {}: method, target or a header holds what it must not",
                request.method, request.target);
  out += request.body;
  // A server that refuses may answer and close before it took everything: its answer counts.
  auto written = write_all(out);
  auto response = read_response(request, unanswered);
  if (!response)
    stream.reset();
  if (!response && !written)
    return fail(written.error());
  return response;
}

Result<HttpResponse> HttpClient::Session::read_response(const HttpRequest& request,
                                                        bool& unanswered) {
  auto corrupt = [&](http1::ParseError error) {
    return fail(Errc::corrupt, "{}: the answer is not HTTP: {}", authority,
                http1::to_string(error));
  };
  unanswered = in.empty();
  http1::ResponseParser parser{options.limits};
  for (;;) {
    auto progress = parser.parse(in, request.method == "HEAD" ? http1::ResponseTo::head
                                                              : http1::ResponseTo::other);
    if (progress == http1::Progress::failed)
      return corrupt(parser.error());
    if (progress == http1::Progress::done) {
      if (!parser.head().interim())
        break;
      in.erase(0, parser.head().bytes());
      parser.reset();
      continue;
    }
    auto more = read_more();
    if (!more)
      return fail(more.error());
    if (!*more)
      return fail(Errc::unavailable, "{}: the server closed the connection without an answer",
                  authority);
    unanswered = false;
  }
  const auto& head = parser.head();
  HttpResponse response;
  response.status = head.status();
  for (const auto& field : head.fields())
    response.fields.add(std::string{head.name(field)}, std::string{head.value(field)});
  bool keep = head.keep_alive();
  http1::BodyReader body{options.limits};
  body.start(head);
  in.erase(0, head.bytes());
  for (;;) {
    auto step = body.next(in);
    if (response.body.size() + step.payload.size() > options.body_bytes_max)
      return fail(Errc::exhausted, "{}: the answer has more than {} bytes", authority,
                  options.body_bytes_max);
    response.body += step.payload;
    in.erase(0, step.consumed);
    if (step.state == http1::BodyStep::State::done)
      break;
    if (step.state == http1::BodyStep::State::failed)
      return corrupt(body.error());
    if (step.state == http1::BodyStep::State::data)
      continue;
    auto more = read_more();
    if (!more)
      return fail(more.error());
    if (!*more) {
      if (!body.finish_at_close())
        return fail(Errc::unavailable, "{}: the connection ended within the answer", authority);
      break;
    }
  }
  if (!keep)
    stream.reset();
  return response;
}

} // namespace strait::net
