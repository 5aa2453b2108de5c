#include "cmd/cli/apply_results.hpp"

#include "cmd/cli/json.hpp"

#include <optional>
#include <ostream>

namespace strait::cli {

namespace {

std::string name_of(const json::Node& result) {
  auto ns = json::text_at(result, "namespace");
  return json::text_at(result, "kind") + " " + (ns.empty() ? "" : ns + "/") +
         json::text_at(result, "name");
}

/// One line for each result, or its JSON behind `separator`.
Status write_results(const net::HttpResponse& answer, Context& context, const SendOptions& options,
                     std::string& separator) {
  auto results = json::member(answer.body, "results");
  if (!results)
    return fail(Errc::corrupt, "the agent's answer has no results: {}", answer.body);
  return json::for_each_item(*results, [&](std::string_view text) -> Status {
    if (options.json) {
      context.out << std::exchange(separator, ",") << text;
      return {};
    }
    auto result = kubernetes::parse_json(text, "the answer");
    if (!result)
      return fail(result.error());
    auto error = json::text_at(*result, "error.detail");
    context.out << name_of(*result) << " " << json::text_at(*result, "result")
                << (error.empty() ? "" : ": ") << error << options.note << "\n";
    return {};
  });
}

/// Writes the results and says what is wrong, if anything. An answer that is not 2xx has results
/// too, when only some of the objects failed.
std::optional<Failure> failure_in(const Outcome<net::HttpResponse>& answer, Context& context,
                                  const SendOptions& options, std::string& separator) {
  if (!answer)
    return answer.error();
  bool done = answer->status / 100 == 2;
  if (!done && !json::member(answer->body, "results"))
    return refusal(*answer, ExitCode::invalid);
  if (auto written = write_results(*answer, context, options, separator); !written)
    return bad_answer(written.error());
  if (!done)
    return Failure{ExitCode::failed, "some objects were refused"};
  return {};
}

} // namespace

ExitCode send_documents(Connection& connection, Context& context, const SendOptions& options,
                        const std::vector<Input>& inputs) {
  std::string separator;
  std::size_t sent = 0;
  if (options.json)
    context.out << "{\"results\":[";
  auto code = ExitCode::ok;
  for (const auto& input : inputs) {
    net::HttpRequest request{"POST", options.target};
    bool is_json = input.text.find_first_not_of(" \t\r\n") != std::string::npos &&
                   input.text[input.text.find_first_not_of(" \t\r\n")] == '{';
    request.fields.add("Content-Type", is_json ? "application/json" : "application/yaml");
    request.body = input.text;
    auto answer = connection.exchange(std::move(request));
    if (auto failed = failure_in(answer, context, options, separator)) {
      failed->text = input.source + ": " + failed->text;
      if (sent != 0)
        failed->text += fmt::format("\nThe {} file(s) before it are done.", sent);
      code = report(*failed, context);
      break;
    }
    ++sent;
    if (context.terminal && inputs.size() > 1 && sent % 50 == 0)
      context.err << fmt::format("strait: {} of {} files\n", sent, inputs.size());
  }
  if (options.json)
    context.out << "]}\n";
  return code;
}

} // namespace strait::cli
