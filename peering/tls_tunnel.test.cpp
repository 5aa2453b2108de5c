#include "peering/tls_tunnel.hpp"

#include "peering/authority.hpp"
#include "peering/x509.hpp"

#include <catch2/catch.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

using namespace strait;
using namespace strait::peering;

namespace {

const std::string td = "11111111-2222-3333-4444-555555555555.consul";
const std::string name = peering_server_name("dc1", td);

/// Serves one connection and answers each byte with itself; speaks no ALPN, like Consul's peering
/// port. A silent one accepts and says nothing.
struct EchoServer {
  model::CertificateAuthority authority = make_authority(td, now_wall()).value();
  int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  std::string address;
  bool silent = false;
  std::thread thread;

  explicit EchoServer(bool quiet = false) : silent{quiet} {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof to;
    REQUIRE(::bind(listener, reinterpret_cast<sockaddr*>(&to), size) == 0);
    REQUIRE(::listen(listener, 4) == 0);
    ::getsockname(listener, reinterpret_cast<sockaddr*>(&to), &size);
    address = "127.0.0.1:" + std::to_string(ntohs(to.sin_port));
    thread = std::thread{[this] { serve(); }};
  }
  ~EchoServer() {
    ::shutdown(listener, SHUT_RDWR);
    thread.join();
    ::close(listener);
  }
  void serve() {
    int fd = ::accept(listener, nullptr, nullptr);
    if (fd < 0)
      return;
    char byte = 0;
    if (silent) {
      while (::recv(fd, &byte, 1, 0) > 0) {
      }
      ::close(fd);
      return;
    }
    auto leaf = issue(authority, server_leaf(td, "dc1"), now_wall()).value();
    auto* context = SSL_CTX_new(TLS_server_method());
    auto certificate = x509::read_certificate(leaf.chain_pem).value();
    auto key = x509::read_key(leaf.key_pem).value();
    SSL_CTX_use_certificate(context, certificate.get());
    SSL_CTX_use_PrivateKey(context, key.get());
    auto* ssl = SSL_new(context);
    SSL_set_fd(ssl, fd);
    char bytes[16384];
    if (SSL_accept(ssl) == 1)
      for (int got; (got = SSL_read(ssl, bytes, sizeof bytes)) > 0;)
        SSL_write(ssl, bytes, got);
    ERR_clear_error();
    SSL_free(ssl);
    SSL_CTX_free(context);
    ::close(fd);
  }
  TunnelOptions options() const {
    return {address, {authority.roots.at(0).certificate_pem}, name, Millis{2000}};
  }
};

/// Everything up to the count, or up to the end.
std::string read_all(int fd, std::size_t count) {
  std::string text;
  while (text.size() < count) {
    pollfd one{fd, POLLIN, 0};
    REQUIRE(::poll(&one, 1, 10'000) == 1);
    char bytes[65536];
    auto got = ::recv(fd, bytes, sizeof bytes, 0);
    if (got <= 0)
      break;
    text.append(bytes, static_cast<std::size_t>(got));
  }
  return text;
}

} // namespace

TEST_CASE("a tunnel carries bytes both ways to a server that answers no ALPN") {
  EchoServer server;
  auto tunnel = TlsTunnel::open(server.options()).value();
  int fd = tunnel->take_socket();
  // More than all buffers between hold, so that each direction has to wait for the other.
  std::string sent;
  for (int i = 0; sent.size() < 4'000'000; ++i)
    sent += std::to_string(i) + ' ';
  std::thread writer{[&] {
    for (std::size_t at = 0; at < sent.size();) {
      pollfd one{fd, POLLOUT, 0};
      ::poll(&one, 1, 10'000);
      auto done = ::send(fd, sent.data() + at, sent.size() - at, MSG_NOSIGNAL);
      if (done > 0)
        at += static_cast<std::size_t>(done);
    }
  }};
  CHECK(read_all(fd, sent.size()) == sent);
  writer.join();
  CHECK(tunnel->failure().empty());
  ::close(fd);
}

TEST_CASE("a tunnel trusts only the given CA and the given name") {
  EchoServer server;
  auto options = server.options();
  SECTION("another CA") {
    options.ca_pems = {make_authority(td, now_wall())->roots.at(0).certificate_pem};
  }
  SECTION("another name") { options.server_name = peering_server_name("dc2", td); }
  auto tunnel = TlsTunnel::open(options).value();
  int fd = tunnel->take_socket();
  CHECK(read_all(fd, 1).empty());
  CHECK(tunnel->distrusted());
  CHECK(tunnel->failure().find("not one of the token's CA") != std::string::npos);
  ::close(fd);
}

TEST_CASE("a tunnel says why there is no connection, and waits only so long") {
  SECTION("nobody listens") {
    std::string address;
    TunnelOptions options;
    {
      EchoServer server;
      options = server.options();
    }
    auto tunnel = TlsTunnel::open(options).value();
    int fd = tunnel->take_socket();
    CHECK(read_all(fd, 1).empty());
    CHECK(tunnel->failure() == "Connection refused");
    CHECK_FALSE(tunnel->distrusted());
    ::close(fd);
  }
  SECTION("the server says nothing") {
    EchoServer server{true};
    auto options = server.options();
    options.connect_timeout = Millis{50};
    auto tunnel = TlsTunnel::open(options).value();
    int fd = tunnel->take_socket();
    CHECK(read_all(fd, 1).empty());
    CHECK(tunnel->failure() == "no TLS handshake within the time limit");
    ::close(fd);
  }
  SECTION("the CA is none") {
    CHECK(TlsTunnel::open({"127.0.0.1:1", {"junk"}, name}).error().code == Errc::invalid);
  }
}
