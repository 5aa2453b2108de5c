#include "base/log.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

namespace strait {

struct Log::Sink {
  spdlog::logger logger;
};

Log Log::to_stderr(LogLevel level) {
  auto stderr_sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  Log log;
  log.sink_ = std::make_shared<Sink>(Sink{spdlog::logger{"", std::move(stderr_sink)}});
  log.sink_->logger.set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %-5l %v", spdlog::pattern_time_type::utc);
  log.sink_->logger.set_level(static_cast<spdlog::level::level_enum>(
      level == LogLevel::off ? static_cast<int>(spdlog::level::off) : static_cast<int>(level)));
  log.sink_->logger.flush_on(spdlog::level::trace);
  return log;
}

Log Log::named(std::string component) const {
  Log log{*this};
  log.component_ = std::move(component);
  return log;
}

bool Log::enabled(LogLevel level) const {
  return sink_ && sink_->logger.should_log(static_cast<spdlog::level::level_enum>(level));
}

void Log::write(LogLevel level, std::string_view text) const {
  if (sink_)
    sink_->logger.log(static_cast<spdlog::level::level_enum>(level), "{}: {}", component_, text);
}

} // namespace strait
