#include "cmd/cli/listing.hpp"

#include "cmd/cli/table.hpp"

#include <optional>
#include <ostream>

namespace strait::cli {

namespace {

ExitCode show_rows(Context& context, const Listing& listing, std::string_view body) {
  std::optional<Table> table; // Without a row there is no header either.
  auto written = json::for_each_item(body, [&](std::string_view text) -> Status {
    auto item = kubernetes::parse_json(text, "the answer");
    if (!item)
      return fail(item.error());
    auto cells = listing.cells(*item);
    if (cells.empty())
      return {};
    if (!table)
      table.emplace(context.out, listing.header);
    table->row(std::move(cells));
    return {};
  });
  bool any = table.has_value();
  table.reset();
  if (!written)
    return report(bad_answer(written.error()), context);
  if (!any)
    context.err << listing.empty << "\n";
  return any ? ExitCode::ok : listing.empty_code;
}

} // namespace

ExitCode show_listing(const Arguments& arguments, Context& context, const Listing& listing,
                      bool watch) {
  auto connection = Connection::open(arguments, context);
  if (!connection)
    return report(connection.error(), context);
  return show_answer(*connection, context, listing.target, watch,
                     [&](const net::HttpResponse& answer) {
                       if (arguments.value("output") != "json") {
                         auto code = show_rows(context, listing, answer.body);
                         return watch ? ExitCode::ok : code;
                       }
                       context.out << answer.body << (answer.body.ends_with('\n') ? "" : "\n");
                       return ExitCode::ok;
                     });
}

Outcome<json::Node> parse_answer(const net::HttpResponse& answer) {
  auto parsed = kubernetes::parse_json(answer.body, "the answer");
  if (!parsed)
    return tl::unexpected{bad_answer(parsed.error())};
  return std::move(*parsed);
}

} // namespace strait::cli
