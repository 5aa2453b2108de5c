#include "gateway/proxy/proxy_fixture.test.hpp"
#include "net/test_certificates.hpp"

#include <catch2/catch.hpp>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>
#include <string>

namespace strait::gateway::proxy::testing {

namespace {

grpc::ByteBuffer message(const std::string& text) {
  const grpc::Slice slice{text};
  return {&slice, 1};
}

std::string text(const grpc::ByteBuffer& buffer) {
  grpc::Slice slice;
  (void)buffer.DumpToSingleSlice(&slice);
  return {reinterpret_cast<const char*>(slice.begin()), slice.size()};
}

/// Sends every message back as it comes; a method whose name begins with "Fail" fails at once, one
/// that begins with "Break" after its first message.
class Echo final : public grpc::CallbackGenericService {
  class Call final : public grpc::ServerGenericBidiReactor {
  public:
    explicit Call(const grpc::GenericCallbackServerContext& context) {
      const auto method = context.method().substr(context.method().rfind('/') + 1);
      breaks_ = method.starts_with("Break");
      if (method.starts_with("Fail"))
        Finish({grpc::StatusCode::NOT_FOUND, "nothing of that name"});
      else
        StartRead(&buffer_);
    }
    void OnReadDone(bool more) override {
      if (!more)
        return Finish(grpc::Status::OK);
      StartWrite(&buffer_);
    }
    void OnWriteDone(bool written) override {
      if (breaks_ || !written)
        return Finish({grpc::StatusCode::DATA_LOSS, "no more of it"});
      StartRead(&buffer_);
    }
    void OnDone() override { delete this; }

  private:
    grpc::ByteBuffer buffer_;
    bool breaks_ = false;
  };
  grpc::ServerGenericBidiReactor*
  CreateReactor(grpc::GenericCallbackServerContext* context) override {
    return new Call{*context};
  }
};

struct Server {
  Server() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterCallbackGenericService(&echo);
    server = builder.BuildAndStart();
  }
  ~Server() { server->Shutdown(std::chrono::system_clock::now()); }
  int port = 0;
  Echo echo;
  std::unique_ptr<grpc::Server> server;
};

/// One call, step by step.
class Call {
public:
  Call(const std::shared_ptr<grpc::Channel>& channel, const std::string& method) : stub_{channel} {
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds{20});
    call_ = stub_.PrepareCall(&context_, method, &queue_);
    call_->StartCall(this);
    started_ = step();
  }
  ~Call() {
    context_.TryCancel();
    queue_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
    }
  }
  bool started() const { return started_; }
  bool write(const std::string& content) {
    call_->Write(message(content), this);
    return step();
  }
  /// Empty: there are no more.
  std::string read() {
    grpc::ByteBuffer buffer;
    call_->Read(&buffer, this);
    return step() ? text(buffer) : std::string{};
  }
  grpc::Status finish() {
    call_->WritesDone(this);
    step();
    grpc::Status status;
    call_->Finish(&status, this);
    step();
    return status;
  }

private:
  bool step() {
    void* tag = nullptr;
    bool ok = false;
    return queue_.Next(&tag, &ok) && ok;
  }
  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call_;
  bool started_ = false;
};

/// A GRPCRoute of one service to one server, on a plain port and on one with TLS.
struct Routed {
  Routed() {
    HttpRoute route;
    route.rules = {rule("/echo.Echo", {share("backend")})};
    route.grpc = true;
    root = net::testing::issue({.common_name = "root", .authority = true});
    const auto leaf = net::testing::issue(
        {.common_name = "leaf", .alternative_names = "DNS:grpc.example.com"}, &root);
    world.certificate({"c", leaf.certificate, leaf.key});
    world.cluster("backend", {{"127.0.0.1", static_cast<std::uint16_t>(server.port), 1}});
    world.listener({.name = "plain", .address = "127.0.0.1", .port = plain});
    Listener tls{.name = "tls", .address = "127.0.0.1", .port = secured};
    tls.protocol = Protocol::https;
    tls.tls.certificates = {"c"};
    world.listener(std::move(tls));
    world.route("plain", "GRPCRoute default/echo", route)
        .route("tls", "GRPCRoute default/echo", route)
        .apply();
  }
  std::shared_ptr<grpc::Channel> channel(bool tls = false) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1); // A connection of its own.
    if (!tls)
      return grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(plain),
                                       grpc::InsecureChannelCredentials(), arguments);
    arguments.SetSslTargetNameOverride("grpc.example.com");
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = root.certificate;
    return grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(secured),
                                     grpc::SslCredentials(options), arguments);
  }

  Server server;
  World world;
  net::testing::Identity root;
  std::uint16_t plain = free_port(), secured = free_port();
};

} // namespace

TEST_CASE("gRPC calls go through the proxy, plain and by TLS") {
  Routed routed;
  for (const bool tls : {false, true}) {
    const auto channel = routed.channel(tls);
    for (int i = 0; i < 10; ++i) {
      Call call{channel, "/echo.Echo/Once"};
      REQUIRE(call.started());
      REQUIRE(call.write("hello " + std::to_string(i)));
      CHECK(call.read() == "hello " + std::to_string(i));
      CHECK(call.finish().ok());
    }
  }
  CHECK(routed.world.counted(Counter::http2_connections) == 2);
  CHECK(routed.world.counted(Counter::http2_upstreams) == 1);
}

TEST_CASE("gRPC streams talk in turns, while other calls share the connection") {
  Routed routed;
  const auto channel = routed.channel();
  Call talk{channel, "/echo.Echo/Talk"}, other{channel, "/echo.Echo/Talk"};
  for (int i = 0; i < 50; ++i) {
    REQUIRE(talk.write("message " + std::to_string(i)));
    REQUIRE(other.write("other " + std::to_string(i)));
    CHECK(other.read() == "other " + std::to_string(i));
    CHECK(talk.read() == "message " + std::to_string(i));
  }
  CHECK(talk.finish().ok());
  CHECK(other.finish().ok());
}

TEST_CASE("a large gRPC message goes both ways through the windows") {
  Routed routed;
  Call call{routed.channel(), "/echo.Echo/Large"};
  const std::string large(3'000'000, 'x');
  REQUIRE(call.write(large));
  CHECK(call.read() == large);
  CHECK(call.finish().ok());
}

TEST_CASE("the status of a failed gRPC call arrives, with and without messages before it") {
  Routed routed;
  const auto channel = routed.channel();
  Call fails{channel, "/echo.Echo/Fail"};
  CHECK(fails.read().empty());
  const auto failed = fails.finish();
  CHECK(failed.error_code() == grpc::StatusCode::NOT_FOUND);
  CHECK(failed.error_message() == "nothing of that name");

  Call breaks{channel, "/echo.Echo/Break"};
  REQUIRE(breaks.write("one"));
  CHECK(breaks.read() == "one");
  CHECK(breaks.read().empty());
  const auto broken = breaks.finish();
  CHECK(broken.error_code() == grpc::StatusCode::DATA_LOSS);
  CHECK(broken.error_message() == "no more of it");
}

TEST_CASE("gRPC is told in its own words what has no route, and what has no endpoint") {
  Routed routed;
  const auto channel = routed.channel();
  Call unknown{channel, "/other.Service/Method"};
  const auto status = unknown.finish();
  CHECK(status.error_code() == grpc::StatusCode::UNIMPLEMENTED);
  CHECK(status.error_message() == "no route for this request");

  routed.world.cluster("backend", {}).apply();
  Call unreachable{channel, "/echo.Echo/Once"};
  CHECK(unreachable.finish().error_code() == grpc::StatusCode::UNAVAILABLE);
}

} // namespace strait::gateway::proxy::testing
