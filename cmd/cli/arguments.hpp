#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace strait::cli {

/// What was given on the command line, by the name of the option ("output") or of the positional
/// ("KIND"); defaults are filled in. Asking for a name that the command does not declare is a bug.
class Arguments {
public:
  void set(const std::string& name, std::vector<std::string> values) {
    values_[name] = std::move(values);
  }

  bool flag(const std::string& name) const { return !values_.at(name).empty(); }
  bool given(const std::string& name) const { return flag(name); }
  /// Empty if not given and without a default.
  std::string value(const std::string& name) const;
  const std::vector<std::string>& values(const std::string& name) const { return values_.at(name); }

private:
  std::map<std::string, std::vector<std::string>> values_;
};

/// A decimal number within bounds. Errors name the option.
Result<std::uint64_t> number(std::string_view option, std::string_view text, std::uint64_t minimum,
                             std::uint64_t maximum);
/// "90s", "1500ms", "2m"; a bare number is seconds. In milliseconds.
Result<std::uint64_t> duration_ms(std::string_view option, std::string_view text);

} // namespace strait::cli
