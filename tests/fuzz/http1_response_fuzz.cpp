// links: strait_net strait_base
//
// A response parsed whole and parsed in pieces must give the same; the first byte says to which
// request it is the answer.
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
  bool complete = false;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

std::string describe(const ResponseHead& head) {
  std::string out = std::to_string(head.status());
  out += head.reason();
  for (const auto& field : head.fields()) {
    (out += '\x02') += head.name(field);
    (out += '\x03') += head.value(field);
    out += field.hop_by_hop ? 'h' : 'e';
  }
  out += std::to_string(head.content_length());
  out += static_cast<char>(head.framing());
  out += head.keep_alive() ? 'k' : 'c';
  out += head.upgrade() ? 'u' : '-';
  return out;
}

Outcome run(std::string_view bytes, ResponseTo request, std::size_t piece) {
  Outcome out;
  Limits limits{.head_bytes_max = 512,
                .start_line_bytes_max = 128,
                .field_line_bytes_max = 200,
                .fields_max = 8,
                .chunk_line_bytes_max = 32,
                .trailer_bytes_max = 64};
  ResponseParser parser{limits};
  std::size_t given = 0;
  while (out.progress == Progress::need_more && given < bytes.size()) {
    given = std::min(bytes.size(), given + piece);
    std::string copy{bytes.substr(0, given)};
    out.progress = parser.parse(copy, request);
    if (out.progress == Progress::done)
      out.head = describe(parser.head());
  }
  out.error = parser.error();
  if (out.progress != Progress::done)
    return out;
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
  out.complete = body.finish_at_close();
  out.error = body.error();
  return out;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  auto request = static_cast<ResponseTo>(data[0] % 3);
  std::string_view bytes{reinterpret_cast<const char*>(data) + 1,
                         std::min<std::size_t>(size - 1, 2048)};
  auto whole = run(bytes, request, std::max<std::size_t>(bytes.size(), 1));
  for (std::size_t piece : {1U, 3U, 11U})
    if (run(bytes, request, piece) != whole)
      std::abort();
  return 0;
}
