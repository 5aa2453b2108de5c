// strait-demo-backend: a service of the demo. Over HTTP it says who it is and what it was asked;
// over TCP it greets by its name and sends back what comes.
#include "net/http_server.hpp"
#include "net/socket.hpp"

#include <fmt/format.h>

#include <array>
#include <atomic>
#include <cstring>
#include <iostream>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace {

using namespace strait;

constexpr int tcp_connections_max = 64;

struct Options {
  std::string name = "backend", datacenter = "dc1", bind = "127.0.0.1";
  int http = 0, tcp = 0;
};

constexpr const char* usage =
    "usage: strait-demo-backend --name NAME [--datacenter DC] [--bind IP] [--http PORT] "
    "[--tcp PORT]\n"
    "\n"
    "  strait-demo-backend --name web-1 --http 7001     answers {\"service\":\"web-1\",…}\n"
    "  strait-demo-backend --name echo-1 --tcp 7002     greets and sends back what comes\n";

std::optional<Options> parse(int count, char** arguments) {
  Options out;
  for (int i = 1; i < count; i += 2) {
    std::string_view name = arguments[i];
    if (i + 1 == count)
      return {};
    const char* value = arguments[i + 1];
    if (name == "--name")
      out.name = value;
    else if (name == "--datacenter")
      out.datacenter = value;
    else if (name == "--bind")
      out.bind = value;
    else if (name == "--http")
      out.http = std::atoi(value);
    else if (name == "--tcp")
      out.tcp = std::atoi(value);
    else
      return {};
  }
  auto is_port = [](int port) { return port >= 0 && port <= 65535; };
  if (!is_port(out.http) || !is_port(out.tcp) || (out.http == 0 && out.tcp == 0))
    return {};
  return out;
}

/// In JSON's quotes; what was sent may hold anything.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\')
      (out += '\\') += c;
    else if (static_cast<unsigned char>(c) < 0x20)
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    else
      out += c;
  }
  return out + '"';
}

net::HttpResponse answer(const Options& options, const net::HttpRequest& request) {
  std::string headers;
  for (const auto& [name, value] : request.fields)
    headers += fmt::format("{}{}:{}", headers.empty() ? "" : ",", quoted(name), quoted(value));
  return {200,
          {{"Content-Type", "application/json"}, {"X-Served-By", options.name}},
          fmt::format(R"({{"service":{},"datacenter":{},"method":{},"path":{},"headers":{{{}}}}})"
                      "\n",
                      quoted(options.name), quoted(options.datacenter), quoted(request.method),
                      quoted(request.target), headers)};
}

bool send_all(int connection, std::string_view bytes) {
  while (!bytes.empty()) {
    auto sent = ::send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0)
      return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void echo(int connection, const Options& options) {
  std::array<char, 4096> buffer{};
  bool open =
      send_all(connection, fmt::format("hello from {} ({})\n", options.name, options.datacenter));
  while (open) {
    auto got = ::recv(connection, buffer.data(), buffer.size(), 0);
    open = got > 0 && send_all(connection, {buffer.data(), static_cast<std::size_t>(got)});
  }
  ::close(connection);
}

/// Does not return unless the port is taken.
void serve_tcp(const Options& options, const net::Address& address) {
  int listener = ::socket(address.is_ipv6() ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int on = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(listener, address.data(), address.size()) != 0 || ::listen(listener, 64) != 0) {
    std::cerr << address.to_string() << ": " << std::strerror(errno) << "\n";
    std::exit(1);
  }
  std::atomic<int> connections{0};
  while (true) {
    int connection = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0)
      continue;
    if (connections >= tcp_connections_max) {
      ::close(connection);
      continue;
    }
    ++connections;
    std::thread{[connection, &options, &connections] {
      echo(connection, options);
      --connections;
    }}.detach();
  }
}

int serve_http(const Options& options, const net::Address& address) {
  auto loop = net::EventLoop::create();
  if (!loop) {
    std::cerr << loop.error().detail << "\n";
    return 1;
  }
  net::HttpServer server{
      **loop,
      {},
      [&](net::HttpRequest request, const net::HttpPeer&, net::HttpResponder responder) {
        responder.respond(answer(options, request));
      }};
  if (auto bound = server.listen(address); !bound) {
    std::cerr << bound.error().detail << "\n";
    return 1;
  }
  (*loop)->run();
  return 0;
}

} // namespace

int main(int count, char** arguments) {
  auto options = parse(count, arguments);
  auto ip = options ? net::Address::from_ip(options->bind, 0) : fail(Errc::invalid, "usage");
  if (!ip) {
    std::cerr << usage;
    return 2;
  }
  auto port = [&](int number) { return ip->with_port(static_cast<std::uint16_t>(number)); };
  if (options->http == 0)
    serve_tcp(*options, port(options->tcp));
  if (options->tcp != 0)
    std::thread{[&] { serve_tcp(*options, port(options->tcp)); }}.detach();
  return serve_http(*options, port(options->http));
}
