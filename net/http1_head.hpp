#pragma once

#include "net/http1_error.hpp"
#include "net/http1_names.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace strait::net::http1 {

/// A piece of the head, relative to its first byte: stays true when the buffer moves.
struct Slice {
  std::uint32_t offset = 0;
  std::uint32_t size = 0;
};

/// One header field in the order received.
struct Field {
  Slice name;
  Slice value; ///< Without the blank around it.
  Slice line;  ///< From the name to the CRLF, included: what to forward untouched.
  HeaderId id = HeaderId::other;
  bool hop_by_hop = false; ///< For this connection only (RFC 9110 §7.6.1): do not forward.
};

enum class Framing : std::uint8_t {
  none,   ///< No body.
  length, ///< content_length bytes, more than zero.
  chunked,
  until_close, ///< Responses only.
};

/// What requests and responses have in common. The views point into the bytes given to the parser;
/// after the buffer moved, call rebase() first.
class Head {
public:
  const std::vector<Field>& fields() const { return fields_; }
  std::string_view view(Slice slice) const { return {base_ + slice.offset, slice.size}; }
  std::string_view name(const Field& field) const { return view(field.name); }
  std::string_view value(const Field& field) const { return view(field.value); }

  bool has(HeaderId id) const { return present_ >> static_cast<unsigned>(id) & 1U; }
  /// The first field of that name, or null. O(1) when absent.
  const Field* find(HeaderId id) const;
  const Field* find(std::string_view name) const;
  /// Its value; empty when absent.
  std::string_view get(HeaderId id) const;
  std::string_view get(std::string_view name) const;

  /// Bytes of the head with its final CRLF; an ignored blank line before it included.
  std::size_t bytes() const { return bytes_; }
  int version_minor() const { return version_minor_; } ///< 0 or 1.
  Framing framing() const { return framing_; }
  std::uint64_t content_length() const { return content_length_; }
  /// Whether the connection may serve another message after this one.
  bool keep_alive() const { return keep_alive_; }
  /// Connection: upgrade beside an Upgrade field (RFC 9110 §7.8); its protocols are
  /// get(HeaderId::upgrade). For a response: status 101.
  bool upgrade() const { return upgrade_; }

  void rebase(const char* base) { base_ = base; }

protected:
  friend class HeadReader;
  void clear();

  const char* base_ = nullptr;
  std::vector<Field> fields_; // Keeps its memory from message to message.
  std::uint64_t present_ = 0;
  std::uint64_t content_length_ = 0;
  std::uint32_t bytes_ = 0;
  std::uint8_t version_minor_ = 1;
  Framing framing_ = Framing::none;
  bool keep_alive_ = true;
  bool upgrade_ = false;
};

/// RFC 9112 §3.2.
enum class TargetForm : std::uint8_t { origin, absolute, authority, asterisk };

class RequestHead : public Head {
public:
  Method method() const { return method_; }
  std::string_view method_text() const { return view(method_text_); }
  /// As received.
  std::string_view target() const { return view(target_); }
  Slice target_slice() const { return target_; }
  TargetForm target_form() const { return target_form_; }
  /// Begins with '/' and has no query; "/" for an absolute form without a path. Not decoded, not
  /// normalised. Empty for the asterisk and authority forms.
  std::string_view path() const;
  /// Behind the '?', without it. has_query() tells "?" from nothing.
  std::string_view query() const { return view(query_); }
  bool has_query() const { return has_query_; }
  /// Host and port that the request is for: of the target in absolute and authority form (which
  /// overrides Host, RFC 9112 §3.2.2), else of Host.
  std::string_view authority() const { return view(authority_); }
  /// The authority without its port, IPv6 in brackets. As received: compare ignoring case.
  std::string_view host() const { return view(host_); }
  /// 0 when the authority names none.
  std::uint16_t port() const { return port_; }
  /// The client waits for 100 Continue before it sends the body.
  bool expects_continue() const { return expects_continue_; }

private:
  friend class HeadReader;
  friend class RequestParser;
  Method method_ = Method::other;
  TargetForm target_form_ = TargetForm::origin;
  bool has_query_ = false;
  bool expects_continue_ = false;
  std::uint16_t port_ = 0;
  Slice method_text_, target_, path_, query_, authority_, host_;
};

class ResponseHead : public Head {
public:
  int status() const { return status_; }
  std::string_view reason() const { return view(reason_); }
  Slice reason_slice() const { return reason_; }
  /// 100..199 but 101: another head follows.
  bool interim() const { return status_ < 200 && status_ != 101; }

private:
  friend class HeadReader;
  friend class ResponseParser;
  int status_ = 0;
  Slice reason_;
};

} // namespace strait::net::http1
