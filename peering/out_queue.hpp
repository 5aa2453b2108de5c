#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <utility>

namespace strait::peering {

/// Encoded messages that wait to be written to one stream. Not thread safe.
class OutQueue {
public:
  OutQueue(std::size_t messages_max, std::size_t bytes_max)
      : messages_max_{messages_max}, bytes_max_{bytes_max} {}

  /// False: it is full, and nothing was added.
  bool push(std::string bytes, bool urgent) {
    if (urgent_.size() + others_.size() >= messages_max_ ||
        (bytes_ > 0 && bytes_ + bytes.size() > bytes_max_))
      return false;
    bytes_ += bytes.size();
    (urgent ? urgent_ : others_).push_back(std::move(bytes));
    return true;
  }
  std::optional<std::string> pop() {
    auto& from = urgent_.empty() ? others_ : urgent_;
    if (from.empty())
      return {};
    auto bytes = std::move(from.front());
    from.pop_front();
    bytes_ -= bytes.size();
    return bytes;
  }
  bool empty() const { return urgent_.empty() && others_.empty(); }
  void clear() {
    urgent_.clear();
    others_.clear();
    bytes_ = 0;
  }

private:
  std::size_t messages_max_, bytes_max_;
  std::deque<std::string> urgent_, others_;
  std::size_t bytes_ = 0;
};

} // namespace strait::peering
