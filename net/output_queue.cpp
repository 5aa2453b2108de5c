#include "net/output_queue.hpp"

#include <algorithm>
#include <cstring>

namespace strait::net {

OutputQueue::OutputQueue(BufferPool& pool, Limits limits) : pool_{pool}, limits_{limits} {}

OutputQueue::~OutputQueue() { clear(); }

bool OutputQueue::borrow(std::string_view bytes) {
  if (bytes.empty())
    return true;
  if (slices_.size() - first_ >= limits_.slices_max || bytes.size() > limits_.bytes_max - bytes_)
    return false;
  if (slices_.size() > first_ && slices_.back().block == 0 &&
      slices_.back().data + slices_.back().size == bytes.data()) {
    slices_.back().size += bytes.size(); // Directly behind the slice before: still one piece.
  } else {
    slices_.push_back({bytes.data(), bytes.size(), 0});
    ++borrowed_;
  }
  bytes_ += bytes.size();
  return true;
}

bool OutputQueue::copy(std::string_view bytes) {
  if (bytes.empty())
    return true;
  auto block_bytes = pool_.block_bytes();
  bool joins =
      slices_.size() > first_ && room_ > 0 && slices_.back().block == oldest_ + blocks_.size() - 1;
  auto beyond = bytes.size() > room_ ? bytes.size() - room_ : 0;
  auto new_slices = (room_ > 0 && !joins ? 1U : 0U) + (beyond + block_bytes - 1) / block_bytes;
  if (slices_.size() - first_ + new_slices > limits_.slices_max ||
      bytes.size() > limits_.bytes_max - bytes_)
    return false;
  bytes_ += bytes.size();
  while (!bytes.empty()) {
    if (room_ == 0) {
      blocks_.push_back(pool_.take());
      room_ = block_bytes;
      joins = false;
    }
    auto* to = blocks_.back().get() + (block_bytes - room_);
    auto count = std::min(room_, bytes.size());
    std::memcpy(to, bytes.data(), count);
    if (joins)
      slices_.back().size += count;
    else
      slices_.push_back({to, count, oldest_ + blocks_.size() - 1});
    room_ -= count;
    bytes.remove_prefix(count);
  }
  return true;
}

std::span<const iovec> OutputQueue::gather(std::span<iovec> slices) const {
  auto count = std::min(slices.size(), slices_.size() - first_);
  for (std::size_t i = 0; i < count; ++i) {
    const auto& slice = slices_[first_ + i];
    slices[i] = {const_cast<char*>(slice.data), slice.size}; // A write only reads it.
  }
  return slices.first(count);
}

void OutputQueue::pop_front() {
  if (slices_[first_].block == 0)
    --borrowed_;
  else
    drop_blocks_before(slices_[first_].block);
  ++first_;
}

// Blocks are filled and emptied in order, so the bytes of the ones before are all written.
void OutputQueue::drop_blocks_before(std::size_t number) {
  std::size_t count = number - oldest_;
  if (count == 0)
    return;
  for (std::size_t i = 0; i < count; ++i)
    pool_.give_back(std::move(blocks_[i]));
  blocks_.erase(blocks_.begin(), blocks_.begin() + static_cast<std::ptrdiff_t>(count));
  oldest_ = number;
}

void OutputQueue::consume(std::size_t count) {
  bytes_ -= std::min(count, bytes_);
  while (count > 0 && first_ < slices_.size()) {
    auto& slice = slices_[first_];
    if (count < slice.size) {
      slice.data += count;
      slice.size -= count;
      break;
    }
    count -= slice.size;
    pop_front();
  }
  if (bytes_ == 0)
    clear();
  else if (first_ >= 32 && first_ * 2 >= slices_.size()) {
    slices_.erase(slices_.begin(), slices_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
}

void OutputQueue::clear() {
  slices_.clear();
  for (auto& block : blocks_)
    pool_.give_back(std::move(block));
  oldest_ += blocks_.size();
  blocks_.clear();
  first_ = bytes_ = borrowed_ = room_ = 0;
}

} // namespace strait::net
