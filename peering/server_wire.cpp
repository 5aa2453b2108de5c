#include "peering/accept_wire.hpp"
#include "peering/stream_wire.hpp"

#include <grpcpp/grpcpp.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/// The gRPC server that carries the services, its certificate, and status codes.
namespace strait::peering {
namespace wire {

grpc::Status to_status(const Error& error) {
  switch (error.code) {
  case Errc::not_found:
    return {grpc::StatusCode::NOT_FOUND, error.detail};
  case Errc::conflict:
    return {grpc::StatusCode::ALREADY_EXISTS, error.detail};
  case Errc::invalid:
    return {grpc::StatusCode::INVALID_ARGUMENT, error.detail};
  case Errc::denied:
    return {grpc::StatusCode::PERMISSION_DENIED, error.detail};
  case Errc::unavailable:
    return {grpc::StatusCode::UNAVAILABLE, error.detail};
  case Errc::corrupt:
    return {grpc::StatusCode::DATA_LOSS, error.detail};
  case Errc::exhausted:
    return {grpc::StatusCode::RESOURCE_EXHAUSTED, error.detail};
  case Errc::internal:
    break;
  }
  return {grpc::StatusCode::INTERNAL, error.detail};
}

Error to_error(const grpc::Status& status) {
  for (auto code : {Errc::not_found, Errc::conflict, Errc::invalid, Errc::denied, Errc::unavailable,
                    Errc::corrupt, Errc::exhausted})
    if (to_status({code, ""}).error_code() == status.error_code())
      return {code, status.error_message()};
  if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED)
    return {Errc::unavailable, "no answer within the time limit"};
  return {Errc::internal, status.error_message()};
}

Code to_code(grpc::StatusCode code) {
  switch (code) {
  case grpc::StatusCode::OK:
  case grpc::StatusCode::CANCELLED:
  case grpc::StatusCode::INVALID_ARGUMENT:
  case grpc::StatusCode::NOT_FOUND:
  case grpc::StatusCode::PERMISSION_DENIED:
  case grpc::StatusCode::RESOURCE_EXHAUSTED:
  case grpc::StatusCode::FAILED_PRECONDITION:
  case grpc::StatusCode::ABORTED:
  case grpc::StatusCode::INTERNAL:
  case grpc::StatusCode::UNAVAILABLE:
    return static_cast<Code>(code);
  default:
    return Code::unknown;
  }
}

} // namespace wire

namespace {

constexpr const char* key_file = "/server.key";
constexpr const char* chain_file = "/server.pem";
constexpr const char* roots_file = "/clients.pem";
constexpr unsigned seconds_between_looks = 1;

/// Whole or not at all.
Status write_file(const std::string& path, const std::string& text) {
  auto next = path + ".next";
  int file = ::open(next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  bool ok =
      file >= 0 && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  auto error = errno;
  if (file >= 0)
    ::close(file);
  if (ok && ::rename(next.c_str(), path.c_str()) == 0)
    return {};
  return fail(Errc::internal, "certificate file {}: {}", path, std::strerror(ok ? errno : error));
}

class RunningServer final : public GrpcServer {
public:
  std::vector<int> ports_;
  std::unique_ptr<grpc::Server> server_;

  ~RunningServer() override { shutdown(Millis{0}); }
  const std::vector<int>& ports() const override { return ports_; }
  void shutdown(Millis grace) override {
    if (!server_)
      return;
    server_->Shutdown(std::chrono::system_clock::now() + grace);
    server_->Wait();
    server_.reset();
  }
};

} // namespace

Result<ServerCertificate> ServerCertificate::create(const std::string& directory,
                                                    const Leaf& leaf) {
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
    return fail(Errc::internal, "certificate directory {}: {}", directory, std::strerror(errno));
  if (::chmod(directory.c_str(), 0700) != 0)
    return fail(Errc::denied, "certificate directory {}: {}", directory, std::strerror(errno));
  ServerCertificate certificate{directory};
  if (auto ok = certificate.replace(leaf); !ok)
    return fail(ok.error());
  return certificate;
}

Status ServerCertificate::replace(const Leaf& leaf) {
  // gRPC reads both and takes them only when they belong together.
  if (auto ok = write_file(directory_ + key_file, leaf.key_pem); !ok)
    return ok;
  return write_file(directory_ + chain_file, leaf.chain_pem);
}

std::shared_ptr<grpc::ServerCredentials> ServerCertificate::credentials() const {
  namespace tls = grpc::experimental;
  auto provider = std::make_shared<tls::FileWatcherCertificateProvider>(
      directory_ + key_file, directory_ + chain_file, seconds_between_looks);
  tls::TlsServerCredentialsOptions options{provider};
  options.watch_identity_key_cert_pairs();
  options.set_cert_request_type(GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
  return tls::TlsServerCredentials(options);
}

Status ServerCertificate::trust(const std::vector<std::string>& roots_pem) {
  std::string text;
  for (auto& root : roots_pem)
    text += root;
  return write_file(directory_ + roots_file, text);
}

std::shared_ptr<grpc::ServerCredentials> ServerCertificate::mutual_credentials() const {
  namespace tls = grpc::experimental;
  auto provider = std::make_shared<tls::FileWatcherCertificateProvider>(
      directory_ + key_file, directory_ + chain_file, directory_ + roots_file,
      seconds_between_looks);
  tls::TlsServerCredentialsOptions options{provider};
  options.watch_identity_key_cert_pairs();
  options.watch_root_certs();
  options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  // Which gateway a client is, the service looks at itself: there is no host name to hold against.
  options.set_certificate_verifier(std::make_shared<tls::NoOpCertificateVerifier>());
  options.set_check_call_host(false);
  return tls::TlsServerCredentials(options);
}

Result<std::unique_ptr<GrpcServer>> GrpcServer::start(const std::vector<Listener>& listeners,
                                                      const std::vector<grpc::Service*>& services,
                                                      const WireLimits& limits) {
  auto running = std::make_unique<RunningServer>();
  running->ports_.resize(listeners.size());
  grpc::ServerBuilder builder;
  for (std::size_t i = 0; i < listeners.size(); ++i)
    builder.AddListeningPort(listeners[i].address,
                             listeners[i].credentials ? listeners[i].credentials
                                                      : grpc::InsecureServerCredentials(),
                             &running->ports_[i]);
  for (auto* service : services)
    builder.RegisterService(service);
  constexpr int streams_max = 2048;
  constexpr int client_ping_ms_min = 15'000;
  builder.SetMaxReceiveMessageSize(limits.acceptor_message_bytes_max);
  builder.SetMaxSendMessageSize(limits.acceptor_message_bytes_max);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, streams_max);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0); // A taken port is an error.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             client_ping_ms_min);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS,
                             static_cast<int>(limits.keepalive_time.count()));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
                             static_cast<int>(limits.keepalive_timeout.count()));
  running->server_ = builder.BuildAndStart();
  for (std::size_t i = 0; i < listeners.size(); ++i)
    if (!running->server_ || running->ports_[i] == 0)
      return fail(Errc::unavailable, "gRPC: cannot listen on {}: is the port taken?",
                  listeners[i].address);
  return running;
}

} // namespace strait::peering
