#pragma once

#include <fmt/core.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace strait {

enum class LogLevel { trace, debug, info, warn, error, off };

/// Where a component writes what operators should read. A value: copies share the sink. Built once
/// in cmd/ and passed down; there is no global logger. Any thread may call.
class Log {
public:
  /// Writes nothing: for tests and for machines that were given no log.
  Log() = default;
  /// Writes lines "2026-11-23T12:00:00.123Z info  catalog: text" to standard error.
  static Log to_stderr(LogLevel level);
  /// The same sink under another component's name ("peering", "gateway default/edge").
  Log named(std::string component) const;

  bool enabled(LogLevel level) const;
  void write(LogLevel level, std::string_view text) const;

  template <class... Args>
  void debug(fmt::format_string<Args...> text, Args&&... args) const {
    if (enabled(LogLevel::debug))
      write(LogLevel::debug, fmt::format(text, std::forward<Args>(args)...));
  }
  template <class... Args>
  void info(fmt::format_string<Args...> text, Args&&... args) const {
    if (enabled(LogLevel::info))
      write(LogLevel::info, fmt::format(text, std::forward<Args>(args)...));
  }
  template <class... Args>
  void warn(fmt::format_string<Args...> text, Args&&... args) const {
    if (enabled(LogLevel::warn))
      write(LogLevel::warn, fmt::format(text, std::forward<Args>(args)...));
  }
  template <class... Args>
  void error(fmt::format_string<Args...> text, Args&&... args) const {
    if (enabled(LogLevel::error))
      write(LogLevel::error, fmt::format(text, std::forward<Args>(args)...));
  }

private:
  struct Sink;
  std::shared_ptr<Sink> sink_;
  std::string component_;
};

} // namespace strait
