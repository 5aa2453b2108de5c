#include "net/buffer.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace strait::net {

BufferPool::BufferPool(Options options) : options_{options} {
  free_.reserve(std::min<std::size_t>(options_.free_max, 1024));
}

std::unique_ptr<char[]> BufferPool::take() {
  ++taken_;
  if (free_.empty())
    return std::unique_ptr<char[]>(new char[options_.block_bytes]);
  auto block = std::move(free_.back());
  free_.pop_back();
  return block;
}

void BufferPool::give_back(std::unique_ptr<char[]> block) {
  --taken_;
  if (free_.size() < options_.free_max)
    free_.push_back(std::move(block));
}

ReceiveBuffer::ReceiveBuffer(BufferPool& pool, std::size_t bytes_max)
    : pool_{pool}, bytes_max_{std::max<std::size_t>(bytes_max, 1)} {}

ReceiveBuffer::~ReceiveBuffer() { drop_block(); }

void ReceiveBuffer::drop_block() {
  if (!block_)
    return;
  if (capacity_ == pool_.block_bytes())
    pool_.give_back(std::move(block_));
  block_.reset();
  capacity_ = begin_ = end_ = 0;
}

std::span<char> ReceiveBuffer::space() {
  if (empty())
    begin_ = end_ = 0;
  if (size() >= bytes_max_)
    return {};
  if (!block_) {
    block_ = pool_.take();
    capacity_ = pool_.block_bytes();
  } else if (end_ == capacity_) {
    if (begin_ > 0) {
      std::memmove(block_.get(), block_.get() + begin_, size());
    } else {
      auto larger = capacity_ * 2;
      std::unique_ptr<char[]> grown(new char[larger]);
      std::memcpy(grown.get(), block_.get(), size());
      if (capacity_ == pool_.block_bytes())
        pool_.give_back(std::move(block_));
      block_ = std::move(grown);
      capacity_ = larger;
    }
    end_ -= std::exchange(begin_, 0);
  }
  return {block_.get() + end_, std::min(capacity_ - end_, bytes_max_ - size())};
}

void ReceiveBuffer::consume(std::size_t count) { begin_ += std::min(count, size()); }

void ReceiveBuffer::release_if_empty() {
  if (empty())
    drop_block();
}

} // namespace strait::net
