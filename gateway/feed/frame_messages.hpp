#pragma once

#include "base/result.hpp"
#include "gateway/feed/frames.hpp"
#include "proto/proxy_config.pb.h"

/// Frames ↔ protobuf messages, for the gRPC wire alone: it is the only one that has the messages.
namespace strait::gateway::feed {

proxy::v1::ProxyMessage to_message(const ProxyFrame& frame);
proxy::v1::ConfigMessage to_message(const ConfigFrame& frame);
Result<ProxyFrame> from_message(const proxy::v1::ProxyMessage& message);
Result<ConfigFrame> from_message(const proxy::v1::ConfigMessage& message);

} // namespace strait::gateway::feed
