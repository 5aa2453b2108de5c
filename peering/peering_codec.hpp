#pragma once

#include "peering/peering_client.hpp"
#include "proto/consul/peering.pb.h"

/// Peerings as PeeringService's messages. Only *_wire.cpp and *_codec.cpp files include this.
namespace strait::peering::wire {

void fill(hashicorp::consul::internal::peering::Peering& out, const PeeringView& in);
PeeringView from(const hashicorp::consul::internal::peering::Peering& in);
void fill(hashicorp::consul::internal::peering::PeeringTrustBundle& out,
          const model::TrustBundle& in);
model::TrustBundle from(const hashicorp::consul::internal::peering::PeeringTrustBundle& in);

} // namespace strait::peering::wire
