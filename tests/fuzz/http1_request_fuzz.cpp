// links: strait_net strait_base
//
// A request parsed whole and parsed in pieces must give the same: the same error, or the same head,
// body and bytes left over.
#include "net/http1_body.hpp"
#include "net/http1_parser.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

using namespace strait::net::http1;

struct Outcome {
  Progress progress = Progress::need_more;
  ParseError error = ParseError::none;
  std::string head, body;
  std::size_t consumed = 0;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

std::string describe(const RequestHead& head) {
  std::string out{head.method_text()};
  for (auto part : {head.target(), head.path(), head.query(), head.authority(), head.host()})
    (out += '\x01') += part;
  for (const auto& field : head.fields()) {
    (out += '\x02') += head.name(field);
    (out += '\x03') += head.value(field);
    out += static_cast<char>(field.id);
    out += field.hop_by_hop ? 'h' : 'e';
  }
  out += std::to_string(head.port()) + std::to_string(head.content_length());
  out += static_cast<char>(head.framing());
  out += head.keep_alive() ? 'k' : 'c';
  out += head.expects_continue() ? 'x' : '-';
  out += head.upgrade() ? 'u' : '-';
  return out;
}

Outcome run(std::string_view bytes, std::size_t piece) {
  Outcome out;
  Limits limits{.head_bytes_max = 512,
                .start_line_bytes_max = 128,
                .field_line_bytes_max = 200,
                .fields_max = 8,
                .method_bytes_max = 16,
                .chunk_line_bytes_max = 32,
                .trailer_bytes_max = 64};
  RequestParser parser{limits};
  std::size_t given = 0;
  while (out.progress == Progress::need_more && given < bytes.size()) {
    given = std::min(bytes.size(), given + piece);
    // A copy of its own, so that a sanitizer sees reads behind the end.
    std::string copy{bytes.substr(0, given)};
    out.progress = parser.parse(copy);
    if (out.progress == Progress::done)
      out.head = describe(parser.head());
  }
  out.error = parser.error();
  if (out.progress != Progress::done)
    return out;
  if ((parser.head().framing() == Framing::until_close) || out.head.empty())
    std::abort();
  out.consumed = parser.head().bytes();
  BodyReader body{limits};
  body.start(parser.head());
  for (;;) {
    std::string copy{bytes.substr(out.consumed, given - out.consumed)};
    auto step = body.next(copy);
    if (step.consumed > copy.size())
      std::abort();
    out.body += step.payload;
    out.consumed += step.consumed;
    if (step.state == BodyStep::State::done || step.state == BodyStep::State::failed)
      break;
    if (step.state == BodyStep::State::need_more) {
      if (given == bytes.size())
        break;
      given = std::min(bytes.size(), given + piece);
    }
  }
  out.error = body.error();
  for (auto [name, value] : body.trailers())
    if (!is_token(name) || !is_field_value(value))
      std::abort();
  return out;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view bytes{reinterpret_cast<const char*>(data), std::min<std::size_t>(size, 2048)};
  auto whole = run(bytes, std::max<std::size_t>(bytes.size(), 1));
  for (std::size_t piece : {1U, 2U, 7U})
    if (run(bytes, piece) != whole)
      std::abort();
  return 0;
}
