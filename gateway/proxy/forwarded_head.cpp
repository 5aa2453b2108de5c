#include "gateway/proxy/forwarded_head.hpp"

#include <algorithm>

namespace strait::gateway::proxy {

using net::http1::equal_ignoring_case;
using net::http1::Field;
using net::http1::Framing;
using net::http1::HeaderId;
using net::http1::HeadWriter;

namespace {

bool any(const EditSteps& steps) {
  return std::any_of(steps.begin(), steps.end(),
                     [](const HeaderEdits* edits) { return edits && !edits->empty(); });
}

bool accepts_trailers(const net::http1::RequestHead& head) {
  const auto te = head.get(HeaderId::te);
  return te.size() >= 8 && equal_ignoring_case(te.substr(0, 8), "trailers");
}

} // namespace

bool frames_message(std::string_view name) {
  switch (net::http1::header_id(name)) {
  case HeaderId::connection:
  case HeaderId::content_length:
  case HeaderId::keep_alive:
  case HeaderId::proxy_connection:
  case HeaderId::te:
  case HeaderId::trailer:
  case HeaderId::transfer_encoding:
  case HeaderId::upgrade:
    return true;
  default:
    return false;
  }
}

bool ForwardedHead::write_request(const net::http1::RequestHead& head, const RequestForward& how,
                                  std::string& out) {
  const bool edited = any(how.edits);
  const bool absolute = head.target_form() == net::http1::TargetForm::absolute;
  pieces_.clear();
  additions_.clear();
  const Field* forwarded_for = nullptr;
  for (const auto& field : head.fields()) {
    if (field.hop_by_hop || field.id == HeaderId::x_forwarded_proto)
      continue;
    if (field.id == HeaderId::expect && head.version_minor() == 0)
      continue; // RFC 9110 §10.1.1
    if (field.id == HeaderId::host && (absolute || !how.host.empty()))
      continue; // The target overrides it, RFC 9112 §3.2.2.
    if (field.id == HeaderId::x_forwarded_for)
      forwarded_for = &field;
    pieces_.push_back({head.name(field), head.value(field), head.view(field.line), -1});
  }
  // HTTP/1.0 may come without one, HTTP/1.1 may not be sent without one, be it empty (RFC 9112
  // §3.2).
  if (!how.host.empty())
    pieces_.push_back({"host", how.host, {}, -1});
  else if (absolute || !head.has(HeaderId::host))
    pieces_.push_back({"host", head.authority(), {}, -1});
  if (forwarded_for)
    append("x-forwarded-for", how.client_ip, ", ");
  else
    pieces_.push_back({"x-forwarded-for", how.client_ip, {}, -1});
  pieces_.push_back({"x-forwarded-proto", how.tls ? "https" : "http", {}, -1});
  if (edited)
    edit(how.edits);

  HeadWriter writer{out};
  if (!how.target.empty()) {
    writer.request(head.method_text(), how.target);
  } else if (absolute) {
    joined_.assign(head.path());
    if (head.has_query())
      joined_.append(1, '?').append(head.query());
    writer.request(head.method_text(), joined_);
  } else {
    writer.request(head.method_text(), head.target());
  }
  write_pieces(writer);
  if (head.framing() == Framing::chunked)
    writer.field("transfer-encoding", "chunked");
  const bool trailers = accepts_trailers(head);
  if (trailers)
    writer.field("te", "trailers");
  if (how.upgrade)
    writer.field("upgrade", head.get(HeaderId::upgrade));
  if (how.upgrade || trailers)
    writer.field("connection", how.upgrade ? trailers ? "upgrade, te" : "upgrade" : "te");
  writer.end();
  return writer.ok();
}

bool ForwardedHead::write_response(const net::http1::ResponseHead& head, const ResponseForward& how,
                                   std::string& out) {
  pieces_.clear();
  additions_.clear();
  for (const auto& field : head.fields())
    if (!field.hop_by_hop)
      pieces_.push_back({head.name(field), head.value(field), head.view(field.line), -1});
  if (any(how.edits))
    edit(how.edits);

  HeadWriter writer{out};
  writer.response(head.status(), head.reason());
  write_pieces(writer);
  if (how.chunked)
    writer.field("transfer-encoding", "chunked");
  if (head.status() == 101) {
    writer.field("upgrade", head.get(HeaderId::upgrade));
    writer.field("connection", "upgrade");
  } else if (head.status() >= 200) {
    if (how.close)
      writer.field("connection", "close");
    else if (how.http10)
      writer.field("connection", "keep-alive");
  }
  writer.end();
  return writer.ok();
}

bool ForwardedHead::write_own(int status, std::span<const HeaderView> fields,
                              const ResponseForward& how, std::string& out) {
  pieces_.clear();
  additions_.clear();
  for (const auto& field : fields)
    pieces_.push_back({field.name, field.value, {}, -1});
  if (any(how.edits))
    edit(how.edits);
  HeadWriter writer{out};
  writer.response(status);
  write_pieces(writer);
  if (how.close)
    writer.field("connection", "close");
  else if (how.http10)
    writer.field("connection", "keep-alive");
  writer.end();
  return writer.ok();
}

void ForwardedHead::write_pieces(HeadWriter& writer) {
  for (const auto& piece : pieces_) {
    if (!piece.line.empty()) {
      writer.raw_line(piece.line);
    } else if (piece.more < 0) {
      writer.field(piece.name, piece.value);
    } else {
      join(piece);
      writer.field(piece.name, joined_);
    }
  }
}

void ForwardedHead::join(const Piece& piece) {
  joined_.assign(piece.value);
  for (int i = piece.more; i >= 0;) {
    const auto& addition = additions_[static_cast<std::size_t>(i)];
    joined_.append(addition.separator).append(addition.value);
    i = addition.more;
  }
}

void ForwardedHead::append(std::string_view name, std::string_view value,
                           std::string_view separator) {
  auto piece = std::find_if(pieces_.begin(), pieces_.end(), [&](const Piece& candidate) {
    return equal_ignoring_case(candidate.name, name);
  });
  if (piece == pieces_.end() || equal_ignoring_case(name, "set-cookie")) {
    pieces_.push_back({name, value, {}, -1});
    return;
  }
  piece->line = {};
  additions_.push_back({separator, value, -1});
  const auto added = static_cast<int>(additions_.size()) - 1;
  if (piece->more < 0) {
    piece->more = added;
    return;
  }
  auto last = static_cast<std::size_t>(piece->more);
  while (additions_[last].more >= 0)
    last = static_cast<std::size_t>(additions_[last].more);
  additions_[last].more = added;
}

void ForwardedHead::edit(const EditSteps& steps) {
  const auto erase = [&](std::string_view name) {
    std::erase_if(pieces_,
                  [&](const Piece& piece) { return equal_ignoring_case(piece.name, name); });
  };
  for (const HeaderEdits* edits : steps) {
    if (!edits)
      continue;
    for (const auto& name : edits->remove)
      if (!frames_message(name))
        erase(name);
    for (const auto& edit : edits->set) {
      if (frames_message(edit.name))
        continue;
      erase(edit.name);
      pieces_.push_back({edit.name, edit.value, {}, -1});
    }
    for (const auto& edit : edits->add)
      if (!frames_message(edit.name))
        append(edit.name, edit.value, ",");
  }
}

} // namespace strait::gateway::proxy
