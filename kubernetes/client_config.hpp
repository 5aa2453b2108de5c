#pragma once

#include <string>

namespace strait::kubernetes {

/// How to reach an API server and as whom. Made by kubeconfig.hpp. A value.
struct ClientConfig {
  std::string server{};            ///< "https://HOST:PORT"; http only for a proxy on this machine.
  std::string tls_server_name{};   ///< What the certificate is for; empty: the host.
  std::string ca_pem{}, ca_file{}; ///< Neither: this machine's roots. Files are re-read.
  bool insecure_skip_tls_verify = false;
  std::string client_certificate_pem{}, client_key_pem{};
  std::string client_certificate_file{}, client_key_file{};
  std::string token{}, token_file{};
  std::string default_namespace = "default"; ///< Of the context, or of the pod.

  friend bool operator==(const ClientConfig&, const ClientConfig&) = default;
};

} // namespace strait::kubernetes
