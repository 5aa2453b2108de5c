#include "net/http1_parser.hpp"
#include "net/http1_scan.hpp"

namespace strait::net::http1 {

namespace {

std::uint32_t narrow(std::size_t value) { return static_cast<std::uint32_t>(value); }

} // namespace

void ResponseParser::reset() {
  restart();
  response_.status_ = 0;
  response_.reason_ = {};
}

void ResponseParser::release_memory() {
  reset();
  std::vector<Field>{}.swap(response_.fields_);
}

Progress ResponseParser::parse(std::string_view bytes, ResponseTo request) {
  if (error_ != ParseError::none)
    return Progress::failed;
  if (response_.bytes_ > 0)
    return Progress::done;
  response_.base_ = bytes.data();
  if (!started_ && !bytes.empty() && bytes[0] != 'H')
    return fail(ParseError::bad_start_line);
  for (;;) {
    auto found =
        started_ ? next_line(bytes, limits_.field_line_bytes_max, ParseError::field_line_too_long)
                 : next_line(bytes, limits_.start_line_bytes_max, ParseError::target_too_long);
    if (found != Line::found)
      return found == Line::failed ? Progress::failed : Progress::need_more;
    if (!started_) {
      if (!read_status_line(bytes.substr(0, end_ - 2)))
        return Progress::failed;
      started_ = true;
    } else if (end_ - line_ == 2) {
      if (!finish(request))
        return Progress::failed;
      response_.bytes_ = narrow(end_);
      return Progress::done;
    } else if (!read_field(bytes)) {
      return Progress::failed;
    }
    line_ = end_;
  }
}

// HTTP/1.1 200 OK; the blank behind the code may be missing together with the reason, as many
// servers send it.
bool ResponseParser::read_status_line(std::string_view line) {
  auto refuse = [&](ParseError error) { return fail(error), false; };
  auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (line.size() < 8 || line.substr(0, 5) != "HTTP/" || !digit(line[5]) || line[6] != '.' ||
      !digit(line[7]))
    return refuse(ParseError::bad_version);
  if (line[5] != '1' || line[7] > '1')
    return refuse(ParseError::version_unsupported);
  if (line.size() < 12 || line[8] != ' ')
    return refuse(ParseError::bad_start_line);
  int status = 0;
  for (std::size_t i = 9; i < 12; ++i) {
    if (!digit(line[i]))
      return refuse(ParseError::bad_status);
    status = status * 10 + (line[i] - '0');
  }
  if (status < 100 || status > 599)
    return refuse(ParseError::bad_status);
  if (line.size() > 12 && line[12] != ' ')
    return refuse(ParseError::bad_status);
  auto reason = line.size() > 13 ? std::size_t{13} : line.size();
  auto stop = find_value_end(line, reason);
  if (stop != line.size())
    return refuse(line[stop] == '\r' ? ParseError::bare_cr : ParseError::bad_start_line);
  response_.version_minor_ = line[7] == '1';
  response_.status_ = status;
  response_.reason_ = {narrow(reason), narrow(line.size() - reason)};
  return true;
}

// RFC 9112 §6.3.
bool ResponseParser::finish(ResponseTo request) {
  if (!read_common(false))
    return false;
  auto& r = response_;
  bool switching = r.status_ == 101;
  bool tunnel = request == ResponseTo::connect && r.status_ >= 200 && r.status_ < 300;
  bool bodiless = r.status_ < 200 || r.status_ == 204 || tunnel;
  if (bodiless) {
    // A length here is the sender's error: whatever follows cannot be told from a next response.
    if (r.framing_ == Framing::chunked || r.framing_ == Framing::length)
      r.keep_alive_ = false;
    r.framing_ = Framing::none;
  } else if (request == ResponseTo::head || r.status_ == 304) {
    r.framing_ = Framing::none; // Content-Length says what a GET would have had.
  }
  if (switching && !r.upgrade_)
    return fail(ParseError::bad_upgrade), false;
  r.upgrade_ = switching;
  if (r.framing_ == Framing::until_close || switching || tunnel)
    r.keep_alive_ = false;
  return true;
}

} // namespace strait::net::http1
