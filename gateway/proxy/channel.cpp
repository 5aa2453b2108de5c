#include "gateway/proxy/channel.hpp"

#include <array>
#include <sys/epoll.h>

namespace strait::gateway::proxy {

namespace {
constexpr std::size_t gather_max = 16; ///< Slices of one write.
} // namespace

void Retirement::retire(std::unique_ptr<Retirable> object) {
  if (retired_.empty())
    loop_.defer([this] {
      going_.swap(retired_);
      going_.clear();
    });
  retired_.push_back(std::move(object));
}

Status Channel::watch(int fd, Owner& owner) {
  owner_ = &owner;
  if (auto added = loop_.add(fd, net::Watch::edge, *this); !added)
    return added;
  fd_ = fd;
  return {};
}

void Channel::close() {
  if (fd_ >= 0)
    loop_.remove(fd_);
  fd_ = -1;
  if (stream_)
    stream_->close();
}

void Channel::on_ready(net::Ready ready) {
  // With TLS a read may wait for writing and the other way round.
  const bool both = stream_ && stream_->is_tls();
  if (both || ready.readable() || ready.hung_up() || ready.failed())
    readable_ = true;
  if (both || ready.writable() || ready.failed() || (ready.bits & EPOLLHUP) != 0)
    writable_ = true;
  // The end of the stream may come in one event with its last bytes, and no other event follows.
  if (ready.hung_up())
    hung_up_ = true;
  if ((ready.bits & (EPOLLHUP | EPOLLERR)) != 0)
    broken_ = true;
  owner_->on_channel(*this);
}

void Channel::wake(bool lost) {
  readable_ = writable_ = true;
  broken_ = broken_ || lost;
  owner_->on_channel(*this);
}

Channel::Flow Channel::handshake() {
  switch (stream_->handshake().state) {
  case net::Io::ok:
    return Flow::moved;
  case net::Io::want_read:
  case net::Io::want_write:
    return Flow::blocked;
  case net::Io::closed:
    ended_ = true;
    return Flow::failed;
  case net::Io::failed:
    break;
  }
  failed_ = true;
  return Flow::failed;
}

Channel::Flow Channel::fill() {
  if (failed_)
    return Flow::failed;
  if (ended_)
    return Flow::ended;
  if (!readable_)
    return Flow::blocked;
  const auto space = in.space();
  if (space.empty())
    return Flow::full;
  const auto read = stream_->read_some(space);
  switch (read.state) {
  case net::Io::ok:
    in.commit(read.bytes);
    bytes_in_ += read.bytes;
    readable_ = !stream_->drained() || hung_up_;
    return Flow::moved;
  case net::Io::want_read:
  case net::Io::want_write:
    readable_ = false;
    return Flow::blocked;
  case net::Io::closed:
    ended_ = true;
    return Flow::ended;
  case net::Io::failed:
    break;
  }
  failed_ = true;
  return Flow::failed;
}

Channel::Flow Channel::flush(net::OutputQueue& queue) {
  std::array<iovec, gather_max> slices;
  while (!queue.empty()) {
    if (failed_)
      return Flow::failed;
    if (!writable_)
      return Flow::blocked;
    const auto written = stream_->write_some(queue.gather(slices));
    switch (written.state) {
    case net::Io::ok:
      queue.consume(written.bytes);
      bytes_out_ += written.bytes;
      break;
    case net::Io::want_read:
    case net::Io::want_write:
      writable_ = false;
      return Flow::blocked;
    case net::Io::closed:
    case net::Io::failed:
      failed_ = true;
      return Flow::failed;
    }
  }
  return Flow::moved;
}

Channel::Flow Channel::shut_down() {
  if (failed_)
    return Flow::failed;
  switch (stream_->shutdown().state) {
  case net::Io::ok:
  case net::Io::closed:
    return Flow::moved;
  case net::Io::want_read:
  case net::Io::want_write:
    return Flow::blocked;
  case net::Io::failed:
    break;
  }
  failed_ = true;
  return Flow::failed;
}

} // namespace strait::gateway::proxy
