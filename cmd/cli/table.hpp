#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace strait::cli {

/// Columns for people, aligned, two blanks between them. The first rows are kept to find out how
/// wide the columns are; from then on each row is written as it comes, so that a listing of any
/// length starts at once and takes no memory.
class Table {
public:
  static constexpr std::size_t rows_kept_max = 1'000;

  Table(std::ostream& out, std::vector<std::string> header);
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;
  /// Writes what is kept.
  ~Table();

  /// One cell for each column; empty cells show as "-". Line breaks and other control characters
  /// show as blanks, so that nobody's text can move the cursor.
  void row(std::vector<std::string> cells);
  std::size_t rows() const { return rows_; }

private:
  void write(const std::vector<std::string>& cells);
  void write_kept();

  std::ostream& out_;
  std::vector<std::vector<std::string>> kept_;
  std::vector<std::size_t> widths_;
  bool streaming_ = false;
  std::size_t rows_ = 0;
};

/// How many columns a text takes on a terminal: code points of UTF-8.
std::size_t display_width(std::string_view text);

} // namespace strait::cli
