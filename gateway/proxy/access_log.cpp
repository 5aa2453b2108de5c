#include "gateway/proxy/access_log.hpp"

#include <fmt/format.h>

#include <iterator>

namespace strait::gateway::proxy {

namespace {

/// Inside double quotes, in JSON and in text alike.
void append_escaped(std::string_view text, std::string& out) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      out.append(1, '\\').append(1, c);
    else if (byte < 0x20 || byte >= 0x7f)
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(byte));
    else
      out.append(1, c);
  }
}

void append_text(std::string_view text, std::string& out) {
  out.append(" \"");
  append_escaped(text, out);
  out.append(1, '"');
}

void append_member(std::string_view name, std::string_view text, std::string& out) {
  fmt::format_to(std::back_inserter(out), ",\"{}\":\"", name);
  append_escaped(text, out);
  out.append(1, '"');
}

} // namespace

void append_access_line(AccessLogFormat format, const AccessEntry& entry, std::string& out) {
  const auto since = entry.began.time_since_epoch().count();
  if (format == AccessLogFormat::json) {
    fmt::format_to(std::back_inserter(out),
                   "{{\"time_ms\":{},\"took_ms\":{},\"status\":{},\"bytes_in\":{},\"bytes_out\":{}",
                   since, entry.took.count(), entry.status, entry.bytes_in, entry.bytes_out);
    append_member("client", entry.client, out);
    append_member("method", entry.method, out);
    append_member("host", entry.host, out);
    append_member("target", entry.target, out);
    append_member("listener", entry.listener, out);
    append_member("route", entry.route, out);
    append_member("cluster", entry.cluster, out);
    append_member("endpoint", entry.endpoint, out);
    append_member("user_agent", entry.user_agent, out);
    append_member("request_id", entry.request_id, out);
    append_member("failure", entry.failure, out);
    out.append("}\n");
    return;
  }
  out.append(to_rfc3339(entry.began));
  append_text(entry.client, out);
  append_text(entry.method, out);
  append_text(entry.host, out);
  append_text(entry.target, out);
  fmt::format_to(std::back_inserter(out), " {} {}ms in={} out={}", entry.status, entry.took.count(),
                 entry.bytes_in, entry.bytes_out);
  append_text(entry.listener, out);
  append_text(entry.route, out);
  append_text(entry.cluster, out);
  append_text(entry.endpoint, out);
  append_text(entry.user_agent, out);
  append_text(entry.request_id, out);
  append_text(entry.failure, out);
  out.append(1, '\n');
}

bool AccessBuffer::add(const AccessEntry& entry) {
  line_.clear();
  append_access_line(format_, entry, line_);
  std::lock_guard lock{mutex_};
  if (lines_.size() + line_.size() > bytes_max_)
    return false;
  lines_.append(line_);
  return true;
}

void AccessBuffer::take(std::string& lines) {
  std::lock_guard lock{mutex_};
  lines.swap(lines_);
}

AccessLog::AccessLog(AccessLogOptions options) : options_{std::move(options)} {
  if (options_.format != AccessLogFormat::off && options_.sink)
    thread_ = std::thread{[this] { run(); }};
}

AccessLog::~AccessLog() {
  if (!thread_.joinable())
    return;
  {
    std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  stop_.notify_one();
  thread_.join();
}

AccessBuffer& AccessLog::add_worker() {
  std::lock_guard lock{mutex_};
  return *buffers_.emplace_back(
      std::make_unique<AccessBuffer>(options_.format, options_.buffer_bytes_max));
}

void AccessLog::write() {
  for (const auto& buffer : buffers_) {
    lines_.clear();
    buffer->take(lines_);
    if (!lines_.empty())
      options_.sink(lines_);
  }
}

void AccessLog::run() {
  std::unique_lock lock{mutex_};
  while (!stopping_) {
    stop_.wait_for(lock, options_.flush_interval, [&] { return stopping_; });
    write();
  }
  write();
}

} // namespace strait::gateway::proxy
