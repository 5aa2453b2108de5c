#include "net/http1_parser.hpp"
#include "net/http1_scan.hpp"

#include <algorithm>

namespace strait::net::http1 {

namespace {

std::uint32_t narrow(std::size_t value) { return static_cast<std::uint32_t>(value); }

ParseError version_error(std::string_view text) {
  auto digit = [](char c) { return c >= '0' && c <= '9'; };
  bool shaped = text.size() == 8 && text.substr(0, 5) == "HTTP/" && digit(text[5]) &&
                text[6] == '.' && digit(text[7]);
  if (!shaped)
    return ParseError::bad_version;
  bool known = text[5] == '1' && (text[7] == '0' || text[7] == '1');
  return known ? ParseError::none : ParseError::version_unsupported;
}

} // namespace

void RequestParser::reset() {
  restart();
  auto& r = request_;
  r.method_ = Method::other;
  r.target_form_ = TargetForm::origin;
  r.has_query_ = r.expects_continue_ = false;
  r.port_ = 0;
  r.method_text_ = r.target_ = r.path_ = r.query_ = r.authority_ = r.host_ = {};
}

void RequestParser::release_memory() {
  reset();
  std::vector<Field>{}.swap(request_.fields_);
}

Progress RequestParser::parse(std::string_view bytes) {
  if (error_ != ParseError::none)
    return Progress::failed;
  if (request_.bytes_ > 0)
    return Progress::done;
  request_.base_ = bytes.data();
  for (;;) {
    // Told at once, not only with the end of the line: TLS or noise on a plain port.
    if (!started_ && line_ < bytes.size() && !is(char_token, bytes[line_]) &&
        bytes[line_] != '\r' && bytes[line_] != '\n')
      return fail(ParseError::bad_method);
    auto found =
        started_ ? next_line(bytes, limits_.field_line_bytes_max, ParseError::field_line_too_long)
                 : next_line(bytes, limits_.start_line_bytes_max, ParseError::target_too_long);
    if (found != Line::found)
      return found == Line::failed ? Progress::failed : Progress::need_more;
    bool empty = end_ - line_ == 2;
    if (!started_) {
      if (empty && blank_)
        return fail(ParseError::bad_start_line);
      if (empty)
        blank_ = true; // One is ignored (RFC 9112 §2.2).
      else if (!read_request_line(bytes.substr(0, end_ - 2)))
        return Progress::failed;
      else
        started_ = true;
    } else if (empty) {
      return finish();
    } else if (!read_field(bytes)) {
      return Progress::failed;
    }
    line_ = end_;
  }
}

bool RequestParser::read_request_line(std::string_view line) {
  auto refuse = [&](ParseError error) { return fail(error), false; };
  auto method_end = find_not(char_token, line, line_);
  if (method_end == line_)
    return refuse(ParseError::bad_method);
  if (method_end - line_ > limits_.method_bytes_max)
    return refuse(ParseError::method_too_long);
  if (method_end == line.size())
    return refuse(ParseError::bad_start_line);
  if (line[method_end] == '\r')
    return refuse(ParseError::bare_cr);
  if (line[method_end] != ' ')
    return refuse(ParseError::bad_method);
  auto target = method_end + 1;
  auto target_end = find_not(char_target, line, target);
  if (target_end == line.size())
    return refuse(target_end == target ? ParseError::bad_start_line : ParseError::http09);
  if (line[target_end] == '\r')
    return refuse(ParseError::bare_cr);
  if (line[target_end] != ' ' || target_end == target)
    return refuse(ParseError::bad_target);
  auto version = line.substr(target_end + 1);
  if (version.find('\r') != std::string_view::npos)
    return refuse(ParseError::bare_cr);
  if (auto error = version_error(version); error != ParseError::none)
    return refuse(error);
  request_.version_minor_ = version[7] == '1';
  request_.method_text_ = {narrow(line_), narrow(method_end - line_)};
  request_.method_ = method_of(request_.method_text());
  request_.target_ = {narrow(target), narrow(target_end - target)};
  return read_target();
}

bool RequestParser::read_target() {
  auto refuse = [&] { return fail(ParseError::bad_target), false; };
  auto target = request_.target();
  auto begin = request_.target_.offset;
  if (request_.method_ == Method::connect) {
    request_.target_form_ = TargetForm::authority;
    request_.authority_ = request_.target_;
    // A tunnel needs a port (RFC 9112 §3.2.3).
    return (read_authority(request_.authority_) && request_.port_ > 0 && request_.host_.size > 0) ||
           refuse();
  }
  std::size_t path = 0;
  if (target == "*") {
    request_.target_form_ = TargetForm::asterisk;
    return request_.method_ == Method::options || refuse();
  }
  if (target.front() != '/') {
    request_.target_form_ = TargetForm::absolute;
    auto scheme = target.find("://");
    if (scheme == std::string_view::npos ||
        (!equal_ignoring_case(target.substr(0, scheme), "http") &&
         !equal_ignoring_case(target.substr(0, scheme), "https")))
      return refuse();
    auto host = scheme + 3;
    path = std::min(target.find_first_of("/?", host), target.size());
    request_.authority_ = {begin + narrow(host), narrow(path - host)};
    if (!read_authority(request_.authority_) || request_.host_.size == 0)
      return refuse();
  }
  auto query = target.find('?', path);
  auto path_end = std::min(query, target.size());
  request_.path_ = {begin + narrow(path), narrow(path_end - path)};
  if (query != std::string_view::npos) {
    request_.has_query_ = true;
    request_.query_ = {begin + narrow(query + 1), narrow(target.size() - query - 1)};
  }
  return true;
}

/// uri-host [ ":" port ], without user information (RFC 9110 §4.2.4).
bool RequestParser::read_authority(Slice slice) {
  auto text = request_.view(slice);
  std::size_t host_end = 0;
  if (!text.empty() && text.front() == '[') {
    auto close = text.find(']');
    if (close == std::string_view::npos || close < 3)
      return false;
    auto inner = text.substr(1, close - 1);
    auto hex = [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') ||
             c == ':' || c == '.';
    };
    if (!std::all_of(inner.begin(), inner.end(), hex))
      return false;
    host_end = close + 1;
  } else {
    host_end = find_not(char_host, text, 0);
  }
  request_.host_ = {slice.offset, narrow(host_end)};
  request_.port_ = 0;
  if (host_end == text.size())
    return true;
  auto port = text.substr(host_end + 1);
  if (text[host_end] != ':' || port.size() > 5)
    return false;
  unsigned number = 0;
  for (char c : port) {
    if (c < '0' || c > '9')
      return false;
    number = number * 10 + static_cast<unsigned>(c - '0');
  }
  request_.port_ = static_cast<std::uint16_t>(number);
  return number <= 65535 && (port.empty() || number > 0) && (host_end > 0 || text.empty());
}

Progress RequestParser::finish() {
  if (hosts_ > 1)
    return fail(ParseError::host_repeated);
  if (hosts_ == 0 && request_.version_minor_ == 1)
    return fail(ParseError::host_missing);
  if (hosts_ == 1) {
    auto target_host = request_.host_;
    auto target_port = request_.port_;
    auto slice = request_.find(HeaderId::host)->value;
    if (!read_authority(slice))
      return fail(ParseError::bad_host);
    if (request_.target_form_ == TargetForm::origin ||
        request_.target_form_ == TargetForm::asterisk) {
      request_.authority_ = slice;
    } else {
      request_.host_ = target_host;
      request_.port_ = target_port;
    }
  }
  if (!read_common(true))
    return Progress::failed;
  if (const auto* expect = request_.find(HeaderId::expect)) {
    // An HTTP/1.0 client cannot wait for an answer it does not know (RFC 9110 §10.1.1).
    if (request_.version_minor_ == 1) {
      if (!equal_ignoring_case(request_.value(*expect), "100-continue"))
        return fail(ParseError::bad_expect);
      request_.expects_continue_ = request_.framing_ != Framing::none;
    }
  }
  request_.bytes_ = narrow(end_);
  return Progress::done;
}

} // namespace strait::net::http1
