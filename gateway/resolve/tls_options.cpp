#include "gateway/resolve/tls_options.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace strait::gateway::resolve {

namespace {

struct VersionName {
  std::string_view name;
  TlsVersion version;
};
constexpr std::array versions{
    VersionName{"TLS_AUTO", TlsVersion::any},   VersionName{"TLSv1_0", TlsVersion::tls1_0},
    VersionName{"TLSv1_1", TlsVersion::tls1_1}, VersionName{"TLSv1_2", TlsVersion::tls1_2},
    VersionName{"TLSv1_3", TlsVersion::tls1_3},
};

struct CipherName {
  std::string_view standard, openssl;
};
constexpr std::array ciphers{
    CipherName{"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"},
    CipherName{"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"},
    CipherName{"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"},
    CipherName{"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305"},
    CipherName{"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384"},
    CipherName{"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384"},
    CipherName{"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "ECDHE-ECDSA-AES128-SHA"},
    CipherName{"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "ECDHE-RSA-AES128-SHA"},
    CipherName{"TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "ECDHE-ECDSA-AES256-SHA"},
    CipherName{"TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "ECDHE-RSA-AES256-SHA"},
    CipherName{"TLS_RSA_WITH_AES_128_GCM_SHA256", "AES128-GCM-SHA256"},
    CipherName{"TLS_RSA_WITH_AES_128_CBC_SHA", "AES128-SHA"},
    CipherName{"TLS_RSA_WITH_AES_256_GCM_SHA384", "AES256-GCM-SHA384"},
    CipherName{"TLS_RSA_WITH_AES_256_CBC_SHA", "AES256-SHA"},
};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ')
    text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ')
    text.remove_suffix(1);
  return text;
}

Result<TlsVersion> version_of(const std::string& key, const std::string& value) {
  auto it =
      std::find_if(versions.begin(), versions.end(), [&](auto& row) { return row.name == value; });
  if (it == versions.end())
    return fail(Errc::invalid,
                "tls.options[{}]: \"{}\": expected TLS_AUTO, TLSv1_0, TLSv1_1, TLSv1_2 or TLSv1_3",
                key, value);
  return it->version;
}

Result<std::vector<std::string>> suites_of(const std::string& key, std::string_view value) {
  std::vector<std::string> suites;
  for (bool more = !value.empty(); more;) {
    auto comma = value.find(',');
    auto name = trimmed(value.substr(0, comma));
    more = comma != std::string_view::npos;
    value = more ? value.substr(comma + 1) : "";
    auto it = std::find_if(ciphers.begin(), ciphers.end(),
                           [&](auto& row) { return row.standard == name || row.openssl == name; });
    if (it == ciphers.end())
      return fail(Errc::invalid, "tls.options[{}]: unknown cipher suite \"{}\"", key, name);
    suites.emplace_back(it->openssl);
  }
  return suites;
}

} // namespace

Result<TlsSettings> tls_settings(const model::StringMap& options) {
  TlsSettings settings;
  bool has_suites = false, capped_at_1_2 = true;
  for (auto& [key, value] : options) {
    auto slash = key.find('/');
    auto prefix = key.substr(0, slash == std::string::npos ? 0 : slash);
    auto name = slash == std::string::npos ? key : key.substr(slash + 1);
    if (prefix != "api-gateway.consul.hashicorp.com" && prefix != "strait.dev")
      return fail(Errc::invalid, "tls.options[{}]: unknown option", key);
    if (prefix == "strait.dev" && options.contains("api-gateway.consul.hashicorp.com/" + name))
      return fail(Errc::invalid, "tls.options[{}]: given under another prefix too", key);
    if (name == "tls_min_version" || name == "tls_max_version") {
      auto version = version_of(key, value);
      if (!version)
        return fail(version.error());
      if (name == "tls_max_version") {
        settings.max = *version;
      } else {
        settings.min = *version == TlsVersion::any ? TlsVersion::tls1_2 : *version;
        capped_at_1_2 = *version != TlsVersion::tls1_3;
      }
    } else if (name == "tls_cipher_suites") {
      auto suites = suites_of(key, value);
      if (!suites)
        return fail(suites.error());
      settings.cipher_suites = *suites;
      has_suites = true;
    } else {
      return fail(Errc::invalid, "tls.options[{}]: unknown option", key);
    }
  }
  if (settings.max != TlsVersion::any && settings.min > settings.max)
    return fail(Errc::invalid, "tls.options: the minimum version is above the maximum");
  if (has_suites && !capped_at_1_2)
    return fail(Errc::invalid,
                "tls.options: cipher suites cannot be chosen when the minimum version is TLSv1_3");
  return settings;
}

} // namespace strait::gateway::resolve
