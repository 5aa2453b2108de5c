#include "gateway/proxy/proxy_tls_fixture.test.hpp"

#include <array>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace strait::gateway::proxy::testing {

namespace {

net::Fd unblocked(int fd) {
  ::fcntl(fd, F_SETFL, O_NONBLOCK);
  return net::Fd{fd};
}

std::shared_ptr<const net::TlsServerContext> made(net::TlsServerOptions options) {
  auto context = net::TlsServerContext::create(std::move(options));
  if (!context)
    throw std::runtime_error(context.error().detail);
  return *context;
}

} // namespace

TlsWire::TlsWire(std::uint16_t port, const std::string& sni, net::TlsClientOptions options) {
  auto wire = Wire::dial(port);
  auto context = net::TlsClientContext::create(std::move(options));
  if (!context)
    throw std::runtime_error(context.error().detail);
  stream_ =
      std::move(*net::TlsStream::client(unblocked(wire.release().first), *context, {.sni = sni}));
  shake();
}

TlsWire::TlsWire(Wire& accepted, std::shared_ptr<const net::TlsServerContext> context) {
  auto [fd, lent] = accepted.release();
  stream_ = std::move(*net::TlsStream::server(unblocked(fd), std::move(context)));
  lent_ = std::move(lent);
  shake();
}

template <class Step>
net::IoResult TlsWire::patiently(Step step) {
  for (;;) {
    const auto result = step();
    if (result.state != net::Io::want_read && result.state != net::Io::want_write)
      return result;
    pollfd wait{stream_->fd(),
                static_cast<short>(result.state == net::Io::want_read ? POLLIN : POLLOUT), 0};
    if (::poll(&wait, 1, 10'000) <= 0)
      return {net::Io::failed, 0};
  }
}

void TlsWire::shake() {
  ok_ = patiently([&] { return stream_->handshake(); }).state == net::Io::ok;
}

bool TlsWire::send(std::string text) {
  while (!text.empty()) {
    const std::array slices{iovec{text.data(), text.size()}};
    const auto written = patiently([&] { return stream_->write_some(slices); });
    if (written.state != net::Io::ok)
      return false;
    text.erase(0, written.bytes);
  }
  return true;
}

std::string TlsWire::some() {
  std::array<char, 16384> space;
  const auto read = patiently([&] { return stream_->read_some(space); });
  return read.state == net::Io::ok ? std::string{space.data(), read.bytes} : std::string{};
}

std::string TlsWire::rest() {
  std::string all;
  for (auto more = some(); !more.empty(); more = some())
    all += more;
  return all;
}

std::string TlsWire::head() {
  std::string head;
  while (head.find("\r\n\r\n") == std::string::npos) {
    const auto more = some();
    if (more.empty())
      return {};
    head += more;
  }
  return head;
}

net::TlsClientOptions trusting(const Authority& authority) {
  net::TlsClientOptions options;
  options.ca_pem = authority.root.certificate;
  return options;
}

std::shared_ptr<const net::TlsCertificate> loaded(const Certificate& certificate) {
  auto read = net::TlsCertificate::from_pem(certificate.chain_pem, certificate.key_pem);
  if (!read)
    throw std::runtime_error(read.error().detail);
  return *read;
}

net::TlsClientOptions presenting(const Authority& authority, const Certificate& ours) {
  auto options = trusting(authority);
  options.certificate = loaded(ours);
  return options;
}

std::string first_dns_name(TlsWire& wire) {
  const auto names = wire.stream().peer().dns_names;
  return names.empty() ? std::string{} : names.front();
}

Listener https(std::string name, std::uint16_t port, std::string hostname,
               std::vector<std::string> certificates) {
  Listener made{.name = std::move(name), .address = "127.0.0.1", .port = port};
  made.protocol = Protocol::https;
  made.hostname = std::move(hostname);
  made.tls.certificates = std::move(certificates);
  return made;
}

TlsBackend::TlsBackend(std::string name, net::TlsServerOptions options)
    : context{made(std::move(options))}, backend{[this, name](Wire& wire, Backend& self) {
        TlsWire tls{wire, context};
        if (!tls.ok()) {
          ++refused;
          return;
        }
        const auto client = tls.stream().peer().dns_names;
        const auto body = name + " sni=" + std::string{tls.stream().sni()} +
                          " alpn=" + std::string{tls.stream().alpn()} +
                          " client=" + (client.empty() ? "none" : client.front());
        while (!tls.head().empty()) {
          ++self.requests;
          if (!tls.send("HTTP/1.1 200 OK\r\ncontent-length: " + std::to_string(body.size()) +
                        "\r\n\r\n" + body))
            return;
        }
      }} {}

} // namespace strait::gateway::proxy::testing
