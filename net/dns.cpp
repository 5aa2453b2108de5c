#include "net/dns.hpp"

#include <ares.h>

#include <algorithm>
#include <netdb.h>
#include <sys/time.h>
#include <unordered_map>
#include <utility>

namespace strait::net {

struct Resolver::Channel {
  /// One of c-ares' sockets on the loop.
  struct Socket final : EventHandler {
    Socket(Channel& c, int f) : channel{c}, fd{f} {}
    void on_ready(Ready ready) override {
      auto& owner = channel; // Processing may close this socket.
      ares_process_fd(owner.ares, ready.readable() ? fd : ARES_SOCKET_BAD,
                      ready.writable() ? fd : ARES_SOCKET_BAD);
      owner.set_timer();
    }
    Channel& channel;
    const int fd;
  };
  struct Query {
    Channel& channel;
    std::string host;
    std::uint16_t port;
    Callback callback;
  };

  Channel(EventLoop& l, ResolverOptions o)
      : loop{l}, options{std::move(o)}, timer{loop, [this] {
                                                ares_process_fd(ares, ARES_SOCKET_BAD,
                                                                ARES_SOCKET_BAD);
                                                set_timer();
                                              }} {}
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  ~Channel() {
    if (ares)
      ares_destroy(ares); // Calls back every pending query.
  }

  static void on_socket(void* data, ares_socket_t fd, int readable, int writable);
  static void on_answer(void* data, int status, int timeouts, ares_addrinfo* found);
  void set_timer();

  EventLoop& loop;
  ResolverOptions options;
  ares_channel ares = nullptr;
  std::unordered_map<int, std::unique_ptr<Socket>> sockets;
  std::size_t pending = 0;
  Timer timer;
};

void Resolver::Channel::on_socket(void* data, ares_socket_t fd, int readable, int writable) {
  auto& self = *static_cast<Channel*>(data);
  auto found = self.sockets.find(fd);
  if (!readable && !writable) {
    if (found == self.sockets.end())
      return;
    self.loop.remove(fd); // Not yet closed: c-ares does that after this.
    // The socket may be the one that is being served.
    self.loop.defer([keep = std::shared_ptr<Socket>{std::move(found->second)}] {});
    self.sockets.erase(found);
    return;
  }
  auto watch = writable ? (readable ? Watch::level_both : Watch::level_write) : Watch::level_read;
  if (found != self.sockets.end()) {
    (void)self.loop.modify(fd, watch);
    return;
  }
  auto socket = std::make_unique<Socket>(self, fd);
  // If it cannot be watched, the query's timeout tells.
  if (self.loop.add(fd, watch, *socket))
    self.sockets.emplace(fd, std::move(socket));
}

void Resolver::Channel::on_answer(void* data, int status, int, ares_addrinfo* found) {
  std::unique_ptr<Query> query{static_cast<Query*>(data)};
  auto& self = query->channel;
  --self.pending;
  std::vector<Address> addresses;
  for (auto* node = found ? found->nodes : nullptr;
       node && addresses.size() < self.options.addresses_max; node = node->ai_next) {
    auto address = Address::from_sockaddr(node->ai_addr, static_cast<socklen_t>(node->ai_addrlen))
                       .with_port(query->port);
    if (std::find(addresses.begin(), addresses.end(), address) == addresses.end())
      addresses.push_back(address);
  }
  if (found)
    ares_freeaddrinfo(found);
  if (status == ARES_SUCCESS && !addresses.empty())
    query->callback(std::move(addresses));
  else if (status == ARES_SUCCESS || status == ARES_ENOTFOUND || status == ARES_ENODATA)
    query->callback(fail(Errc::not_found, "{}: no such name", query->host));
  else if (status == ARES_EBADNAME)
    query->callback(fail(Errc::invalid, "{}: not a host name", query->host));
  else
    query->callback(fail(Errc::unavailable, "{}: {}", query->host, ares_strerror(status)));
}

void Resolver::Channel::set_timer() {
  timeval space{};
  auto* left = ares_timeout(ares, nullptr, &space);
  if (left)
    timer.start(Millis{left->tv_sec * 1000 + left->tv_usec / 1000 + 1});
  else
    timer.cancel();
}

Result<std::unique_ptr<Resolver>> Resolver::create(EventLoop& loop, ResolverOptions options) {
  auto channel = std::make_unique<Channel>(loop, std::move(options));
  if (int error = ares_library_init(ARES_LIB_INIT_ALL); error != ARES_SUCCESS)
    return fail(Errc::internal, "resolver: {}", ares_strerror(error));
  ares_options settings{};
  settings.timeout = static_cast<int>(channel->options.timeout.count());
  settings.tries = channel->options.tries;
  settings.sock_state_cb = Channel::on_socket;
  settings.sock_state_cb_data = channel.get();
  int error = ares_init_options(&channel->ares, &settings,
                                ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
  if (error != ARES_SUCCESS)
    return fail(Errc::unavailable, "resolver: {}", ares_strerror(error));
  const auto& servers = channel->options.servers;
  if (!servers.empty()) {
    error = ares_set_servers_ports_csv(channel->ares, servers.c_str());
    if (error != ARES_SUCCESS)
      return fail(Errc::invalid, "resolver: servers \"{}\": {}", servers, ares_strerror(error));
  }
  return std::unique_ptr<Resolver>(new Resolver{std::move(channel)});
}

Resolver::Resolver(std::unique_ptr<Channel> channel) : channel_{std::move(channel)} {}

Resolver::~Resolver() = default;

void Resolver::resolve(const std::string& host, std::uint16_t port, Callback callback) {
  auto& channel = *channel_;
  if (auto literal = Address::from_ip(host, port))
    return callback(std::vector{*literal});
  if (host.empty() || host.find('\0') != std::string::npos)
    return callback(fail(Errc::invalid, "\"{}\": not a host name", host));
  // RFC 6761 section 6.3: always the loopback addresses, with or without /etc/hosts.
  if (host == "localhost" || host.ends_with(".localhost"))
    return callback(
        std::vector{*Address::from_ip("127.0.0.1", port), *Address::from_ip("::1", port)});
  if (channel.pending >= channel.options.pending_max)
    return callback(
        fail(Errc::exhausted, "{}: {} names are being resolved already", host, channel.pending));
  ++channel.pending;
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  ares_getaddrinfo(channel.ares, host.c_str(), nullptr, &hints, Channel::on_answer,
                   new Channel::Query{channel, host, port, std::move(callback)});
  channel.set_timer();
}

std::size_t Resolver::pending() const { return channel_->pending; }

} // namespace strait::net
