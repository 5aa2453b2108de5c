// What a proxy costs that does nothing: it joins each client connection to one of its own to the
// backend and copies bytes, without looking at them. One thread, epoll, two receives and two sends
// for a request and its answer. No HTTP proxy on sockets can cost less, so this is the floor that a
// benchmark's figures are read against.
//
//   null_proxy LISTEN-PORT BACKEND-PORT      both on 127.0.0.1; runs until killed
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace {

constexpr std::size_t buffer_bytes = 16 * 1024; // One read; longer bodies take several.
constexpr int events_max = 256;
constexpr int backlog = 4096;

[[noreturn]] void die(const char* what) {
  std::fprintf(stderr, "null_proxy: %s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int tcp_socket() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    die("socket");
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  return fd;
}

int listen_on(std::uint16_t port) {
  const int fd = tcp_socket();
  const auto address = loopback(port);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(fd, backlog) != 0)
    die("listen");
  return fd;
}

class NullProxy {
public:
  NullProxy(std::uint16_t listen_port, std::uint16_t backend_port)
      : backend_{loopback(backend_port)}, listener_{listen_on(listen_port)}, epoll_{epoll_create1(
                                                                                 EPOLL_CLOEXEC)} {
    watch(listener_);
  }

  [[noreturn]] void run() {
    std::array<epoll_event, events_max> events;
    for (;;) {
      const int count = epoll_wait(epoll_, events.data(), events_max, -1);
      if (count < 0 && errno != EINTR)
        die("epoll_wait");
      for (int i = 0; i < count; ++i) {
        const int fd = events[static_cast<std::size_t>(i)].data.fd;
        if (fd == listener_)
          accept_one();
        else if (partner(fd) >= 0) // Its partner may have closed it in this very round.
          copy(fd);
      }
    }
  }

private:
  int& partner(int fd) {
    const auto index = static_cast<std::size_t>(fd);
    if (index >= partners_.size())
      partners_.resize(index + 1, -1);
    return partners_[index];
  }

  void watch(int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0)
      die("epoll_ctl");
  }

  void accept_one() {
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0)
      return;
    const int on = 1;
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const int server = tcp_socket();
    if (connect(server, reinterpret_cast<const sockaddr*>(&backend_), sizeof backend_) != 0) {
      close(client);
      close(server);
      return;
    }
    partner(client) = server;
    partner(server) = client;
    watch(client);
    watch(server);
  }

  // Both sockets block: a send that does not fit waits, which small messages never do.
  void copy(int from) {
    const int to = partner(from);
    const auto received = recv(from, buffer_.data(), buffer_.size(), 0);
    if (received <= 0)
      return close_both(from);
    for (std::size_t sent = 0; sent < static_cast<std::size_t>(received);) {
      const auto now =
          send(to, buffer_.data() + sent, static_cast<std::size_t>(received) - sent, MSG_NOSIGNAL);
      if (now <= 0)
        return close_both(from);
      sent += static_cast<std::size_t>(now);
    }
  }

  void close_both(int fd) {
    const int other = partner(fd);
    partner(fd) = partner(other) = -1;
    close(fd);
    close(other);
  }

  sockaddr_in backend_;
  int listener_;
  int epoll_;
  std::vector<int> partners_; // By descriptor; -1 for none.
  std::array<char, buffer_bytes> buffer_;
};

std::uint16_t port_argument(const char* text) {
  const long port = std::strtol(text, nullptr, 10);
  if (port < 1 || port > 65535) {
    std::fprintf(stderr, "null_proxy: \"%s\" is not a port\n", text);
    std::exit(2);
  }
  return static_cast<std::uint16_t>(port);
}

} // namespace

int main(int count, char** arguments) {
  if (count != 3) {
    std::fprintf(stderr, "usage: null_proxy LISTEN-PORT BACKEND-PORT\n");
    return 2;
  }
  NullProxy{port_argument(arguments[1]), port_argument(arguments[2])}.run();
}
