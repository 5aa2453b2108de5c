#include "kubernetes/credentials.hpp"

#include <fstream>
#include <sstream>

namespace strait::kubernetes {

namespace {

constexpr std::size_t credential_bytes_max = 1U << 20U;

Result<std::string> contents_of(const std::string& file) {
  std::ifstream in{file, std::ios::binary};
  std::ostringstream out;
  if (!in || !(out << in.rdbuf()))
    return fail(Errc::not_found, "{}: cannot be read, or is empty", file);
  auto text = out.str();
  if (text.size() > credential_bytes_max)
    return fail(Errc::exhausted, "{}: has more than {} bytes", file, credential_bytes_max);
  return text;
}

void trim(std::string& text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' '))
    text.pop_back();
}

} // namespace

Result<Credentials> Credentials::load(ClientConfig config) {
  Credentials out{std::move(config)};
  auto contents = out.read();
  if (!contents)
    return fail(contents.error());
  if (auto taken = out.take(*contents); !taken)
    return fail(taken.error());
  return out;
}

Result<bool> Credentials::refresh(Instant now, Millis interval) {
  if (read_before_ && now - read_at_ < interval)
    return false;
  read_before_ = true;
  read_at_ = now;
  auto contents = read();
  if (!contents)
    return fail(contents.error());
  if (*contents == contents_)
    return false;
  if (auto taken = take(*contents); !taken)
    return fail(taken.error());
  return true;
}

Result<Credentials::Contents> Credentials::read() const {
  Contents out{config_.token, config_.ca_pem, config_.client_certificate_pem,
               config_.client_key_pem};
  for (auto [file, into] : {std::pair{&config_.token_file, &out.token},
                            {&config_.ca_file, &out.ca},
                            {&config_.client_certificate_file, &out.certificate},
                            {&config_.client_key_file, &out.key}}) {
    if (file->empty())
      continue;
    auto text = contents_of(*file);
    if (!text)
      return fail(text.error());
    *into = std::move(*text);
  }
  trim(out.token);
  return out;
}

Status Credentials::take(const Contents& contents) {
  if (config_.server.starts_with("https://")) {
    std::shared_ptr<const net::TlsCertificate> certificate;
    if (!contents.certificate.empty()) {
      auto made = net::TlsCertificate::from_pem(contents.certificate, contents.key);
      if (!made)
        return fail(made.error().code, "client-certificate: {}", made.error().detail);
      certificate = *made;
    }
    bool roots = !config_.insecure_skip_tls_verify && contents.ca.empty();
    auto made = net::TlsClientContext::create(
        {.ca_pem = config_.insecure_skip_tls_verify ? "" : contents.ca,
         .system_roots = roots,
         .insecure = config_.insecure_skip_tls_verify,
         .certificate = certificate,
         .alpn = {"http/1.1"}});
    if (!made)
      return fail(made.error().code, "certificate-authority: {}", made.error().detail);
    context_ = *made;
  }
  if (contents.token.find_first_of("\r\n") != std::string::npos)
    return fail(Errc::invalid, "token: expected one line");
  authorization_ = contents.token.empty() ? "" : "Bearer " + contents.token;
  contents_ = contents;
  return {};
}

} // namespace strait::kubernetes
