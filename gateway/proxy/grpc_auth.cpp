#include "gateway/proxy/grpc_auth.hpp"

#include "base/ascii.hpp"
#include "gateway/proxy/forwarded_head.hpp"
#include "gateway/proxy/protobuf_wire.hpp"
#include "net/http1_writer.hpp"

#include <algorithm>
#include <map>

namespace strait::gateway::proxy {

using net::http1::HeaderId;

namespace {

constexpr std::size_t prefix_bytes = 5; ///< Of a gRPC message: compressed or not, length.

/// By name; repeated ones are joined as HTTP says (RFC 9110 §5.3).
std::map<std::string, std::string> told_headers(const ExternalAuth& auth,
                                                const net::http1::RequestHead& head) {
  std::map<std::string, std::string> headers;
  for (const auto& field : head.fields()) {
    const auto name = ascii_lower(head.name(field));
    const auto& allowed = auth.allowed_headers;
    if (field.hop_by_hop ||
        (!allowed.empty() && std::find(allowed.begin(), allowed.end(), name) == allowed.end()))
      continue;
    auto& value = headers[name];
    if (!value.empty())
      value.append(field.id == HeaderId::cookie ? "; " : ", ");
    value.append(head.value(field));
  }
  return headers;
}

std::string http_request(const ExternalAuth& auth, const GrpcAuthQuestion& question) {
  const auto& head = question.head;
  std::string out;
  ProtobufWriter http{out};
  http.text(1, head.get(HeaderId::x_request_id)).text(2, head.method_text());
  for (const auto& [name, value] : told_headers(auth, head)) {
    std::string entry;
    ProtobufWriter{entry}.text(1, name).text(2, value);
    http.message(3, entry);
  }
  std::string target{head.path()};
  if (head.has_query())
    target.append(1, '?').append(head.query());
  const bool sized = head.framing() != net::http1::Framing::chunked;
  http.text(4, target).text(5, head.authority()).text(6, question.tls ? "https" : "http");
  http.number(9, sized ? head.content_length() : ~std::uint64_t{0}); // -1: not known.
  http.text(10, head.version_minor() == 0 ? "HTTP/1.0" : "HTTP/1.1");
  // A string must be UTF-8; what may not be goes as bytes.
  const bool ascii = std::all_of(question.body.begin(), question.body.end(),
                                 [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  http.text(ascii ? 11 : 12, question.body);
  return out;
}

/// One HeaderValueOption. Nothing: HTTP cannot say it.
struct HeaderOption {
  HeaderEdit edit;
  bool append = false;
};
std::optional<HeaderOption> header_option(std::string_view message) {
  HeaderOption option;
  ProtobufReader reader{message};
  while (reader.next()) {
    if (reader.number() == 1 && reader.is_bytes()) {
      ProtobufReader header{reader.bytes()};
      while (header.next()) {
        if (header.number() == 1 && header.is_bytes())
          option.edit.name = ascii_lower(header.bytes());
        else if ((header.number() == 2 || header.number() == 3) && header.is_bytes())
          option.edit.value = header.bytes();
      }
      if (!header.complete())
        return std::nullopt;
    } else if (reader.number() == 2 && reader.is_bytes()) {
      ProtobufReader flag{reader.bytes()};
      while (flag.next())
        option.append = option.append || (flag.number() == 1 && flag.value() != 0);
    }
  }
  if (!reader.complete() || !net::http1::is_token(option.edit.name) ||
      !net::http1::is_field_value(option.edit.value))
    return std::nullopt;
  return option;
}

bool editable(std::string_view name) { return name != "host" && !frames_message(name); }

bool add_option(std::string_view message, HeaderEdits& edits) {
  auto option = header_option(message);
  if (option && editable(option->edit.name))
    (option->append ? edits.add : edits.set).push_back(std::move(option->edit));
  return option.has_value();
}

bool read_ok(std::string_view message, GrpcVerdict& verdict) {
  ProtobufReader reader{message};
  while (reader.next()) {
    if (!reader.is_bytes())
      continue;
    if (reader.number() == 2 && !add_option(reader.bytes(), verdict.request))
      return false;
    if (reader.number() == 6 && !add_option(reader.bytes(), verdict.response))
      return false;
    if (reader.number() == 5 && editable(ascii_lower(reader.bytes())))
      verdict.request.remove.push_back(ascii_lower(reader.bytes()));
  }
  return reader.complete();
}

bool read_denied(std::string_view message, GrpcVerdict& verdict) {
  ProtobufReader reader{message};
  while (reader.next()) {
    if (!reader.is_bytes())
      continue;
    if (reader.number() == 1) {
      ProtobufReader status{reader.bytes()};
      while (status.next())
        if (status.number() == 1 && status.value() >= 200 && status.value() <= 599)
          verdict.status = static_cast<int>(status.value());
    } else if (reader.number() == 2) {
      auto option = header_option(reader.bytes());
      if (!option)
        return false;
      if (editable(option->edit.name))
        verdict.fields.push_back(std::move(option->edit));
    } else if (reader.number() == 3) {
      verdict.body = reader.bytes();
    }
  }
  return reader.complete();
}

} // namespace

std::string grpc_auth_message(const ExternalAuth& auth, const GrpcAuthQuestion& question) {
  std::string socket, address, source, time, request, attributes, check;
  ProtobufWriter{socket}.text(2, question.client_ip);
  ProtobufWriter{address}.message(1, socket);
  ProtobufWriter{source}.message(1, address);
  const auto ms = question.began.time_since_epoch().count();
  ProtobufWriter{time}
      .number(1, static_cast<std::uint64_t>(ms / 1000))
      .number(2, static_cast<std::uint64_t>(ms % 1000 * 1'000'000));
  ProtobufWriter{request}.message(1, time).message(2, http_request(auth, question));
  ProtobufWriter{attributes}.message(1, source).message(4, request);
  ProtobufWriter{check}.message(1, attributes);
  std::string framed(1, '\0');
  for (int shift = 24; shift >= 0; shift -= 8)
    framed.push_back(static_cast<char>(check.size() >> shift & 0xff));
  return framed.append(check);
}

std::string grpc_auth_head(std::string_view authority, std::size_t message_bytes, Millis timeout) {
  std::string out;
  net::http1::HeadWriter{out}
      .request("POST", grpc_auth_path)
      .field("host", authority)
      .field("content-type", "application/grpc")
      .field("grpc-timeout", std::to_string(timeout.count()) + 'm')
      .field("content-length", static_cast<std::uint64_t>(message_bytes))
      .field("te", "trailers")
      .field("connection", "te")
      .end();
  return out;
}

std::optional<GrpcVerdict> read_grpc_verdict(std::string_view content) {
  if (content.size() < prefix_bytes || content.front() != '\0')
    return std::nullopt;
  std::size_t length = 0;
  for (std::size_t i = 1; i < prefix_bytes; ++i)
    length = length << 8 | static_cast<unsigned char>(content[i]);
  content.remove_prefix(prefix_bytes);
  if (content.size() != length)
    return std::nullopt;
  GrpcVerdict verdict{.allowed = true}; // An absent status is code 0: OK.
  GrpcVerdict denied, ok;
  ProtobufReader reader{content};
  while (reader.next()) {
    if (!reader.is_bytes())
      continue;
    if (reader.number() == 1) {
      ProtobufReader status{reader.bytes()};
      while (status.next())
        if (status.number() == 1)
          verdict.allowed = status.value() == 0;
      if (!status.complete())
        return std::nullopt;
    } else if (reader.number() == 2) {
      if (!read_denied(reader.bytes(), denied))
        return std::nullopt;
    } else if (reader.number() == 3) {
      if (!read_ok(reader.bytes(), ok))
        return std::nullopt;
    }
  }
  if (!reader.complete())
    return std::nullopt;
  auto& said = verdict.allowed ? ok : denied;
  said.allowed = verdict.allowed;
  return std::move(said);
}

} // namespace strait::gateway::proxy
