#include "net/http_server.hpp"

#include "net/http1_writer.hpp"
#include "net/http_connection.hpp"

#include <unordered_map>
#include <utility>

namespace strait::net {

namespace {

constexpr Millis accept_pause{100};  // After the process ran out of descriptors.
constexpr Millis answer_check{1000}; // For answers whose wake-up was refused.

} // namespace

struct HttpServer::State {
  struct Listener final : EventHandler {
    Listener(State& s, Fd f)
        : state{s}, fd{std::move(f)}, pause{s.loop, [this] {
                                              (void)state.loop.add(fd.get(), Watch::level_read,
                                                                   *this);
                                            }} {}
    ~Listener() { state.loop.remove(fd.get()); }
    void on_ready(Ready) override { state.accept(*this); }

    State& state;
    Fd fd;
    Timer pause;
  };

  State(EventLoop& l, HttpServerOptions o, Handler h)
      : loop{l}, options{std::move(o)}, handler{std::move(h)}, context{loop, pool, options, handler,
                                                                       [this](HttpConnection& c) {
                                                                         closed(c);
                                                                       }},
        checks{loop, [this] { check_answers(); }}, grace{loop, [this] { close_all(); }} {}

  void accept(Listener& listener);
  void closed(HttpConnection& connection);
  void check_answers();
  void close_all();

  EventLoop& loop;
  const HttpServerOptions options;
  const Handler handler;
  std::shared_ptr<const TlsServerContext> tls = options.tls;
  BufferPool pool;
  HttpConnection::Context context;
  std::vector<std::unique_ptr<Listener>> listeners;
  std::unordered_map<HttpConnection*, std::shared_ptr<HttpConnection>> connections;
  std::unordered_map<std::string, std::size_t> per_client; // By IP.
  Timer checks, grace;
  std::function<void()> stopped;
};

void HttpServer::State::accept(Listener& listener) {
  for (;;) {
    auto accepted = accept_tcp(listener.fd);
    if (!accepted) {
      loop.remove(listener.fd.get());
      listener.pause.start(accept_pause);
      return;
    }
    if (!*accepted)
      return;
    auto& [fd, peer] = **accepted;
    if (connections.size() >= options.connections_max)
      continue; // Closed as it goes out of scope.
    auto& count = per_client[peer.ip()];
    if (count >= options.connections_per_client_max) {
      if (!tls) { // Best effort: it may not even have asked.
        TcpStream stream{std::move(fd)};
        std::string text;
        http1::HeadWriter{text}
            .response(429)
            .field("Connection", "close")
            .field("Content-Length", 0)
            .end();
        std::array slice{iovec{text.data(), text.size()}};
        stream.write_some(slice);
      }
      continue;
    }
    std::unique_ptr<Stream> stream;
    if (tls) {
      auto made = TlsStream::server(std::move(fd), tls);
      if (!made)
        continue;
      stream = std::move(*made);
    } else {
      stream = std::make_unique<TcpStream>(std::move(fd));
    }
    ++count;
    auto connection = std::make_shared<HttpConnection>(context, std::move(stream), peer);
    connections.emplace(connection.get(), connection);
    if (!connection->start())
      connection->close();
    if (!checks.armed())
      checks.start(answer_check);
  }
}

void HttpServer::State::closed(HttpConnection& connection) {
  auto count = per_client.find(connection.peer().ip());
  if (count != per_client.end() && --count->second == 0)
    per_client.erase(count);
  auto found = connections.find(&connection);
  // It may be within one of its own functions.
  loop.defer([keep = std::move(found->second)] {});
  connections.erase(found);
  if (connections.empty() && stopped) {
    grace.cancel();
    loop.defer(std::exchange(stopped, nullptr));
  }
}

void HttpServer::State::check_answers() {
  auto all = connections; // An answer may close its connection.
  for (auto& [_, connection] : all)
    connection->look_at_answer();
  if (!connections.empty())
    checks.start(answer_check);
}

void HttpServer::State::close_all() {
  auto all = connections;
  for (auto& [_, connection] : all)
    connection->close();
}

HttpServer::HttpServer(EventLoop& loop, HttpServerOptions options, Handler handler)
    : state_{std::make_shared<State>(loop, std::move(options), std::move(handler))} {}

HttpServer::~HttpServer() {
  state_->listeners.clear();
  state_->stopped = nullptr;
  state_->checks.cancel();
  state_->grace.cancel();
  state_->close_all();
  // The closed connections draw from the state's pool: it dies after them.
  state_->loop.defer([keep = state_] {});
}

Result<Address> HttpServer::listen(const Address& address) {
  auto fd = listen_tcp(address);
  if (!fd)
    return fail(fd.error());
  auto bound = local_address(*fd);
  if (!bound)
    return fail(bound.error());
  auto listener = std::make_unique<State::Listener>(*state_, std::move(*fd));
  if (auto added = state_->loop.add(listener->fd.get(), Watch::level_read, *listener); !added)
    return fail(added.error());
  state_->listeners.push_back(std::move(listener));
  return *bound;
}

void HttpServer::set_tls(std::shared_ptr<const TlsServerContext> tls) {
  state_->tls = std::move(tls);
}

void HttpServer::stop(Millis grace, std::function<void()> stopped) {
  state_->listeners.clear();
  state_->stopped = std::move(stopped);
  if (state_->connections.empty()) {
    if (auto callback = std::exchange(state_->stopped, nullptr))
      state_->loop.defer(std::move(callback));
    return;
  }
  state_->grace.start(grace);
  auto all = state_->connections;
  for (auto& [_, connection] : all)
    connection->finish();
}

std::size_t HttpServer::connections() const { return state_->connections.size(); }

} // namespace strait::net
