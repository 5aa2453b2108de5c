#include "net/http1_body.hpp"

#include "net/http1_scan.hpp"

#include <algorithm>

namespace strait::net::http1 {

namespace {

constexpr std::uint64_t chunk_bytes_max = std::uint64_t{1} << 59;

int hex_value(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

} // namespace

void BodyReader::start(Framing framing, std::uint64_t content_length) {
  error_ = ParseError::none;
  payload_bytes_ = 0;
  line_bytes_ = trailer_bytes_ = 0;
  trailers_.clear();
  remaining_ = framing == Framing::length ? content_length : 0;
  switch (framing) {
  case Framing::none:
    state_ = State::done;
    break;
  case Framing::length:
    state_ = content_length > 0 ? State::length : State::done;
    break;
  case Framing::chunked:
    state_ = State::size_first;
    break;
  case Framing::until_close:
    state_ = State::until_close;
    break;
  }
}

BodyStep BodyReader::next(std::string_view bytes) {
  BodyStep step;
  auto take = [&](std::size_t count) {
    step.payload = bytes.substr(step.consumed, count);
    step.consumed += count;
    step.state = BodyStep::State::data;
    payload_bytes_ += count;
    return step;
  };
  for (;;) {
    if (state_ == State::done) {
      step.state = BodyStep::State::done;
      return step;
    }
    if (state_ == State::failed) {
      step.state = BodyStep::State::failed;
      return step;
    }
    auto left = bytes.size() - step.consumed;
    if (left == 0)
      return step;
    if (state_ == State::until_close)
      return take(left);
    if (state_ == State::length || state_ == State::chunk_data) {
      auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left, remaining_));
      remaining_ -= count;
      if (remaining_ == 0)
        state_ = state_ == State::length ? State::done : State::data_cr;
      return take(count);
    }
    if (frame(bytes[step.consumed]))
      ++step.consumed;
  }
}

BodyStep BodyReader::skip(std::string_view bytes) {
  BodyStep whole;
  for (;;) {
    auto step = next(bytes.substr(whole.consumed));
    whole.consumed += step.consumed;
    whole.state = step.state;
    if (step.state != BodyStep::State::data)
      return whole;
  }
}

bool BodyReader::finish_at_close() {
  if (state_ == State::until_close)
    state_ = State::done;
  if (state_ != State::done && state_ != State::failed)
    refuse(ParseError::truncated);
  return state_ == State::done;
}

bool BodyReader::refuse(ParseError error) {
  error_ = error;
  state_ = State::failed;
  return false;
}

// One byte of chunk framing (RFC 9112 §7.1). False: refused.
bool BodyReader::frame(char c) {
  bool in_size_line = state_ >= State::size_first && state_ <= State::size_lf;
  if (in_size_line && ++line_bytes_ > limits_.chunk_line_bytes_max)
    return refuse(ParseError::chunk_line_too_long);
  if (state_ >= State::trailer_start && ++trailer_bytes_ > limits_.trailer_bytes_max)
    return refuse(ParseError::trailer_too_large);
  switch (state_) {
  case State::size_first:
    remaining_ = 0;
    if (hex_value(c) < 0)
      return refuse(ParseError::bad_chunk_size);
    [[fallthrough]];
  case State::size:
    if (int digit = hex_value(c); digit >= 0) {
      remaining_ = remaining_ * 16 + static_cast<unsigned>(digit);
      if (remaining_ > chunk_bytes_max)
        return refuse(ParseError::chunk_size_overflow);
      state_ = State::size;
      return true;
    }
    [[fallthrough]];
  case State::size_blank:
    // Blank before the extension is bad whitespace that a recipient must take (§7.1.1).
    if (c == ' ' || c == '\t')
      state_ = State::size_blank;
    else if (c == ';')
      state_ = State::extension;
    else if (c == '\r' && state_ == State::size)
      state_ = State::size_lf;
    else
      return refuse(c == '\n' ? ParseError::bare_lf : ParseError::bad_chunk_size);
    return true;
  case State::extension:
    if (c == '\r')
      state_ = State::size_lf;
    else if (c == '"')
      state_ = State::extension_quoted;
    else if (!is(char_value, c))
      return refuse(c == '\n' ? ParseError::bare_lf : ParseError::bad_chunk_size);
    return true;
  case State::extension_quoted:
    if (!is(char_value, c))
      return refuse(ParseError::bad_chunk_size);
    if (c == '"' || c == '\\')
      state_ = c == '"' ? State::extension : State::extension_escape;
    return true;
  case State::extension_escape:
    if (!is(char_value, c))
      return refuse(ParseError::bad_chunk_size);
    state_ = State::extension_quoted;
    return true;
  case State::size_lf:
    if (c != '\n')
      return refuse(ParseError::bare_cr);
    line_bytes_ = 0;
    state_ = remaining_ > 0 ? State::chunk_data : State::trailer_start;
    return true;
  case State::data_cr:
    if (c != '\r')
      return refuse(ParseError::bad_chunk_end);
    state_ = State::data_lf;
    return true;
  case State::data_lf:
    if (c != '\n')
      return refuse(ParseError::bad_chunk_end);
    state_ = State::size_first;
    return true;
  case State::trailer_start:
    if (c == '\r') {
      state_ = State::final_lf;
      return true;
    }
    if (!is(char_token, c))
      return refuse(ParseError::bad_trailer);
    state_ = State::trailer_name;
    break;
  case State::trailer_name:
    if (c == ':')
      state_ = State::trailer_value;
    else if (!is(char_token, c))
      return refuse(ParseError::bad_trailer);
    break;
  case State::trailer_value:
    if (c == '\r')
      state_ = State::trailer_lf;
    else if (!is(char_value, c))
      return refuse(ParseError::bad_trailer);
    break;
  case State::trailer_lf:
    if (c != '\n')
      return refuse(ParseError::bare_cr);
    state_ = State::trailer_start;
    break;
  case State::final_lf:
    if (c != '\n')
      return refuse(ParseError::bare_cr);
    state_ = State::done;
    return true;
  default:
    return refuse(ParseError::bad_chunk_size); // States that hold content.
  }
  trailers_.push_back(c);
  return true;
}

std::vector<std::pair<std::string_view, std::string_view>> BodyReader::trailers() const {
  std::vector<std::pair<std::string_view, std::string_view>> out;
  std::string_view rest = trailers_;
  while (!rest.empty() && state_ == State::done) {
    auto line = rest.substr(0, rest.find("\r\n"));
    rest.remove_prefix(std::min(rest.size(), line.size() + 2));
    auto colon = line.find(':');
    auto value = line.substr(colon + 1);
    auto first = std::min(value.find_first_not_of(" \t"), value.size());
    value = value.substr(first, value.find_last_not_of(" \t") + 1 - first);
    out.emplace_back(line.substr(0, colon), value);
  }
  return out;
}

} // namespace strait::net::http1
