#pragma once

#include "base/time.hpp"
#include "cmd/cli/command.hpp"
#include "net/http_client.hpp"

namespace strait::cli {

/// Why a command ends without having done its work: what to exit with and what to say.
struct Failure {
  ExitCode code = ExitCode::failed;
  std::string text;
};
template <class T>
using Outcome = tl::expected<T, Failure>;

/// The agent's answer could not be read.
Failure bad_answer(const Error& error);
/// Writes it to `context.err` and returns its code, for a command to end with.
ExitCode report(const Failure& failure, Context& context);

/// How long an answer may take before a person is told that it is being waited for, again and
/// again.
inline constexpr Millis patience{2'000};

/// The HTTP API of one agent. One thread.
class Connection {
public:
  /// At --http-addr, STRAIT_HTTP_ADDR, CONSUL_HTTP_ADDR or 127.0.0.1:8500; nothing is sent yet.
  static Outcome<Connection> open(const Arguments& arguments, Context& context);

  /// Answers of 2xx only. 404 is not_found, other answers are `refused`, no answer is unreachable.
  Outcome<net::HttpResponse> get(std::string target) { return send({"GET", std::move(target)}); }
  Outcome<net::HttpResponse> del(std::string target) { return send({"DELETE", std::move(target)}); }
  Outcome<net::HttpResponse> put(std::string target, std::string body = {},
                                 ExitCode refused = ExitCode::failed) {
    return send({"PUT", std::move(target), {}, std::move(body)}, refused);
  }
  Outcome<net::HttpResponse> post(std::string target, std::string body,
                                  ExitCode refused = ExitCode::failed) {
    return send({"POST", std::move(target), {}, std::move(body)}, refused);
  }
  Outcome<net::HttpResponse> send(net::HttpRequest request, ExitCode refused = ExitCode::failed);
  /// The answer, whatever its status.
  Outcome<net::HttpResponse> exchange(net::HttpRequest request);

  const std::string& address() const { return address_; }

private:
  Connection(net::HttpClient client, std::string address, std::string token, Context& context)
      : client_{std::move(client)}, address_{std::move(address)}, token_{std::move(token)},
        context_{&context} {}

  net::HttpClient client_;
  std::string address_, token_;
  Context* context_;
};

/// What to say of an answer that is not 2xx.
Failure refusal(const net::HttpResponse& response, ExitCode refused);

/// Calls `show` with the answer to `target`; with `watch` again after every change, until the agent
/// goes away or `show` returns another code than ok.
ExitCode show_answer(Connection& connection, Context& context, const std::string& target,
                     bool watch, const std::function<ExitCode(const net::HttpResponse&)>& show);

/// `target` with "&key=value" (or "?…"), the value encoded; unchanged for an empty value.
std::string with_parameter(std::string target, std::string_view key, std::string_view value);

/// Something goes on for so long that a person should be told: writes "text (4 s)" every
/// `interval`, from a thread of its own, until it is destroyed. Does nothing without a terminal.
class Progress {
public:
  Progress(Context& context, std::string text, Millis interval = patience);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();

private:
  struct Ticker;
  std::unique_ptr<Ticker> ticker_;
};

} // namespace strait::cli
