#include "net/buffer.hpp"

#include "net/output_queue.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <cstring>
#include <random>
#include <string>

using namespace strait::net;

namespace {

void fill(ReceiveBuffer& buffer, std::string_view text) {
  while (!text.empty()) {
    auto space = buffer.space();
    REQUIRE_FALSE(space.empty());
    auto count = std::min(space.size(), text.size());
    std::memcpy(space.data(), text.data(), count);
    buffer.commit(count);
    text.remove_prefix(count);
  }
}

} // namespace

TEST_CASE("a receive buffer keeps its bytes while it moves and grows, up to its maximum") {
  BufferPool pool{{.block_bytes = 16, .free_max = 2}};
  ReceiveBuffer buffer{pool, 50};
  CHECK(pool.taken() == 0);
  fill(buffer, "0123456789abcdef");
  buffer.consume(10);
  fill(buffer, "ghij"); // Behind what moved to the front.
  CHECK(buffer.bytes() == "abcdefghij");
  CHECK(pool.taken() == 1);
  fill(buffer, std::string(40, 'x'));
  CHECK(buffer.bytes() == "abcdefghij" + std::string(40, 'x'));
  CHECK(buffer.space().empty()); // 50 bytes are held.
  buffer.consume(1);
  CHECK(buffer.space().size() == 1);
  buffer.release_if_empty();
  CHECK(buffer.size() == 49);
  buffer.consume(49);
  buffer.release_if_empty();
  CHECK(pool.taken() == 0);
  CHECK(pool.free_blocks() == 1);
}

TEST_CASE("a pool keeps no more free blocks than its maximum") {
  BufferPool pool{{.block_bytes = 16, .free_max = 2}};
  auto a = pool.take(), b = pool.take(), c = pool.take();
  CHECK(pool.taken() == 3);
  pool.give_back(std::move(a));
  pool.give_back(std::move(b));
  pool.give_back(std::move(c));
  CHECK(pool.free_blocks() == 2);
  CHECK(pool.taken() == 0);
}

TEST_CASE("an output queue yields the bytes in the order pushed, however writes cut them") {
  for (unsigned seed = 0; seed < 50; ++seed) {
    std::mt19937 random{seed};
    BufferPool pool{{.block_bytes = 32, .free_max = 4}};
    OutputQueue queue{pool, {.slices_max = 20, .bytes_max = 500}};
    const std::string constant = "the quick brown fox jumps over the lazy dog";
    std::string expected, written;
    for (int step = 0; step < 500; ++step) {
      auto from = random() % constant.size();
      auto piece = std::string_view{constant}.substr(from, random() % 30);
      bool pushed = random() % 2 ? queue.borrow(piece) : queue.copy(std::string{piece});
      if (pushed)
        expected += piece;
      if (random() % 3 == 0 || !pushed) {
        std::array<iovec, 4> slices;
        auto front = queue.gather(slices);
        std::string offered;
        for (auto& slice : front)
          offered.append(static_cast<char*>(slice.iov_base), slice.iov_len);
        auto count = offered.empty() ? 0 : random() % (offered.size() + 1);
        written += offered.substr(0, count);
        queue.consume(count);
      }
      REQUIRE(queue.bytes() == expected.size() - written.size());
      REQUIRE(expected.compare(0, written.size(), written) == 0);
    }
    queue.clear();
    CHECK(pool.taken() == 0);
  }
}

TEST_CASE("an output queue refuses what passes a maximum and changes nothing") {
  BufferPool pool;
  OutputQueue queue{pool, {.slices_max = 2, .bytes_max = 10}};
  CHECK_FALSE(queue.copy("01234567890"));
  CHECK(queue.copy("01234"));
  CHECK(queue.copy("5678")); // Joins the slice before.
  CHECK(queue.borrow("9"));
  CHECK(queue.borrows());
  CHECK_FALSE(queue.borrow("x"));
  std::array<iovec, 8> slices;
  CHECK(queue.gather(slices).size() == 2);
  queue.consume(9);
  CHECK(queue.borrow("x"));
  CHECK_FALSE(queue.borrow("another"));
  CHECK_FALSE(queue.copy("y"));
  queue.consume(2);
  CHECK(queue.empty());
  CHECK_FALSE(queue.borrows());
  CHECK(pool.taken() == 0);
}
