#pragma once

#include "gateway/resolve/resolve.hpp"

namespace strait::actors {

/// What a Binder keeps of a route ↔ the record of it. The content is the bytes that the feed to
/// proxies has for it; decoding fails as gateway/feed/feed_codec.hpp has it, or with Errc::corrupt
/// for bytes of another route.
model::KeptRoute to_record(const model::Name& gateway, const gateway::resolve::ResolvedRoute& kept);
Result<gateway::resolve::ResolvedRoutePtr> from_record(const model::KeptRoute& record);

} // namespace strait::actors
