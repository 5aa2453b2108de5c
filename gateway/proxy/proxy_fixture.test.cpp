#include "gateway/proxy/proxy_fixture.test.hpp"

#include "net/http1_names.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace strait::gateway::proxy::testing {

namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

int bound_socket(std::uint16_t& port, std::uint16_t wanted = 0) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto address = loopback(wanted);
  const int on = 1; // Another one may follow on the same port.
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  socklen_t size = sizeof address;
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error("no port on loopback");
  port = ntohs(address.sin_port);
  return fd;
}

/// Pieces go out as they are sent, so that the proxy meets every split.
void send_at_once(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

} // namespace

Wire Wire::dial(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  timeval patience{10, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  auto address = loopback(port);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    ::close(fd);
    return Wire{-1};
  }
  send_at_once(fd);
  return Wire{fd};
}

bool Wire::send(std::string_view text) {
  while (!text.empty()) {
    const auto sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0)
      return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool Wire::more() {
  char bytes[16384];
  const auto got = ::recv(fd_, bytes, sizeof bytes, 0);
  if (got <= 0)
    return false;
  buffer_.append(bytes, static_cast<std::size_t>(got));
  return true;
}

std::string Wire::head() {
  for (;;) {
    if (auto end = buffer_.find("\r\n\r\n"); end != std::string::npos) {
      auto head = buffer_.substr(0, end + 4);
      buffer_.erase(0, end + 4);
      return head;
    }
    if (!more())
      return {};
  }
}

std::string Wire::exactly(std::size_t bytes) {
  while (buffer_.size() < bytes)
    if (!more())
      break;
  auto text = buffer_.substr(0, bytes);
  buffer_.erase(0, text.size());
  return text;
}

std::string Wire::rest() {
  while (more()) {
  }
  return std::exchange(buffer_, {});
}

std::string Wire::some() {
  if (buffer_.empty())
    more();
  return std::exchange(buffer_, {});
}

bool Wire::ended() {
  if (!buffer_.empty())
    return false;
  char byte;
  return ::recv(fd_, &byte, 1, 0) == 0;
}

std::string Wire::body(const std::string& head) {
  if (const auto length = field_of(head, "content-length"); !length.empty())
    return exactly(std::stoul(length));
  if (field_of(head, "transfer-encoding") != "chunked")
    return {};
  std::string whole;
  for (;;) {
    std::size_t end;
    while ((end = buffer_.find("\r\n")) == std::string::npos)
      if (!more())
        return whole + "<truncated>";
    const auto size = std::stoul(buffer_.substr(0, end), nullptr, 16);
    buffer_.erase(0, end + 2);
    if (size == 0) {
      while (exactly(2) != "\r\n") { // Trailers, byte by byte is too clever: skip their lines.
        while ((end = buffer_.find("\r\n")) == std::string::npos)
          if (!more())
            return whole;
        buffer_.erase(0, end + 2);
      }
      return whole;
    }
    whole += exactly(size);
    exactly(2);
  }
}

void Wire::end_sending() { ::shutdown(fd_, SHUT_WR); }
void Wire::reset() {
  linger hard{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  close();
}
void Wire::close() {
  if (fd_ >= 0 && !backend_)
    ::close(fd_);
  fd_ = -1;
}

std::pair<int, std::shared_ptr<void>> Wire::release() {
  const int fd = std::exchange(fd_, -1);
  auto* backend = backend_;
  if (!backend)
    return {fd, nullptr};
  return {fd, std::shared_ptr<void>{backend,
                                    [fd](void* of) { static_cast<Backend*>(of)->forget(fd); }}};
}

std::string field_of(const std::string& head, std::string_view name) {
  std::size_t line = head.find("\r\n");
  while (line != std::string::npos && line + 2 < head.size()) {
    line += 2;
    const auto end = head.find("\r\n", line);
    if (end == std::string::npos || end == line)
      break; // What follows is content.
    const std::string_view text{head.data() + line, end - line};
    const auto colon = text.find(':');
    if (colon != std::string_view::npos &&
        net::http1::equal_ignoring_case(text.substr(0, colon), name)) {
      auto value = text.substr(colon + 1);
      while (value.starts_with(' '))
        value.remove_prefix(1);
      return std::string{value};
    }
    line = end;
  }
  return {};
}

std::string Answer::field(std::string_view name) const { return field_of(head, name); }

Answer read_answer(Wire& wire, bool head_request) {
  Answer answer;
  answer.head = wire.head();
  if (answer.head.size() > 12)
    answer.status = std::stoi(answer.head.substr(9, 3));
  if (!head_request && answer.status >= 200 && answer.status != 204 && answer.status != 304)
    answer.body = wire.body(answer.head);
  return answer;
}

Answer ask(Wire& wire, std::string_view request) {
  if (!wire.ok() || !wire.send(request))
    return {};
  return read_answer(wire, request.starts_with("HEAD "));
}

Answer ask(std::uint16_t port, std::string_view request) {
  auto wire = Wire::dial(port);
  return ask(wire, request);
}

std::string get(std::string_view path, std::string_view host) {
  std::string request{"GET "};
  return request.append(path).append(" HTTP/1.1\r\nHost: ").append(host).append("\r\n\r\n");
}

Backend::Backend(Serve serve, std::uint16_t port) : serve_{std::move(serve)} {
  fd_ = bound_socket(port_, port);
  ::listen(fd_, 1024);
  accept_ = std::thread{[this] {
    for (;;) {
      const int fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0)
        return;
      std::lock_guard lock{mutex_};
      if (stopping_) {
        ::close(fd);
        return;
      }
      ++connections;
      send_at_once(fd);
      open_.push_back(fd);
      threads_.emplace_back([this, fd] {
        Wire wire{fd, *this};
        serve_(wire, *this);
        std::lock_guard done{mutex_};
        if (std::erase(open_, fd) > 0)
          ::close(fd);
      });
    }
  }};
}

Backend::~Backend() {
  {
    std::lock_guard lock{mutex_};
    stopping_ = true;
    for (int fd : open_)
      ::shutdown(fd, SHUT_RDWR);
  }
  ::shutdown(fd_, SHUT_RDWR);
  accept_.join();
  for (auto& thread : threads_)
    thread.join();
  ::close(fd_);
}

void Backend::forget(int fd) {
  std::lock_guard lock{mutex_};
  std::erase(open_, fd);
}

std::unique_ptr<Backend> Backend::named(std::string name, std::uint16_t port) {
  const auto serve = [name](Wire& wire, Backend& self) {
    for (;;) {
      const auto head = wire.head();
      if (head.empty())
        return;
      wire.body(head);
      ++self.requests;
      std::string answer{"HTTP/1.1 200 OK\r\ncontent-length: "};
      answer += std::to_string(name.size()) + "\r\n\r\n";
      if (!head.starts_with("HEAD "))
        answer += name;
      if (!wire.send(answer))
        return;
    }
  };
  return std::make_unique<Backend>(serve, port);
}

std::uint16_t free_port() {
  std::uint16_t port = 0;
  ::close(bound_socket(port));
  return port;
}

World::World(ProxyOptions options) {
  auto started = Proxy::start(std::move(options));
  if (!started)
    throw std::runtime_error(started.error().detail);
  proxy = std::move(*started);
  proxy->on_served([this](std::uint64_t epoch) {
    std::lock_guard lock{mutex_};
    epoch_ = epoch;
    served_.notify_all();
  });
}

World& World::listener(Listener listener) {
  auto name = listener.name;
  config.listeners =
      config.listeners.with(name, std::make_shared<const Listener>(std::move(listener)));
  return *this;
}

World& World::no_listener(const std::string& name) {
  config.listeners = config.listeners.without(name);
  return *this;
}

World& World::cluster(std::string id, std::vector<Endpoint> endpoints, std::optional<PeerTls> tls) {
  std::sort(endpoints.begin(), endpoints.end());
  config.clusters = config.clusters.with(
      id, std::make_shared<const Cluster>(Cluster{id, std::move(endpoints), std::move(tls)}));
  return *this;
}

World& World::route(const std::string& listener, const std::string& id, HttpRoute route) {
  config.routes = config.routes.with(
      binding_key(listener, id),
      std::make_shared<const BoundRoute>(BoundRoute{id, WallTime{}, std::move(route)}));
  return *this;
}

World& World::tcp_route(const std::string& listener, const std::string& id, TcpRoute route) {
  config.routes = config.routes.with(
      binding_key(listener, id),
      std::make_shared<const BoundRoute>(BoundRoute{id, WallTime{}, std::move(route)}));
  return *this;
}

HttpRule rule(std::string prefix, std::vector<strait::gateway::Backend> backends) {
  HttpRule made;
  Match match;
  match.path = std::move(prefix);
  made.matches = {match};
  made.backends = std::move(backends);
  return made;
}

World& World::all_to(const std::string& listener, const std::string& cluster_id) {
  return route(listener, "HTTPRoute default/all", {{}, {rule("/", {share(cluster_id)})}});
}

World& World::certificate(Certificate certificate) {
  auto id = certificate.id;
  config.certificates =
      config.certificates.with(id, std::make_shared<const Certificate>(std::move(certificate)));
  return *this;
}

std::uint16_t World::serve(std::vector<Endpoint> endpoints) {
  const auto port = free_port();
  listener({.name = "web", .address = "127.0.0.1", .port = port});
  cluster("backend", std::move(endpoints));
  all_to("web", "backend");
  apply();
  return port;
}

void World::apply() {
  ++config.epoch;
  auto snapshot =
      builder.apply(difference(builder.current() ? builder.current()->config : Config{}, config));
  if (!snapshot)
    throw std::runtime_error(snapshot.error().detail);
  if (!builder.errors().empty())
    throw std::runtime_error(builder.errors().front().detail);
  proxy->publish(*snapshot);
  std::unique_lock lock{mutex_};
  if (!served_.wait_for(lock, std::chrono::seconds{20}, [&] { return epoch_ >= config.epoch; }))
    throw std::runtime_error("the snapshot was not served in time");
}

bool World::reaches(Counter counter, std::uint64_t value) const {
  const auto until = now_instant() + Millis{10'000};
  while (now_instant() < until) {
    if (counted(counter) >= value)
      return true;
    std::this_thread::yield();
  }
  return false;
}

} // namespace strait::gateway::proxy::testing
