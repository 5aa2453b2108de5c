// links: strait_net strait_base
//
// A chunked body read whole and read byte by byte must give the same content, end and error.
#include "net/http1_body.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

using namespace strait::net::http1;

std::string run(std::string_view bytes, std::size_t piece) {
  BodyReader body{Limits{.chunk_line_bytes_max = 40, .trailer_bytes_max = 100}};
  body.start(Framing::chunked, 0);
  std::string content;
  std::size_t at = 0, given = 0;
  while (given < bytes.size()) {
    given = std::min(bytes.size(), given + piece);
    for (;;) {
      std::string copy{bytes.substr(at, given - at)};
      auto step = body.next(copy);
      content += step.payload;
      at += step.consumed;
      if (step.state == BodyStep::State::need_more && at != given)
        std::abort(); // It says that it took everything.
      if (step.state == BodyStep::State::done || step.state == BodyStep::State::failed)
        given = bytes.size();
      if (step.state != BodyStep::State::data)
        break;
    }
  }
  if (body.payload_bytes() != content.size())
    std::abort();
  bool failed = body.error() != ParseError::none;
  for (auto [name, value] : body.trailers())
    ((content += name) += ':') += value;
  return content + '\x01' + std::to_string(static_cast<int>(body.error())) +
         (body.done() ? "done" : "open") + (failed ? "" : std::to_string(at));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view bytes{reinterpret_cast<const char*>(data), std::min<std::size_t>(size, 4096)};
  auto whole = run(bytes, std::max<std::size_t>(bytes.size(), 1));
  if (run(bytes, 1) != whole || run(bytes, 5) != whole)
    std::abort();
  return 0;
}
