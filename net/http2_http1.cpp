#include "net/http2_http1.hpp"

#include "net/http1_writer.hpp"

#include <charconv>

namespace strait::net::http2 {

using http1::equal_ignoring_case;
using http1::HeaderId;
using http1::HeadWriter;

namespace {

/// Fields that frame an HTTP/1.1 message or concern one connection (RFC 9113 §8.2.2): nghttp2 lets
/// none of them in, and none of them goes out.
bool of_one_connection(HeaderId id) {
  switch (id) {
  case HeaderId::connection:
  case HeaderId::keep_alive:
  case HeaderId::proxy_connection:
  case HeaderId::transfer_encoding:
  case HeaderId::upgrade:
  case HeaderId::http2_settings:
    return true;
  default:
    return false;
  }
}

/// Everything but pseudo-header fields and the length; cookies as one.
void write_fields(const FieldList& fields, HeadWriter& writer) {
  std::string cookies;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const auto [name, value] = fields[i];
    if (name.starts_with(':') || name == "content-length" || name == "trailer" ||
        of_one_connection(http1::header_id(name)))
      continue;
    if (name == "te") { // Concerns one connection in HTTP/1.1, and may only be this in HTTP/2.
      writer.field("te", "trailers").field("connection", "te");
      continue;
    }
    if (name == "cookie") {
      (cookies += cookies.empty() ? "" : "; ") += value;
      continue;
    }
    writer.field(name, value);
  }
  if (!cookies.empty())
    writer.field("cookie", cookies);
}

Content finish(HeadWriter& writer, Content content, std::string& out, std::size_t before) {
  if (content == Content::chunked)
    writer.field("transfer-encoding", "chunked");
  writer.end();
  if (writer.ok())
    return content;
  out.resize(before);
  return Content::refused;
}

} // namespace

bool is_grpc(std::string_view content_type) {
  constexpr std::string_view name = "application/grpc";
  if (!equal_ignoring_case(content_type.substr(0, name.size()), name))
    return false;
  return content_type.size() == name.size() ||
         std::string_view{"+; \t"}.find(content_type[name.size()]) != std::string_view::npos;
}

Content append_request(const FieldList& fields, bool ended, std::string& out) {
  const auto before = out.size();
  HeadWriter writer{out};
  const auto method = fields.get(":method"), authority = fields.get(":authority");
  writer.request(method, method == "CONNECT" ? authority : fields.get(":path"));
  // Host beside an authority may only repeat it (RFC 9113 §8.3.1); one that differs is left in, so
  // that the request is refused for having two.
  if (!authority.empty() && fields.get("host") != authority)
    writer.field("host", authority);
  write_fields(fields, writer);
  const auto length = fields.get("content-length");
  auto content = ended ? Content::none : Content::chunked;
  if (!length.empty() && !is_grpc(fields.get("content-type"))) {
    writer.field("content-length", length);
    content = ended || length == "0" ? Content::none : Content::plain;
  }
  return finish(writer, content, out, before);
}

Content append_response(const FieldList& fields, bool ended, bool to_head, std::string& out) {
  const auto before = out.size();
  HeadWriter writer{out};
  const auto text = fields.get(":status");
  int status = 0;
  std::from_chars(text.data(), text.data() + text.size(), status);
  if (status == 101) // There is no such thing in HTTP/2 (RFC 9113 §8.6).
    return Content::refused;
  writer.response(status);
  write_fields(fields, writer);
  if (status < 200 || status == 204)
    return finish(writer, Content::none, out, before);
  auto length = fields.get("content-length");
  const bool bodiless = to_head || status == 304;
  if (bodiless || ended) {
    if (length.empty() && !bodiless)
      length = "0";
    if (!length.empty())
      writer.field("content-length", length);
    return finish(writer, Content::none, out, before);
  }
  if (length.empty() || is_grpc(fields.get("content-type")))
    return finish(writer, Content::chunked, out, before);
  writer.field("content-length", length);
  return finish(writer, length == "0" ? Content::none : Content::plain, out, before);
}

void append_trailers(const FieldList& trailers, std::string& out) {
  out.append("0\r\n");
  HeadWriter writer{out};
  for (std::size_t i = 0; i < trailers.size(); ++i)
    if (!trailers[i].name.starts_with(':') &&
        !of_one_connection(http1::header_id(trailers[i].name)))
      writer.field(trailers[i].name, trailers[i].value); // Appends nothing that breaks the framing.
  writer.end();
}

void to_fields(const http1::RequestHead& head, bool tls, FieldList& out) {
  out.clear();
  out.add(":method", head.method_text());
  out.add(":scheme", tls ? "https" : "http");
  out.add(":authority", head.authority());
  if (head.target_form() == http1::TargetForm::absolute) {
    std::string path{head.path()};
    if (head.has_query())
      path.append(1, '?').append(head.query());
    out.add(":path", path);
  } else {
    out.add(":path", head.target());
  }
  for (const auto& field : head.fields()) {
    if (field.id == HeaderId::host || of_one_connection(field.id))
      continue;
    if (field.id == HeaderId::te) {
      const auto value = head.value(field);
      if (equal_ignoring_case(value.substr(0, 8), "trailers"))
        out.add("te", "trailers");
      continue;
    }
    if (!field.hop_by_hop)
      out.add(head.name(field), head.value(field));
  }
}

void to_fields(const http1::ResponseHead& head, FieldList& out) {
  out.clear();
  out.add(":status", std::to_string(head.status()));
  for (const auto& field : head.fields())
    if (!field.hop_by_hop && !of_one_connection(field.id))
      out.add(head.name(field), head.value(field));
}

void to_trailers(const http1::BodyReader& body, FieldList& out) {
  out.clear();
  for (const auto& [name, value] : body.trailers()) {
    const auto id = http1::header_id(name);
    // RFC 9110 §6.5.1: what frames or routes a message has no place here.
    if (!of_one_connection(id) && id != HeaderId::content_length && id != HeaderId::host &&
        id != HeaderId::te && id != HeaderId::trailer)
      out.add(name, value);
  }
}

} // namespace strait::net::http2
