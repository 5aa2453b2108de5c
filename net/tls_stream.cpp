#include "net/tls_verification.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <sys/socket.h>

namespace strait::net {

namespace {

// OpenSSL's own socket BIO writes with write(2), which kills the process by SIGPIPE when the peer
// is gone; this one does not.
int descriptor_of(BIO* bio) {
  return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
}

int bio_read(BIO* bio, char* space, int size) {
  BIO_clear_retry_flags(bio);
  auto got = ::recv(descriptor_of(bio), space, static_cast<std::size_t>(size), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR))
    BIO_set_retry_read(bio);
  if (got == 0)
    BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  return static_cast<int>(got);
}

int bio_write(BIO* bio, const char* bytes, int size) {
  BIO_clear_retry_flags(bio);
  auto sent = ::send(descriptor_of(bio), bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  if (sent < 0 && (errno == EAGAIN || errno == EINTR))
    BIO_set_retry_write(bio);
  return static_cast<int>(sent);
}

long bio_ctrl(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_EOF)
    return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

const BIO_METHOD* socket_method() {
  static const std::unique_ptr<BIO_METHOD, decltype(&BIO_meth_free)> method = [] {
    std::unique_ptr<BIO_METHOD, decltype(&BIO_meth_free)> made{
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "strait socket"), BIO_meth_free};
    BIO_meth_set_read(made.get(), bio_read);
    BIO_meth_set_write(made.get(), bio_write);
    BIO_meth_set_ctrl(made.get(), bio_ctrl);
    return made;
  }();
  return method.get();
}

SSL* make_ssl(SSL_CTX* context, int fd) {
  auto* ssl = SSL_new(context);
  auto* bio = ssl ? BIO_new(socket_method()) : nullptr;
  if (!bio) {
    SSL_free(ssl);
    return nullptr;
  }
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(fd)));
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl, bio, bio);
  return ssl;
}

/// Bytes of one TLS record: what one write may encrypt at most.
constexpr std::size_t record_bytes = 16 * 1024;

} // namespace

TlsStream::TlsStream(Fd fd, SSL* ssl, std::shared_ptr<const void> context)
    : fd_{std::move(fd)}, ssl_{ssl}, context_{std::move(context)} {
  SSL_set_app_data(ssl_, this);
}

TlsStream::~TlsStream() { SSL_free(ssl_); }

Result<std::unique_ptr<TlsStream>>
TlsStream::server(Fd fd, std::shared_ptr<const TlsServerContext> context) {
  auto* ssl = make_ssl(context->get(), fd.get());
  if (!ssl)
    return fail(Errc::unavailable, "tls: {}", openssl_error("no connection"));
  SSL_set_accept_state(ssl);
  return std::unique_ptr<TlsStream>(new TlsStream{std::move(fd), ssl, std::move(context)});
}

Result<std::unique_ptr<TlsStream>>
TlsStream::client(Fd fd, std::shared_ptr<const TlsClientContext> context,
                  const TlsServerName& name) {
  auto* ssl = make_ssl(context->get(), fd.get());
  if (!ssl)
    return fail(Errc::unavailable, "tls: {}", openssl_error("no connection"));
  SSL_set_connect_state(ssl);
  std::unique_ptr<TlsStream> out{new TlsStream{std::move(fd), ssl, std::move(context)}};
  out->expected_spiffe_ = name.spiffe_id;
  bool ok = name.sni.empty() || SSL_set_tlsext_host_name(ssl, name.sni.c_str()) == 1;
  if (ok && !name.host.empty()) {
    auto* parameters = SSL_get0_param(ssl);
    ok = X509_VERIFY_PARAM_set1_ip_asc(parameters, name.host.c_str()) == 1;
    if (!ok) {
      // RFC 9525 §2: the subject's common name is no identity.
      X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                                      X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
      ok = X509_VERIFY_PARAM_set1_host(parameters, name.host.data(), name.host.size()) == 1;
    }
  }
  ERR_clear_error();
  if (!ok)
    return fail(Errc::invalid, "tls: server name \"{}\" cannot be used",
                name.sni.empty() ? name.host : name.sni);
  return out;
}

IoResult TlsStream::outcome(int returned) {
  switch (SSL_get_error(ssl_, returned)) {
  case SSL_ERROR_WANT_READ:
    return {Io::want_read, 0};
  case SSL_ERROR_WANT_WRITE:
    return {Io::want_write, 0};
  case SSL_ERROR_ZERO_RETURN:
    return {Io::closed, 0};
  case SSL_ERROR_SYSCALL:
    if (failure_.empty())
      failure_ = errno ? std::strerror(errno) : "the connection ended within the TLS handshake";
    break;
  default:
    auto last = ERR_peek_last_error();
    // An end without close_notify: whether it is one is told by the protocol above.
    if (ERR_GET_REASON(last) == SSL_R_UNEXPECTED_EOF_WHILE_READING && SSL_is_init_finished(ssl_)) {
      ERR_clear_error();
      return {Io::closed, 0};
    }
    if (failure_.empty())
      failure_ = "tls: " + openssl_error("protocol error");
  }
  ERR_clear_error();
  return {Io::failed, 0};
}

IoResult TlsStream::handshake() {
  ERR_clear_error();
  errno = 0;
  auto done = SSL_do_handshake(ssl_);
  return done == 1 ? IoResult{} : outcome(done);
}

IoResult TlsStream::read_some(std::span<char> space) {
  ERR_clear_error();
  errno = 0;
  std::size_t total = 0;
  drained_ = false;
  while (total < space.size()) {
    std::size_t got = 0;
    auto ok = SSL_read_ex(ssl_, space.data() + total, space.size() - total, &got);
    if (ok == 1) {
      total += got;
      continue;
    }
    auto result = outcome(ok);
    drained_ = result.state == Io::want_read;
    if (total == 0)
      return result;
    if (result.state == Io::failed)
      failure_.clear(); // Told by the next read, after these bytes.
    break;
  }
  return {Io::ok, total};
}

// One record per write: small slices (head, chunk line, body) are put together first. A write that
// could not go on is tried again with the same bytes in front, as OpenSSL demands, because a queue
// only grows behind.
IoResult TlsStream::write_some(std::span<const iovec> slices) {
  ERR_clear_error();
  errno = 0;
  std::array<char, record_bytes> joined;
  const void* data = nullptr;
  std::size_t size = 0;
  if (slices.size() == 1 || (!slices.empty() && slices[0].iov_len >= record_bytes)) {
    data = slices[0].iov_base;
    size = std::min(slices[0].iov_len, record_bytes);
  } else {
    for (const auto& slice : slices) {
      auto count = std::min(slice.iov_len, record_bytes - size);
      std::memcpy(joined.data() + size, slice.iov_base, count);
      size += count;
    }
    data = joined.data();
  }
  if (size == 0)
    return {};
  std::size_t written = 0;
  auto ok = SSL_write_ex(ssl_, data, size, &written);
  return ok == 1 ? IoResult{Io::ok, written} : outcome(ok);
}

IoResult TlsStream::shutdown() {
  ERR_clear_error();
  errno = 0;
  auto done = SSL_shutdown(ssl_);
  if (done < 0) {
    auto result = outcome(done);
    if (result.state == Io::want_write)
      return result;
  }
  ::shutdown(fd_.get(), SHUT_WR);
  return {};
}

void TlsStream::close() {
  SSL_set_quiet_shutdown(ssl_, 1);
  fd_.close();
}

std::string_view TlsStream::alpn() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_, &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

std::string_view TlsStream::sni() const {
  const char* name = SSL_get_servername(ssl_, TLSEXT_NAMETYPE_host_name);
  return name ? name : std::string_view{};
}

std::string_view TlsStream::version() const { return SSL_get_version(ssl_); }
std::string_view TlsStream::cipher() const { return SSL_get_cipher_name(ssl_); }
bool TlsStream::resumed() const { return SSL_session_reused(ssl_) == 1; }
bool TlsStream::has_peer_certificate() const { return SSL_get0_peer_certificate(ssl_) != nullptr; }

PeerIdentity TlsStream::peer() const {
  return peer_identity(SSL_get0_peer_certificate(ssl_), SSL_get_peer_cert_chain(ssl_));
}

} // namespace strait::net
