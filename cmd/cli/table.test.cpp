#include "cmd/cli/table.hpp"

#include <catch2/catch.hpp>

#include <sstream>

namespace strait::cli {

TEST_CASE("columns are as wide as their widest cell, and the last one is not padded") {
  std::ostringstream out;
  {
    Table table{out, {"NAME", "PORT"}};
    table.row({"web", "80"});
    table.row({"a-longer-name", "443"});
  }
  CHECK(out.str() == "NAME           PORT\n"
                     "web            80\n"
                     "a-longer-name  443\n");
}

TEST_CASE("width counts characters, empty cells show a dash, control characters a blank") {
  std::ostringstream out;
  {
    Table table{out, {"A", "B"}};
    table.row({"Zürich", "x"});
    table.row({"", "one\ntwo\x1b[31m"});
  }
  CHECK(out.str() == "A       B\n"
                     "Zürich  x\n"
                     "-       one two [31m\n");
}

TEST_CASE("a listing that is longer than what is kept is written as it comes") {
  std::ostringstream out;
  Table table{out, {"N", "X"}};
  for (std::size_t i = 1; i < Table::rows_kept_max; ++i)
    table.row({std::to_string(i), "x"});
  CHECK(out.str().empty());
  table.row({"1000", "x"});
  auto lines = [&] {
    auto text = out.str();
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  };
  CHECK(lines() == Table::rows_kept_max + 1);
  table.row({"a row wider than those before", "x"});
  CHECK(lines() == Table::rows_kept_max + 2);
  CHECK(out.str().ends_with("a row wider than those before  x\n"));
  CHECK(table.rows() == Table::rows_kept_max + 1);
}

} // namespace strait::cli
