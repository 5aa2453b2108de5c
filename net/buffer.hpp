#pragma once

#include "base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace strait::net {

/// Blocks of one size for one thread's connections. Taking and returning costs no allocation once
/// the pool is warm. Must outlive every buffer that draws from it.
class BufferPool {
public:
  struct Options {
    std::size_t block_bytes = 16 * 1024;
    /// Free blocks kept; what is returned above that goes back to the allocator.
    std::size_t free_max = 1024;
  };
  BufferPool() : BufferPool{Options{}} {}
  explicit BufferPool(Options options);
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  std::unique_ptr<char[]> take();
  void give_back(std::unique_ptr<char[]> block);

  std::size_t block_bytes() const { return options_.block_bytes; }
  std::size_t free_blocks() const { return free_.size(); }
  /// Blocks handed out and not yet returned.
  std::size_t taken() const { return taken_; }

private:
  Options options_;
  std::vector<std::unique_ptr<char[]>> free_;
  std::size_t taken_ = 0;
};

/// Bytes that were read from a stream and not yet consumed, in one piece of memory. Holds no block
/// while it is empty and released, so an idle connection costs only this object.
class ReceiveBuffer {
public:
  /// `bytes_max` bounds growth past one block (a request head that does not fit in it).
  explicit ReceiveBuffer(BufferPool& pool, std::size_t bytes_max = 64 * 1024);
  ReceiveBuffer(const ReceiveBuffer&) = delete;
  ReceiveBuffer& operator=(const ReceiveBuffer&) = delete;
  ~ReceiveBuffer();

  /// The bytes at hand. Valid until the next call that is not const; after space() returned they
  /// may lie elsewhere, so positions are kept as offsets.
  std::string_view bytes() const { return {data() + begin_, end_ - begin_}; }
  std::size_t size() const { return end_ - begin_; }
  bool empty() const { return begin_ == end_; }

  /// Room to read into: at least one byte, unless `bytes_max` bytes are held (then empty). Takes a
  /// block, moves what is held to the front or grows only when there is no room behind it.
  std::span<char> space();
  /// `count` bytes were written into space().
  void commit(std::size_t count) { end_ += count; }
  /// The first `count` bytes are done with. Nothing moves.
  void consume(std::size_t count);
  /// Returns the block to the pool if nothing is held: call when the connection turns idle.
  void release_if_empty();
  /// Where bytes() begins now; changes when memory moved.
  const char* base() const { return data() + begin_; }

private:
  const char* data() const { return block_.get(); }
  void drop_block();

  BufferPool& pool_;
  std::unique_ptr<char[]> block_;
  std::size_t capacity_ = 0, begin_ = 0, end_ = 0;
  std::size_t bytes_max_;
};

} // namespace strait::net
