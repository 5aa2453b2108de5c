#include "peering/tls_tunnel.hpp"

#include "peering/x509.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <system_error>
#include <thread>
#include <unistd.h>

namespace strait::peering {
namespace {

using ContextPtr = std::unique_ptr<SSL_CTX, x509::Deleter<SSL_CTX_free>>;
using SslPtr = std::unique_ptr<SSL, x509::Deleter<SSL_free>>;

/// A file descriptor with an owner.
class Fd {
public:
  explicit Fd(int fd = -1) : fd_{fd} {}
  Fd(Fd&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() {
    if (fd_ >= 0)
      ::close(fd_);
  }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

private:
  int fd_;
};

Result<ContextPtr> make_context(const TunnelOptions& options) {
  ContextPtr context{SSL_CTX_new(TLS_client_method())};
  if (!context)
    return fail(x509::openssl_error("TLS"));
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  auto* store = SSL_CTX_get_cert_store(context.get());
  for (const auto& pem : options.ca_pems) {
    auto certificate = x509::read_certificate(pem);
    if (!certificate)
      return fail(Errc::invalid, "peering server {}: CA {}", options.address,
                  certificate.error().detail);
    X509_STORE_add_cert(store, certificate->get());
  }
  // Whatever was given is an anchor, also an intermediate.
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
  return context;
}

Result<SslPtr> make_ssl(SSL_CTX& context, const TunnelOptions& options, int fd) {
  SslPtr ssl{SSL_new(&context)};
  constexpr std::array<unsigned char, 3> alpn{2, 'h', '2'};
  if (!ssl || SSL_set_fd(ssl.get(), fd) != 1 ||
      SSL_set_tlsext_host_name(ssl.get(), options.server_name.c_str()) != 1 ||
      SSL_set1_host(ssl.get(), options.server_name.c_str()) != 1 ||
      SSL_set_alpn_protos(ssl.get(), alpn.data(), alpn.size()) != 0)
    return fail(x509::openssl_error("TLS"));
  return ssl;
}

/// Bytes on their way in one direction.
struct Buffer {
  std::array<char, 32 * 1024> bytes;
  std::size_t from = 0, to = 0;
  bool empty() const { return from == to; }
};

} // namespace

/// How long a tunnel that is cut waits for its thread.
constexpr Millis goodbye_max{1'000};

struct TlsTunnel::State {
  TunnelOptions options;
  ContextPtr context;
  Fd inner; // The thread's end of the socket pair.
  Fd outer; // The caller's, until taken.
  Fd stop;
  std::thread thread; // The tunnel's alone: the thread itself does not look at it.

  mutable std::mutex mutex;
  std::condition_variable ended;
  bool over = false; // The thread holds nothing of TLS any more.
  std::string failure;
  bool distrusted = false;

  void fail_with(std::string why, bool trust = true) {
    std::lock_guard lock{mutex};
    if (failure.empty())
      failure = std::move(why);
    distrusted = distrusted || !trust;
  }

  /// Waits for any of them. False: stopped, or out of time.
  bool wait(std::array<pollfd, 3>& fds, int timeout_ms) const {
    fds[2] = {stop.get(), POLLIN, 0};
    int ready;
    do
      ready = ::poll(fds.data(), fds.size(), timeout_ms);
    while (ready < 0 && errno == EINTR);
    return ready > 0 && fds[2].revents == 0;
  }
  static int left(Instant deadline) {
    auto ms = (deadline - now_instant()).count();
    return ms > 0 ? static_cast<int>(ms) : 0;
  }

  Fd connect_one(const addrinfo& to, Instant deadline, std::string& why) const {
    Fd fd{::socket(to.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    int error = 0;
    if (fd.get() < 0 ||
        (::connect(fd.get(), to.ai_addr, to.ai_addrlen) != 0 && errno != EINPROGRESS)) {
      why = std::strerror(errno);
      return Fd{};
    }
    std::array<pollfd, 3> fds{pollfd{fd.get(), POLLOUT, 0}, pollfd{-1, 0, 0}};
    socklen_t size = sizeof error;
    if (!wait(fds, left(deadline)))
      why = "no connection within the time limit";
    else if (::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0)
      why = std::strerror(error);
    else
      return fd;
    return Fd{};
  }

  Fd connect(Instant deadline) {
    auto colon = options.address.rfind(':');
    auto host = options.address.substr(0, colon);
    if (host.size() > 2 && host.front() == '[')
      host = host.substr(1, host.size() - 2);
    addrinfo hints{.ai_flags = AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    addrinfo* found = nullptr;
    if (int error =
            ::getaddrinfo(host.c_str(), options.address.c_str() + colon + 1, &hints, &found)) {
      fail_with(fmt::format("cannot resolve {}: {}", host, ::gai_strerror(error)));
      return Fd{};
    }
    std::string why;
    Fd fd;
    for (auto* to = found; to && fd.get() < 0; to = to->ai_next)
      fd = connect_one(*to, deadline, why);
    ::freeaddrinfo(found);
    if (fd.get() < 0)
      fail_with(why);
    int on = 1;
    if (fd.get() >= 0)
      ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
  }

  bool handshake(SSL& ssl, Instant deadline) {
    for (;;) {
      int result = SSL_connect(&ssl);
      if (result == 1)
        return true;
      auto error = SSL_get_error(&ssl, result);
      std::array<pollfd, 3> fds{
          pollfd{SSL_get_fd(&ssl),
                 static_cast<short>(error == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN), 0},
          pollfd{-1, 0, 0}};
      if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
        auto verdict = SSL_get_verify_result(&ssl);
        if (verdict != X509_V_OK)
          fail_with(fmt::format("its certificate is not one of the token's CA, or not for {}: {}",
                                options.server_name, X509_verify_cert_error_string(verdict)),
                    false);
        else
          fail_with(x509::openssl_error("TLS handshake").detail);
        ERR_clear_error();
        return false;
      }
      if (!wait(fds, left(deadline))) {
        fail_with("no TLS handshake within the time limit");
        return false;
      }
    }
  }

  /// From the caller to the server. False: it is over.
  bool push_out(SSL& ssl, Buffer& out, bool& wants_write) {
    wants_write = false;
    if (out.empty()) {
      auto got = ::recv(inner.get(), out.bytes.data(), out.bytes.size(), MSG_DONTWAIT);
      if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
        return false;
      out.from = 0;
      out.to = got > 0 ? static_cast<std::size_t>(got) : 0;
    }
    while (!out.empty()) {
      std::size_t written = 0;
      int result = SSL_write_ex(&ssl, out.bytes.data() + out.from, out.to - out.from, &written);
      if (result != 1) {
        auto error = SSL_get_error(&ssl, result);
        wants_write = error == SSL_ERROR_WANT_WRITE;
        return wants_write || error == SSL_ERROR_WANT_READ;
      }
      out.from += written;
    }
    return true;
  }

  /// From the server to the caller. False: it is over.
  bool pull_in(SSL& ssl, Buffer& in) {
    for (;;) {
      if (in.empty()) {
        in.from = in.to = 0;
        int result = SSL_read_ex(&ssl, in.bytes.data(), in.bytes.size(), &in.to);
        if (result != 1) {
          in.to = 0;
          auto error = SSL_get_error(&ssl, result);
          return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
        }
      }
      auto sent = ::send(inner.get(), in.bytes.data() + in.from, in.to - in.from,
                         MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent < 0)
        return errno == EAGAIN || errno == EINTR;
      in.from += static_cast<std::size_t>(sent);
    }
  }

  void pump(SSL& ssl) {
    Buffer out, in;
    for (;;) {
      ERR_clear_error();
      bool wants_write = false;
      if (!push_out(ssl, out, wants_write) || !pull_in(ssl, in))
        return;
      // Never wait for what there is no room for, nor be woken by it.
      auto entry = [](int fd, bool read, bool write) {
        auto events = static_cast<short>((read ? POLLIN : 0) | (write ? POLLOUT : 0));
        return pollfd{events ? fd : -1, events, 0};
      };
      std::array<pollfd, 3> fds{entry(SSL_get_fd(&ssl), in.empty(), wants_write),
                                entry(inner.get(), out.empty(), !in.empty())};
      if (!wait(fds, -1))
        return;
    }
  }

  void run() {
    auto deadline = now_instant() + options.connect_timeout;
    auto fd = connect(deadline);
    if (fd.get() >= 0) {
      auto ssl = make_ssl(*context, options, fd.get());
      if (!ssl)
        fail_with(ssl.error().detail);
      else if (handshake(**ssl, deadline)) {
        pump(**ssl);
        SSL_shutdown(ssl->get());
      }
      ERR_clear_error();
    }
    context.reset();
    inner = Fd{}; // The caller's end reads the end of the stream.
    std::lock_guard lock{mutex};
    over = true;
    ended.notify_all();
  }
};

Result<std::unique_ptr<TlsTunnel>> TlsTunnel::open(TunnelOptions options) {
  auto state = std::make_shared<State>();
  auto context = make_context(options);
  if (!context)
    return fail(context.error());
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
    return fail(Errc::exhausted, "peering server {}: {}", options.address, std::strerror(errno));
  state->inner = Fd{pair[0]};
  state->outer = Fd{pair[1]};
  state->stop = Fd{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  if (state->stop.get() < 0)
    return fail(Errc::exhausted, "peering server {}: {}", options.address, std::strerror(errno));
  state->context = std::move(*context);
  state->options = std::move(options);
  try {
    state->thread = std::thread{[state] {
      sigset_t pipe; // OpenSSL writes to sockets without MSG_NOSIGNAL.
      sigemptyset(&pipe);
      sigaddset(&pipe, SIGPIPE);
      pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
      state->run();
    }};
  } catch (const std::system_error& error) {
    return fail(Errc::exhausted, "peering server {}: no thread: {}", state->options.address,
                error.what());
  }
  return std::unique_ptr<TlsTunnel>{new TlsTunnel{std::move(state)}};
}

TlsTunnel::~TlsTunnel() {
  std::uint64_t one = 1;
  (void)!::write(state_->stop.get(), &one, sizeof one);
  std::unique_lock lock{state_->mutex};
  bool over = state_->ended.wait_for(lock, goodbye_max, [this] { return state_->over; });
  lock.unlock();
  // At once, unless a name is being looked up: that may go on behind our back.
  if (over)
    state_->thread.join(); // What OpenSSL keeps for a thread goes with the thread.
  else
    state_->thread.detach();
}

int TlsTunnel::take_socket() { return state_->outer.release(); }

std::string TlsTunnel::failure() const {
  std::lock_guard lock{state_->mutex};
  return state_->failure;
}

bool TlsTunnel::distrusted() const {
  std::lock_guard lock{state_->mutex};
  return state_->distrusted;
}

} // namespace strait::peering
