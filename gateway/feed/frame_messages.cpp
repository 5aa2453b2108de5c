#include "gateway/feed/frame_messages.hpp"

#include "base/overload.hpp"
#include "gateway/feed/feed_codec.hpp"

namespace strait::gateway::feed {

namespace pb = proxy::v1;

pb::ProxyMessage to_message(const ProxyFrame& frame) {
  pb::ProxyMessage message;
  std::visit(overload{[&](const Hello& hello) {
                        auto& out = *message.mutable_hello();
                        out.set_gateway_namespace(hello.gateway_namespace);
                        out.set_gateway_name(hello.gateway_name);
                        out.set_proxy_id(hello.proxy_id);
                        out.set_version(hello.version);
                        out.set_epoch(hello.epoch);
                        out.set_digest(hello.digest);
                        out.set_follows(hello.follows);
                        out.set_unreachable(hello.unreachable);
                      },
                      [&](const Ack& ack) {
                        auto& out = *message.mutable_ack();
                        out.set_epoch(ack.epoch);
                        for (const auto& error : ack.errors)
                          out.add_errors(error);
                        out.set_wants_whole(ack.wants_whole);
                      },
                      [&](const ProxyStatus& status) {
                        auto& out = *message.mutable_status();
                        out.set_epoch(status.epoch);
                        for (const auto& [name, value] : status.counters)
                          (*out.mutable_counters())[name] = value;
                      }},
             frame);
  return message;
}

pb::ConfigMessage to_message(const ConfigFrame& frame) {
  pb::ConfigMessage message;
  std::visit(
      overload{[&](const Delta& delta) { message.set_delta(encode(delta)); },
               [&](const Heartbeat& beat) { message.mutable_heartbeat()->set_epoch(beat.epoch); },
               [&](const Refuse& refuse) { message.mutable_refuse()->set_why(refuse.why); },
               [&](const AgentRedirect& redirect) {
                 message.mutable_redirect()->set_address(redirect.address);
               }},
      frame);
  return message;
}

Result<ProxyFrame> from_message(const pb::ProxyMessage& message) {
  switch (message.message_case()) {
  case pb::ProxyMessage::kHello: {
    const auto& in = message.hello();
    if (in.unreachable().size() > max_address_bytes)
      return fail(Errc::exhausted, "hello: unreachable: {} bytes are more than {}",
                  in.unreachable().size(), max_address_bytes);
    return Hello{in.gateway_namespace(), in.gateway_name(), in.proxy_id(),
                 in.version(),           in.epoch(),        in.digest(),
                 in.follows(),           in.unreachable()};
  }
  case pb::ProxyMessage::kAck: {
    const auto& in = message.ack();
    // One more than the maximum tells how many were not sent.
    if (static_cast<std::size_t>(in.errors_size()) > max_ack_errors + 1)
      return fail(Errc::exhausted, "ack: errors: {} are more than {}", in.errors_size(),
                  max_ack_errors + 1);
    return Ack{in.epoch(), {in.errors().begin(), in.errors().end()}, in.wants_whole()};
  }
  case pb::ProxyMessage::kStatus: {
    const auto& in = message.status();
    if (in.counters().size() > max_status_counters)
      return fail(Errc::exhausted, "status: counters: {} are more than {}", in.counters().size(),
                  max_status_counters);
    return ProxyStatus{in.epoch(), {in.counters().begin(), in.counters().end()}};
  }
  case pb::ProxyMessage::MESSAGE_NOT_SET:
    break;
  }
  return fail(Errc::corrupt, "message of a proxy: of an unknown kind");
}

Result<ConfigFrame> from_message(const pb::ConfigMessage& message) {
  switch (message.message_case()) {
  case pb::ConfigMessage::kDelta: {
    auto delta = decode(message.delta());
    if (!delta)
      return fail(std::move(delta.error()));
    return ConfigFrame{std::move(*delta)};
  }
  case pb::ConfigMessage::kHeartbeat:
    return Heartbeat{message.heartbeat().epoch()};
  case pb::ConfigMessage::kRefuse:
    return Refuse{message.refuse().why()};
  case pb::ConfigMessage::kRedirect: {
    const auto& address = message.redirect().address();
    if (address.empty() || address.size() > max_address_bytes)
      return fail(Errc::corrupt, "redirect: address: expected 1 to {} bytes, got {}",
                  max_address_bytes, address.size());
    return AgentRedirect{address};
  }
  case pb::ConfigMessage::MESSAGE_NOT_SET:
    break;
  }
  return fail(Errc::corrupt, "message of the agent: of an unknown kind");
}

namespace {

template <class Message>
Result<Message> parsed(std::string_view bytes) {
  if (bytes.size() > max_frame_bytes)
    return fail(Errc::exhausted, "frame: {} bytes are more than {}", bytes.size(), max_frame_bytes);
  Message message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return fail(Errc::corrupt, "frame: {} bytes that are no message", bytes.size());
  return message;
}

} // namespace

std::string encode(const ProxyFrame& frame) { return to_message(frame).SerializeAsString(); }
std::string encode(const ConfigFrame& frame) { return to_message(frame).SerializeAsString(); }

Result<ProxyFrame> decode_proxy_frame(std::string_view bytes) {
  return parsed<pb::ProxyMessage>(bytes).and_then([](auto&& m) { return from_message(m); });
}
Result<ConfigFrame> decode_config_frame(std::string_view bytes) {
  return parsed<pb::ConfigMessage>(bytes).and_then([](auto&& m) { return from_message(m); });
}

} // namespace strait::gateway::feed
