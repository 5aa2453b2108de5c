#pragma once

#include "net/buffer.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <sys/uio.h>
#include <vector>

namespace strait::net {

/// What is to be written to a stream, in order, as slices for one gathering write. Slices are
/// either borrowed (they stay where they are: a receive buffer, a constant) or copied into blocks
/// of the pool; neighbouring copies share one slice. Loop thread only.
class OutputQueue {
public:
  struct Limits {
    std::size_t slices_max = 64;
    std::size_t bytes_max = 1024 * 1024;
  };
  explicit OutputQueue(BufferPool& pool) : OutputQueue{pool, Limits{}} {}
  OutputQueue(BufferPool& pool, Limits limits);
  OutputQueue(const OutputQueue&) = delete;
  OutputQueue& operator=(const OutputQueue&) = delete;
  ~OutputQueue();

  /// Both return false and change nothing when a maximum would be passed: write first.
  /// Borrowed bytes must stay in place until they are consumed or cleared.
  [[nodiscard]] bool borrow(std::string_view bytes);
  [[nodiscard]] bool copy(std::string_view bytes);

  bool empty() const { return bytes_ == 0; }
  std::size_t bytes() const { return bytes_; }
  /// Whether borrowed slices are among what is left: only then must their memory be kept.
  bool borrows() const { return borrowed_ > 0; }

  /// Fills `slices` with the front of the queue; returns the part that was filled.
  std::span<const iovec> gather(std::span<iovec> slices) const;
  /// The first `count` bytes were written.
  void consume(std::size_t count);
  /// Forgets everything and returns its blocks.
  void clear();

private:
  struct Slice {
    const char* data;
    std::size_t size;
    std::size_t block; // Number of the block that the bytes were copied to; 0: borrowed.
  };
  void pop_front();
  void drop_blocks_before(std::size_t number);

  BufferPool& pool_;
  Limits limits_;
  std::vector<Slice> slices_; // From first_ on; the ones before are done.
  std::size_t first_ = 0, bytes_ = 0, borrowed_ = 0;
  std::vector<std::unique_ptr<char[]>> blocks_; // Numbered on from oldest_; the last has room.
  std::size_t oldest_ = 1, room_ = 0;
};

} // namespace strait::net
