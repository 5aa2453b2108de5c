#include "cmd/cli/table.hpp"

#include <algorithm>
#include <cassert>
#include <ostream>
#include <string_view>

namespace strait::cli {

namespace {

std::string shown(std::string cell) {
  if (cell.empty())
    return "-";
  for (auto& c : cell)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      c = ' ';
  return cell;
}

} // namespace

std::size_t display_width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0u) != 0x80u; // Not a continuation byte.
  }));
}

Table::Table(std::ostream& out, std::vector<std::string> header)
    : out_{out}, widths_(header.size(), 0) {
  kept_.push_back(std::move(header));
}

Table::~Table() { write_kept(); }

void Table::row(std::vector<std::string> cells) {
  assert(cells.size() == widths_.size());
  ++rows_;
  std::transform(cells.begin(), cells.end(), cells.begin(), shown);
  if (streaming_) {
    write(cells);
    return;
  }
  kept_.push_back(std::move(cells));
  if (kept_.size() > rows_kept_max) {
    write_kept();
    streaming_ = true;
  }
}

void Table::write_kept() {
  for (const auto& cells : kept_)
    for (std::size_t i = 0; i < cells.size(); ++i)
      widths_[i] = std::max(widths_[i], display_width(cells[i]));
  for (const auto& cells : kept_)
    write(cells);
  kept_.clear();
}

void Table::write(const std::vector<std::string>& cells) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    line += cells[i];
    if (i + 1 < cells.size())
      line.append(widths_[i] - std::min(widths_[i], display_width(cells[i])) + 2, ' ');
  }
  out_ << line << '\n';
}

} // namespace strait::cli
