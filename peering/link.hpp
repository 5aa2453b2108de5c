#pragma once

#include "peering/backoff.hpp"
#include "peering/export_table.hpp"
#include "peering/import_queue.hpp"
#include "peering/message.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace strait::peering {

struct Moment {
  Instant instant{}; ///< For timers.
  WallTime wall{};   ///< For what people read.
};

struct LinkOptions {
  model::Peering peering;    ///< The record as it stands.
  std::string stream_secret; ///< The dialer's active secret.
  std::string store_id;      ///< Of our own store.
  ExportOptions exports;
  bool resume = true; ///< Offer it; a Consul never takes it up.

  Millis heartbeat{15'000};
  Millis heartbeat_timeout{120'000};
  /// Before the first dial, so that whoever established the peering sees ESTABLISHING.
  Millis first_dial_delay{150};
  Millis dial_timeout{10'000};
  Millis farewell_timeout{5'000}; ///< How long the peer has to read that it is over.
  /// A record that says ACTIVE when this link begins (the agent was restarted) is believed for so
  /// long.
  Millis restart_grace{5'000};
  Millis report_interval{1'000}; ///< Status and resume marks, at most this often.
  Millis refresh_interval{20};   ///< Comparing exports with the catalog, at most this often.
  BackoffOptions backoff;
  ExportLimits export_limits;
  ImportLimits import_limits;
};

/// Of one link over all its streams, for metrics.
struct LinkCounters {
  std::uint64_t dials = 0;
  std::uint64_t messages_sent = 0, messages_received = 0;
  std::uint64_t responses_sent = 0, responses_received = 0;
  std::uint64_t payload_bytes_sent = 0, payload_bytes_received = 0;
  std::uint64_t nacks_sent = 0, nacks_received = 0;
  std::uint64_t resumed = 0; ///< Streams on which the peer continued where it was.
};

/// Our side of the stream to one peered datacenter, whichever side dials: exports out, imports in,
/// heartbeats, status. The messages and their order are Consul's; docs/formats/peering.md has
/// what Strait adds.
///
///   idle ──Dial──► dialing ──connected──► live ──lost──► idle …
///   idle ──accepted──────────────────────► live          (the acceptor never dials)
///   live ──Terminated──► terminated       any ──remove──► farewell ──► gone
///
/// A link does nothing by itself: the caller brings the time and what happened and carries out the
/// effects, in order. It is owned by the peer actor; one thread at a time. Reading and
/// acknowledging never wait for writing: only our own catalog being behind pauses reading
/// (wants_read).
class Link {
public:
  /// One stream; the link numbers those it dials, the caller those it accepts.
  using StreamId = std::uint64_t;
  enum class Phase : std::uint8_t { idle, dialing, live, farewell, terminated, gone };

  struct Dial {
    StreamId stream = 0;
    std::string address;
    std::vector<std::string> ca_pems; ///< Empty: plaintext.
    std::string server_name;
  };
  struct Send {
    StreamId stream = 0;
    Message message;
    bool urgent = false; ///< Before everything of the stream that is queued and not urgent.
  };
  /// Commit it, then call committed() with the ticket; ticket 0: nobody waits for the result.
  struct Apply {
    ImportQueue::Ticket ticket = 0;
    catalog::Command command;
  };
  /// End the stream. An acceptor answers its call with the code; a dialer cancels it.
  struct HangUp {
    StreamId stream = 0;
    Code code = Code::ok;
    std::string why;
  };
  /// Send what is queued, then close our half and read on until the peer has closed its own.
  struct Drain {
    StreamId stream = 0;
  };
  using Effect = std::variant<Dial, Send, Apply, HangUp, Drain>;
  using Effects = std::vector<Effect>;

  explicit Link(LinkOptions options);

  Effects tick(Moment now);
  /// Our dial succeeded.
  Effects connected(Moment now, StreamId stream);
  /// The peer dialed and admit() let it in. Takes the place of a stream that is still open.
  Effects accepted(Moment now, StreamId stream);
  Effects received(Moment now, StreamId stream, Message message);
  /// The stream is gone, or the dial failed. Code::ok: the peer closed it.
  Effects lost(Moment now, StreamId stream, Code code, const std::string& why);
  /// A command with this ticket was committed or refused.
  Effects committed(Moment now, ImportQueue::Ticket ticket, const Status& status);
  /// Our catalog has changed in something that may be exported.
  Effects exports_changed(Moment now, catalog::ViewPtr view);
  /// Our record has changed: new addresses or roots, a new secret, marked for deletion.
  Effects peering_changed(Moment now, const model::Peering& peering,
                          const std::string& stream_secret);

  Phase phase() const { return phase_; }
  /// Whether the wire may read the next message.
  bool wants_read() const { return imports_.wants_more(); }
  model::PeeringState state() const { return state_; }
  const model::PeeringStatus& status() const { return status_; }
  const LinkCounters& counters() const { return counters_; }
  /// When tick() has something to do, if nothing else happens before.
  Instant wake_at() const;

private:
  bool dials() const { return options_.peering.dials(); }
  void begin(Moment now, StreamId stream, Effects& effects);
  void send(Moment now, Message message, bool urgent, Effects& effects);
  void end(Moment now, Code code, const std::string& why, Effects& effects);
  void hang_up(Moment now, Code code, std::string why, Effects& effects);
  void on(Moment now, Request& request, Effects& effects);
  void on(Moment now, Response& response, Effects& effects);
  void on(Moment now, Heartbeat& heartbeat, Effects& effects);
  void terminated(Moment now, Effects& effects);
  void remove(Moment now, Effects& effects);
  void forget(Effects& effects);
  void dial(Moment now, Effects& effects);
  void refresh(Moment now);
  void pump(Moment now, Effects& effects);
  void mark_exports(Moment now, Effects& effects);
  void fail_with(std::string why);
  void set_state(model::PeeringState state);
  void report(Moment now, Effects& effects);

  LinkOptions options_;
  Phase phase_ = Phase::idle;
  StreamId stream_ = 0;
  StreamId last_stream_ = 0;
  Backoff backoff_;
  std::size_t address_ = 0; // Of the ring; grows with every dial.
  std::optional<Instant> dial_at_;
  std::optional<Instant> started_at_;
  Instant deadline_{}; // Of dialing and farewell.
  Instant beat_at_{};
  Instant heard_at_{};

  catalog::ViewPtr view_;
  bool view_is_new_ = false;
  Instant refreshed_at_{};
  ExportTable exports_;
  ImportQueue imports_;
  StoreRevision imported_;
  bool peer_resumes_ = false;
  std::optional<StoreRevision> peer_imported_; // What it said when it subscribed.
  std::string peer_list_digest_;
  bool list_seen_ = false; // On this stream: the list is in force, or nothing was missing.
  std::optional<catalog::Revision> marked_;
  Instant mark_at_{};
  catalog::Revision synced_ = 0; // The peer holds all exports up to here.

  model::PeeringState state_;
  model::PeeringStatus status_;
  bool state_changed_ = false, status_changed_ = false, imported_changed_ = false;
  Instant report_at_{};
  LinkCounters counters_;
};

} // namespace strait::peering
