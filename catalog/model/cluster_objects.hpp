#pragma once

#include "catalog/model/object.hpp"

/// The core Kubernetes kinds that routes and listeners refer to, the part that Strait uses.
namespace strait::model {

struct ServicePort {
  std::string name;
  std::uint16_t port = 0;
  std::string target; ///< A number or a port's name; empty: as port.
  std::string protocol = "TCP";
  std::string app_protocol;
  friend bool operator==(const ServicePort&, const ServicePort&) = default;
};

struct Service {
  static constexpr Kind kind = Kind::service;
  Meta meta;
  std::vector<ServicePort> ports;
  StringMap selector;
  std::string cluster_ip; ///< "None" for headless.
  std::string type;
  std::vector<std::string> ingress; ///< status.loadBalancer: addresses or host names.
  friend bool operator==(const Service&, const Service&) = default;
};

struct EndpointSlice {
  static constexpr Kind kind = Kind::endpoint_slice;
  struct Endpoint {
    std::vector<std::string> addresses;
    bool ready = true;
    bool serving = true;
    bool terminating = false;
    friend bool operator==(const Endpoint&, const Endpoint&) = default;
  };
  struct Port {
    std::string name;
    std::uint16_t port = 0;
    std::string protocol = "TCP";
    friend bool operator==(const Port&, const Port&) = default;
  };
  Meta meta; ///< Label kubernetes.io/service-name ties it to its Service.
  std::string address_type = "IPv4";
  std::vector<Endpoint> endpoints;
  std::vector<Port> ports;
  friend bool operator==(const EndpointSlice&, const EndpointSlice&) = default;
};

struct Secret {
  static constexpr Kind kind = Kind::secret;
  Meta meta;
  std::string type;
  StringMap data; ///< Decoded from base64.
  friend bool operator==(const Secret&, const Secret&) = default;
};

struct ConfigMap {
  static constexpr Kind kind = Kind::config_map;
  Meta meta;
  StringMap data;
  friend bool operator==(const ConfigMap&, const ConfigMap&) = default;
};

struct Namespace {
  static constexpr Kind kind = Kind::namespace_;
  Meta meta;
  friend bool operator==(const Namespace&, const Namespace&) = default;
};

/// One of those that run a Gateway, by the labels that it was deployed with.
struct Pod {
  static constexpr Kind kind = Kind::pod;
  Meta meta;
  std::string ip, host_ip; ///< Empty: not given yet.
  std::string phase;       ///< Pending, Running, Succeeded, Failed, Unknown; empty: not said.
  friend bool operator==(const Pod&, const Pod&) = default;
};

} // namespace strait::model
