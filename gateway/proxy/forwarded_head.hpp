#pragma once

#include "gateway/snapshot/snapshot.hpp"
#include "net/http1_head.hpp"
#include "net/http1_writer.hpp"

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace strait::gateway::proxy {

/// The header edits of a message, one after the other: of its filters, of its rule, of its backend.
/// Null or empty: none.
using EditSteps = std::array<const HeaderEdits*, 3>;

/// What a request's head needs beside what the client sent.
struct RequestForward {
  std::string_view client_ip;
  bool tls = false;     ///< The client came by TLS.
  bool upgrade = false; ///< The upgrade that the client asks for is passed on.
  EditSteps edits{};
  std::string_view target{}; ///< Empty: the client's.
  std::string_view host{};   ///< Empty: the client's.
};

/// What the client's connection demands of the answer's head.
struct ResponseForward {
  bool http10 = false; ///< The client speaks HTTP/1.0.
  bool close = false;  ///< The connection ends after this answer.
  bool chunked = false;
  EditSteps edits{};
};

/// Writes the heads that a proxy passes on (RFC 9110 §7.6): without what concerns one connection
/// only, with X-Forwarded-For and -Proto, and with the edits of the route. Keeps its memory from
/// head to head; one thread.
///
/// Edits: `set` replaces every field of the name, `add` appends to the first one with a comma and
/// no blank (a line of its own for Set-Cookie), `remove` takes all. Names that frame the message
/// (Connection, Content-Length, Transfer-Encoding, …) cannot be edited and are passed over:
/// resolution refuses them.
class ForwardedHead {
public:
  /// False if an edit holds what would break the head: it must not be sent.
  bool write_request(const net::http1::RequestHead& head, const RequestForward& how,
                     std::string& out);
  bool write_response(const net::http1::ResponseHead& head, const ResponseForward& how,
                      std::string& out);
  /// The head of an answer that is the proxy's own, with these fields.
  bool write_own(int status, std::span<const HeaderView> fields, const ResponseForward& how,
                 std::string& out);

private:
  struct Piece {
    std::string_view name, value;
    std::string_view line; // Untouched; empty once edited.
    int more = -1;         // Index into additions_: values appended to this one.
  };
  struct Addition {
    std::string_view separator, value;
    int more;
  };
  void edit(const EditSteps& steps);
  void write_pieces(net::http1::HeadWriter& writer);
  void append(std::string_view name, std::string_view value, std::string_view separator);
  void join(const Piece& piece);

  std::vector<Piece> pieces_;
  std::vector<Addition> additions_;
  std::string joined_;
};

/// Whether a header edit may not name this field.
bool frames_message(std::string_view name);

} // namespace strait::gateway::proxy
