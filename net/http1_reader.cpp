#include "net/http1_parser.hpp"
#include "net/http1_scan.hpp"

#include <cstring>
#include <limits>

namespace strait::net::http1 {

namespace {

std::string_view trimmed(std::string_view text) {
  auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && blank(text.back()))
    text.remove_suffix(1);
  return text;
}

/// Calls back with each element of a comma-separated list, empty ones included.
template <class F>
bool each_element(std::string_view list, F callback) {
  for (;;) {
    auto comma = list.find(',');
    if (!callback(trimmed(list.substr(0, comma))))
      return false;
    if (comma == std::string_view::npos)
      return true;
    list.remove_prefix(comma + 1);
  }
}

/// What a peer may not have stripped by naming it in Connection: it decides about framing, routing
/// or access further on.
bool may_not_be_nominated(HeaderId id) {
  switch (id) {
  case HeaderId::host:
  case HeaderId::content_length:
  case HeaderId::content_type:
  case HeaderId::authorization:
  case HeaderId::cache_control:
  case HeaderId::cookie:
  case HeaderId::forwarded:
  case HeaderId::x_forwarded_for:
  case HeaderId::x_forwarded_host:
  case HeaderId::x_forwarded_port:
  case HeaderId::x_forwarded_proto:
  case HeaderId::x_real_ip:
    return true;
  default:
    return false;
  }
}

bool always_hop_by_hop(HeaderId id) {
  switch (id) {
  case HeaderId::connection:
  case HeaderId::http2_settings:
  case HeaderId::keep_alive:
  case HeaderId::proxy_connection:
  case HeaderId::te:
  case HeaderId::transfer_encoding:
  case HeaderId::upgrade:
    return true;
  default:
    return false;
  }
}

std::uint32_t narrow(std::size_t value) { return static_cast<std::uint32_t>(value); }

} // namespace

Progress HeadReader::fail(ParseError error) {
  error_ = error;
  return Progress::failed;
}

void HeadReader::restart() {
  head_.clear();
  error_ = ParseError::none;
  line_ = scanned_ = end_ = 0;
  started_ = blank_ = false;
  close_ = keep_ = upgrade_token_ = chunked_ = nominates_ = false;
  hosts_ = lengths_ = encodings_ = 0;
}

// A line is looked at only once it is whole, so that bytes that arrive one by one are still seen
// once; and its error does not depend on how it was cut into pieces.
HeadReader::Line HeadReader::next_line(std::string_view bytes, std::size_t line_max,
                                       ParseError too_long) {
  const char* lf = nullptr;
  if (scanned_ < bytes.size())
    lf = static_cast<const char*>(
        std::memchr(bytes.data() + scanned_, '\n', bytes.size() - scanned_));
  auto end = lf ? static_cast<std::size_t>(lf - bytes.data()) + 1 : bytes.size();
  auto needed = lf ? end : end + 1; // Without its LF the line has at least one byte more.
  // The nearer maximum is named, so that the error does not depend on how the bytes arrived.
  bool line_is_nearer = line_ + line_max <= limits_.head_bytes_max;
  if (needed > (line_is_nearer ? line_ + line_max : limits_.head_bytes_max)) {
    fail(line_is_nearer ? too_long : ParseError::head_too_large);
    return Line::failed;
  }
  scanned_ = end;
  end_ = end;
  if (!lf)
    return Line::need_more;
  if (end - line_ < 2 || bytes[end - 2] != '\r') {
    fail(ParseError::bare_lf);
    return Line::failed;
  }
  return Line::found;
}

bool HeadReader::read_field(std::string_view bytes) {
  auto line = bytes.substr(0, end_ - 2);
  if (line[line_] == ' ' || line[line_] == '\t')
    return fail(head_.fields_.empty() ? ParseError::bad_field_name : ParseError::obs_fold), false;
  auto colon = find_not(char_token, line, line_);
  if (colon == line_ || colon == line.size() || line[colon] != ':')
    return fail(ParseError::bad_field_name), false;
  auto value = colon + 1;
  while (value < line.size() && (line[value] == ' ' || line[value] == '\t'))
    ++value;
  auto stop = find_value_end(line, value);
  if (stop != line.size())
    return fail(line[stop] == '\r' ? ParseError::bare_cr : ParseError::bad_field_value), false;
  while (stop > value && (line[stop - 1] == ' ' || line[stop - 1] == '\t'))
    --stop;
  if (head_.fields_.size() >= limits_.fields_max)
    return fail(ParseError::too_many_fields), false;

  Field field;
  field.name = {narrow(line_), narrow(colon - line_)};
  field.value = {narrow(value), narrow(stop - value)};
  field.line = {narrow(line_), narrow(end_ - line_)};
  field.id = header_id(line.substr(line_, colon - line_));
  field.hop_by_hop = always_hop_by_hop(field.id);
  head_.fields_.push_back(field);
  head_.present_ |= std::uint64_t{1} << static_cast<unsigned>(field.id);

  auto text = line.substr(value, stop - value);
  switch (field.id) {
  case HeaderId::host:
    ++hosts_;
    return true;
  case HeaderId::connection:
    return note_connection(text);
  case HeaderId::content_length:
    return note_content_length(text);
  case HeaderId::transfer_encoding:
    return note_transfer_encoding(text);
  default:
    return true;
  }
}

bool HeadReader::note_connection(std::string_view value) {
  return each_element(value, [&](std::string_view option) {
    if (equal_ignoring_case(option, "close"))
      close_ = true;
    else if (equal_ignoring_case(option, "keep-alive"))
      keep_ = true;
    else if (equal_ignoring_case(option, "upgrade"))
      upgrade_token_ = true;
    else if (is_token(option))
      nominates_ = true;
    else if (!option.empty())
      return fail(ParseError::bad_field_value), false;
    return true;
  });
}

bool HeadReader::note_content_length(std::string_view value) {
  if (++lengths_ > 1)
    return fail(ParseError::repeated_content_length), false;
  // A list of equal lengths is allowed to be read as one (RFC 9110 §8.6) or refused: refused.
  if (value.empty() || value.size() > 19)
    return fail(ParseError::bad_content_length), false;
  std::uint64_t length = 0;
  for (char c : value) {
    if (c < '0' || c > '9')
      return fail(ParseError::bad_content_length), false;
    length = length * 10 + static_cast<unsigned>(c - '0'); // 19 digits fit.
  }
  if (length > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    return fail(ParseError::bad_content_length), false;
  head_.content_length_ = length;
  return true;
}

bool HeadReader::note_transfer_encoding(std::string_view value) {
  bool unknown = false;
  bool ok = each_element(value, [&](std::string_view coding) {
    ++encodings_;
    // Chunked must be there once, last, without parameters (RFC 9112 §6.1, §7).
    if (chunked_ || !is_token(coding))
      return fail(ParseError::bad_transfer_encoding), false;
    if (equal_ignoring_case(coding, "chunked"))
      chunked_ = true;
    else
      unknown = true;
    return true;
  });
  if (ok && unknown)
    return fail(chunked_ ? ParseError::unknown_transfer_encoding
                         : ParseError::bad_transfer_encoding),
           false;
  return ok;
}

void HeadReader::mark_hop_by_hop() {
  for (auto& connection : head_.fields_) {
    if (connection.id != HeaderId::connection)
      continue;
    each_element(head_.value(connection), [&](std::string_view option) {
      auto id = header_id(option);
      if (!option.empty() && !may_not_be_nominated(id))
        for (auto& field : head_.fields_)
          if (field.id == id && equal_ignoring_case(head_.name(field), option))
            field.hop_by_hop = true;
      return true;
    });
  }
}

bool HeadReader::read_common(bool request) {
  if (encodings_ > 0) {
    if (head_.version_minor_ == 0)
      return fail(ParseError::encoding_in_http10), false;
    if (lengths_ > 0)
      return fail(ParseError::length_and_encoding), false;
    head_.framing_ = Framing::chunked;
  } else if (lengths_ > 0) {
    head_.framing_ = head_.content_length_ > 0 ? Framing::length : Framing::none;
  } else {
    head_.framing_ = request ? Framing::none : Framing::until_close;
  }
  head_.keep_alive_ = !close_ && (head_.version_minor_ == 1 || keep_);
  head_.upgrade_ = upgrade_token_ && head_.version_minor_ == 1 && head_.has(HeaderId::upgrade);
  if (head_.upgrade_ && head_.get(HeaderId::upgrade).empty())
    return fail(ParseError::bad_upgrade), false;
  if (nominates_)
    mark_hop_by_hop();
  return true;
}

} // namespace strait::net::http1
