#include "cmd/cli/connection.hpp"

#include "cmd/cli/json.hpp"

#include <condition_variable>
#include <mutex>
#include <ostream>
#include <thread>

namespace strait::cli {

namespace {

constexpr const char* default_address = "127.0.0.1:8500";
/// Of one blocking query; well below the client's own limit of a request.
constexpr const char* watch_wait = "30s";

std::string first_of(const Arguments& arguments, Context& context, const char* option,
                     std::initializer_list<const char*> variables) {
  if (auto value = arguments.value(option); !value.empty())
    return value;
  for (const auto* variable : variables)
    if (auto value = context.environment(variable); !value.empty())
      return value;
  return "";
}

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' '))
    text.pop_back();
  return text;
}

/// What {"errors": ["…", …]} or {"error": {"detail": "…"}} say, or the body where it is plain text.
std::string errors_of(const net::HttpResponse& response) {
  auto body = trimmed(response.body);
  auto parsed = kubernetes::parse_json(body, "the answer");
  if (!parsed || body.front() != '{')
    return body;
  if (auto list = json::joined(json::find(&*parsed, "errors"), "\n"); !list.empty())
    return list;
  auto detail = json::text_at(*parsed, "error.detail");
  return detail.empty() ? body : detail;
}

} // namespace

Failure bad_answer(const Error& error) { return {ExitCode::failed, error.detail}; }

ExitCode report(const Failure& failure, Context& context) {
  context.err << "strait: " << failure.text << "\n";
  return failure.code;
}

Failure refusal(const net::HttpResponse& response, ExitCode refused) {
  auto text = errors_of(response);
  if (response.status == 404)
    return {ExitCode::not_found, text.empty() ? "not found" : text};
  if (response.status == 403)
    return {ExitCode::failed, (text.empty() ? "Permission denied" : text) +
                                  "\nA token can be given by --token or STRAIT_HTTP_TOKEN."};
  if (text.empty())
    text = fmt::format("the agent answered {}", response.status);
  // What the agent could not do is no fault of the input.
  return {response.status < 500 ? refused : ExitCode::failed, text};
}

Outcome<Connection> Connection::open(const Arguments& arguments, Context& context) {
  auto address =
      first_of(arguments, context, "http-addr", {"STRAIT_HTTP_ADDR", "CONSUL_HTTP_ADDR"});
  if (address.empty())
    address = default_address;
  auto token = first_of(arguments, context, "token", {"STRAIT_HTTP_TOKEN", "CONSUL_HTTP_TOKEN"});
  auto client = net::HttpClient::create(address);
  if (!client)
    return tl::unexpected{Failure{ExitCode::usage, "--http-addr: " + client.error().detail}};
  return Connection{std::move(*client), std::move(address), std::move(token), context};
}

Outcome<net::HttpResponse> Connection::exchange(net::HttpRequest request) {
  if (!token_.empty())
    request.fields.set("X-Consul-Token", token_);
  Progress progress{*context_, "waiting for the agent at " + address_};
  auto response = client_.send(request);
  if (response)
    return std::move(*response);
  if (response.error().code == Errc::unavailable)
    return tl::unexpected{
        Failure{ExitCode::unreachable,
                fmt::format("no agent can be reached at {}: {}\nIs `strait agent` running there? "
                            "Another address: --http-addr or STRAIT_HTTP_ADDR.",
                            address_, response.error().detail)}};
  return tl::unexpected{Failure{ExitCode::failed, response.error().detail}};
}

Outcome<net::HttpResponse> Connection::send(net::HttpRequest request, ExitCode refused) {
  auto response = exchange(std::move(request));
  if (response && response->status / 100 != 2)
    return tl::unexpected{refusal(*response, refused)};
  return response;
}

ExitCode show_answer(Connection& connection, Context& context, const std::string& target,
                     bool watch, const std::function<ExitCode(const net::HttpResponse&)>& show) {
  std::string index;
  while (true) {
    auto response = index.empty()
                        ? connection.get(target)
                        : connection.get(with_parameter(with_parameter(target, "index", index),
                                                        "wait", watch_wait));
    if (!response)
      return report(response.error(), context);
    std::string newer{response->fields.get("X-Consul-Index")};
    if (newer != index || !watch) {
      if (auto code = show(*response); code != ExitCode::ok || !watch)
        return code;
      context.out << std::flush;
    }
    if (newer.empty())
      return report({ExitCode::failed, "the agent's answer has no index: it cannot be watched"},
                    context);
    index = std::move(newer);
  }
}

std::string with_parameter(std::string target, std::string_view key, std::string_view value) {
  if (value.empty())
    return target;
  target += target.find('?') == std::string::npos ? '?' : '&';
  target += key;
  target += '=';
  target += net::percent_encode(value);
  return target;
}

struct Progress::Ticker {
  std::mutex mutex;
  std::condition_variable ended;
  bool done = false;
  std::thread thread;
};

Progress::Progress(Context& context, std::string text, Millis interval) {
  if (!context.terminal)
    return;
  ticker_ = std::make_unique<Ticker>();
  ticker_->thread = std::thread{[ticker = ticker_.get(), &err = context.err, text = std::move(text),
                                 interval] {
    std::unique_lock lock{ticker->mutex};
    for (auto waited = interval;
         !ticker->ended.wait_for(lock, interval, [&] { return ticker->done; }); waited += interval)
      err << fmt::format("strait: {} ({:g} s)\n", text, static_cast<double>(waited.count()) / 1e3)
          << std::flush;
  }};
}

Progress::~Progress() {
  if (!ticker_)
    return;
  {
    std::lock_guard lock{ticker_->mutex};
    ticker_->done = true;
  }
  ticker_->ended.notify_all();
  ticker_->thread.join();
}

} // namespace strait::cli
