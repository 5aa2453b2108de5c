#pragma once

#include "gateway/feed/message_fields.hpp"
#include "gateway/snapshot/config.hpp"
#include "proto/proxy_config.pb.h"

/// What a route says of requests and connections ↔ protobuf messages. For the codec's source files
/// alone: protobuf's types stay there.
namespace strait::gateway::feed {

/// The longest of a rule's times, so that no sum of a few of them and a clock overflows: 31 years.
inline constexpr std::int64_t max_time_ms = 1'000'000'000'000;

void write_rule(const HttpRule& rule, proxy::v1::HttpRule& out);
void write_backends(const std::vector<Backend>& backends,
                    google::protobuf::RepeatedPtrField<proxy::v1::Backend>& out);

HttpRule read_rule(const proxy::v1::HttpRule& in, Problem& problem);
std::vector<Backend> read_backends(const google::protobuf::RepeatedPtrField<proxy::v1::Backend>& in,
                                   Problem& problem);

} // namespace strait::gateway::feed
