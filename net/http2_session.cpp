#include "net/http2_session.hpp"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <vector>

namespace strait::net::http2 {

namespace {

/// A section this much above its maximum ends the connection: decoding it is work.
constexpr std::size_t far_too_large = 4;

std::vector<nghttp2_nv> name_values(const FieldList& fields) {
  std::vector<nghttp2_nv> out;
  out.reserve(fields.size());
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const auto [name, value] = fields[i];
    // nghttp2 copies both; its type is not const for those who say that it need not.
    out.push_back({reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
                   reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(),
                   value.size(), NGHTTP2_NV_FLAG_NONE});
  }
  return out;
}

std::string_view view(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

} // namespace

bool TokenBucket::take(Instant now) {
  if (now > at_) {
    const auto passed = static_cast<std::uint64_t>((now - at_).count());
    const auto room = burst_ * thousand - tokens_;
    // Guards the product: a long time fills it whatever the rate is.
    tokens_ += passed >= thousand * thousand ? room : std::min(room, passed * per_second_);
    at_ = now;
  }
  if (tokens_ < thousand)
    return false;
  tokens_ -= thousand;
  return true;
}

struct Session::Callbacks {
  static Session& self(void* user) { return *static_cast<Session*>(user); }

  static int stop(Session& session, std::string_view why) {
    session.failure_ = why;
    return NGHTTP2_ERR_CALLBACK_FAILURE;
  }

  static int begin_frame(nghttp2_session*, const nghttp2_frame_hd* head, void* user) {
    auto& session = self(user);
    switch (head->type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_WINDOW_UPDATE:
    case NGHTTP2_CONTINUATION:
    case NGHTTP2_GOAWAY:
      return 0;
    case NGHTTP2_DATA:
      if (head->length > 0 || (head->flags & NGHTTP2_FLAG_END_STREAM) != 0)
        return 0;
      break;
    case NGHTTP2_RST_STREAM:
      return session.resets_.take(session.now_) ? 0 : stop(session, "too many streams are reset");
    default:
      break;
    }
    return session.idle_frames_.take(session.now_)
               ? 0
               : stop(session, "too many frames that bring nothing");
  }

  static int begin_headers(nghttp2_session*, const nghttp2_frame*, void* user) {
    auto& session = self(user);
    session.fields_.clear();
    session.section_bytes_ = 0;
    session.too_large_ = false;
    return 0;
  }

  static int header(nghttp2_session*, const nghttp2_frame*, const std::uint8_t* name,
                    std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                    std::uint8_t, void* user) {
    auto& session = self(user);
    session.section_bytes_ += name_size + value_size + 32;
    if (session.section_bytes_ > far_too_large * session.limits_.head_bytes_max)
      return stop(session, "a header section is far too large");
    if (session.section_bytes_ > session.limits_.head_bytes_max ||
        session.fields_.size() >= session.limits_.fields_max)
      session.too_large_ = true;
    else
      session.fields_.add(view(name, name_size), view(value, value_size));
    return 0;
  }

  static int frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    auto& session = self(user);
    auto& events = session.events_;
    const auto stream = frame->hd.stream_id;
    const bool ended = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
      if (session.too_large_)
        events.on_head_too_large(stream);
      else if (session.role_ == Role::server ? frame->headers.cat == NGHTTP2_HCAT_REQUEST
                                             : session.fields_.has(":status"))
        events.on_head(stream, session.fields_, ended);
      else
        events.on_trailers(stream, session.fields_);
      if (ended)
        events.on_end(stream);
      break;
    case NGHTTP2_DATA:
      if (ended)
        events.on_end(stream);
      break;
    case NGHTTP2_GOAWAY:
      events.on_goaway();
      break;
    default:
      break;
    }
    return 0;
  }

  static int invalid_frame(nghttp2_session*, const nghttp2_frame*, int, void* user) {
    auto& session = self(user);
    // A peer can make us reset its streams as cheaply as it can reset them.
    return session.resets_.take(session.now_) ? 0 : stop(session, "too many invalid frames");
  }

  static int data(nghttp2_session*, std::uint8_t, std::int32_t stream, const std::uint8_t* bytes,
                  std::size_t size, void* user) {
    self(user).events_.on_data(stream, view(bytes, size));
    return 0;
  }

  static int sent(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    if ((frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS) &&
        (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
      self(user).events_.on_sent(frame->hd.stream_id);
    return 0;
  }

  static int not_sent(nghttp2_session*, const nghttp2_frame* frame, int, void* user) {
    // A request that was given to us before the peer said that it takes no more.
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
      self(user).events_.on_closed(frame->hd.stream_id,
                                   static_cast<std::uint32_t>(ErrorCode::refused_stream));
    return 0;
  }

  static int closed(nghttp2_session*, std::int32_t stream, std::uint32_t code, void* user) {
    self(user).events_.on_closed(stream, code);
    return 0;
  }

  static ssize_t read_body(nghttp2_session* raw, std::int32_t stream, std::uint8_t* space,
                           std::size_t size, std::uint32_t* flags, nghttp2_data_source*,
                           void* user) {
    const auto body =
        self(user).events_.on_body_wanted(stream, {reinterpret_cast<char*>(space), size});
    if (body.bytes == 0 && !body.end)
      return NGHTTP2_ERR_DEFERRED;
    if (body.end) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      if (body.trailers && !body.trailers->empty()) {
        const auto fields = name_values(*body.trailers);
        if (nghttp2_submit_trailer(raw, stream, fields.data(), fields.size()) == 0)
          *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      }
    }
    return static_cast<ssize_t>(body.bytes);
  }
};

Session::Session(Role role, const Limits& limits, Events& events)
    : events_{events}, limits_{limits}, role_{role}, resets_{limits.resets_burst,
                                                             limits.resets_per_second},
      idle_frames_{limits.idle_frames_burst, limits.idle_frames_per_second} {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_option* option = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_option_new(&option);
  nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, Callbacks::begin_frame);
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, Callbacks::begin_headers);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, Callbacks::header);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, Callbacks::frame);
  nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, Callbacks::invalid_frame);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, Callbacks::data);
  nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, Callbacks::sent);
  nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, Callbacks::not_sent);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, Callbacks::closed);
  nghttp2_option_set_no_auto_window_update(option, 1);
  nghttp2_option_set_no_closed_streams(option, 1);
  nghttp2_option_set_max_continuations(option, limits.continuations_max);
  // What was let in goes out; the fields of one connection only make it a little larger.
  nghttp2_option_set_max_send_header_block_length(option, 2 * limits.head_bytes_max);
  nghttp2_option_set_max_outbound_ack(option, limits.answers_queued_max);
  // Our own count comes first: it holds for clients too, and for resets that a peer provokes.
  nghttp2_option_set_stream_reset_rate_limit(option, limits.resets_burst + 1,
                                             limits.resets_per_second + 1);
  if (role == Role::server)
    nghttp2_session_server_new2(&session_, callbacks, this, option);
  else
    nghttp2_session_client_new2(&session_, callbacks, this, option);
  nghttp2_option_del(option);
  nghttp2_session_callbacks_del(callbacks);

  const auto head_max = static_cast<std::uint32_t>(limits.head_bytes_max);
  std::vector<nghttp2_settings_entry> settings{
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits.stream_window_bytes},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, head_max},
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, role == Role::server ? limits.streams_max : 0}};
  if (role == Role::server)
    settings.push_back({NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1});
  else
    settings.push_back({NGHTTP2_SETTINGS_ENABLE_PUSH, 0});
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  nghttp2_session_set_local_window_size(
      session_, NGHTTP2_FLAG_NONE, 0,
      static_cast<std::int32_t>(
          std::max(limits.connection_window_bytes, std::uint32_t{NGHTTP2_INITIAL_WINDOW_SIZE})));
}

Session::~Session() { nghttp2_session_del(session_); }

bool Session::fail(std::string why, ErrorCode code) {
  if (failed_)
    return false;
  failed_ = true;
  if (failure_.empty())
    failure_ = std::move(why);
  nghttp2_session_terminate_session(session_, static_cast<std::uint32_t>(code));
  return false;
}

bool Session::receive(Instant now, std::string_view bytes) {
  now_ = now;
  if (failed_)
    return false;
  const auto taken = nghttp2_session_mem_recv(
      session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  if (taken == NGHTTP2_ERR_CALLBACK_FAILURE || taken == NGHTTP2_ERR_FLOODED)
    return fail("the peer floods the connection", ErrorCode::enhance_your_calm);
  if (taken < 0)
    return fail(nghttp2_strerror(static_cast<int>(taken)), ErrorCode::protocol_error);
  return true;
}

std::string_view Session::next_output() {
  const std::uint8_t* bytes = nullptr;
  const auto size = nghttp2_session_mem_send(session_, &bytes);
  if (size < 0) {
    fail(nghttp2_strerror(static_cast<int>(size)), ErrorCode::internal_error);
    return {};
  }
  return view(bytes, static_cast<std::size_t>(size));
}

bool Session::finished() const {
  if (failed_)
    return nghttp2_session_want_write(session_) == 0;
  return nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0;
}

Result<std::int32_t> Session::request(const FieldList& fields, bool ended) {
  if (failed_ || nghttp2_session_check_request_allowed(session_) == 0)
    return strait::fail(Errc::unavailable, "the HTTP/2 connection takes no more requests");
  const auto nv = name_values(fields);
  nghttp2_data_provider body{{.ptr = nullptr}, Callbacks::read_body};
  const auto stream = nghttp2_submit_request(session_, nullptr, nv.data(), nv.size(),
                                             ended ? nullptr : &body, nullptr);
  if (stream < 0)
    return strait::fail(Errc::unavailable, "the HTTP/2 request: {}", nghttp2_strerror(stream));
  return stream;
}

void Session::interim(std::int32_t stream, const FieldList& fields) {
  const auto nv = name_values(fields);
  nghttp2_submit_headers(session_, NGHTTP2_FLAG_NONE, stream, nullptr, nv.data(), nv.size(),
                         nullptr);
}

void Session::respond(std::int32_t stream, const FieldList& fields, bool ended) {
  const auto nv = name_values(fields);
  nghttp2_data_provider body{{.ptr = nullptr}, Callbacks::read_body};
  if (nghttp2_submit_response(session_, stream, nv.data(), nv.size(), ended ? nullptr : &body) != 0)
    reset(stream, ErrorCode::internal_error);
}

void Session::resume(std::int32_t stream) { nghttp2_session_resume_data(session_, stream); }

void Session::reset(std::int32_t stream, ErrorCode code) {
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream, static_cast<std::uint32_t>(code));
}

bool Session::peer_ended(std::int32_t stream) const {
  return nghttp2_session_get_stream_remote_close(session_, stream) != 0;
}

void Session::consume(std::int32_t stream, std::size_t bytes) {
  consume_stream(stream, bytes);
  consume_connection(bytes);
}

void Session::consume_connection(std::size_t bytes) {
  nghttp2_session_consume_connection(session_, bytes);
}

void Session::consume_stream(std::int32_t stream, std::size_t bytes) {
  nghttp2_session_consume_stream(session_, stream, bytes);
}

void Session::announce_end() { nghttp2_submit_shutdown_notice(session_); }

void Session::end(ErrorCode code) {
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(session_),
                        static_cast<std::uint32_t>(code), nullptr, 0);
}

std::uint32_t Session::peer_streams_max() const {
  return std::min(
      nghttp2_session_get_remote_settings(session_, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS),
      std::uint32_t{1} << 30);
}

} // namespace strait::net::http2
