#pragma once

#include "api/identity.hpp"
#include "catalog/command.hpp"
#include "catalog/topic.hpp"

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// One request of the HTTP API and what an endpoint makes of it. Endpoints are pure: they look at a
/// view and say what to answer, what to read or what to write; http_api.cpp carries it out.
namespace strait::api {

/// The pairs of a query string, decoded, in their order.
class Parameters {
public:
  Parameters() = default;
  explicit Parameters(std::vector<std::pair<std::string, std::string>> pairs)
      : pairs_{std::move(pairs)} {}
  bool has(std::string_view name) const;
  /// The first value, or empty.
  const std::string& get(std::string_view name) const;
  std::vector<std::string> all(std::string_view name) const;
  const std::vector<std::pair<std::string, std::string>>& pairs() const { return pairs_; }

private:
  std::vector<std::pair<std::string, std::string>> pairs_;
};

struct Call {
  std::string method;
  std::string path;               ///< Decoded.
  std::vector<std::string> parts; ///< What the pattern's ":x" and "*" matched.
  Parameters parameters;
  std::string body;
  std::string content_type;
};

inline constexpr const char* json_type = "application/json";
inline constexpr const char* text_type = "text/plain; charset=utf-8";

/// An answer that is there at once.
struct Reply {
  int status = 200;
  std::string body{};
  std::string content_type = json_type;
  std::vector<std::pair<std::string, std::string>> fields{};
};
Reply text_reply(int status, std::string text);
/// The status that Consul answers a failure of its servers with: 500 for all that has no code of
/// its own, validation included.
Reply consul_error(const Error& error);

/// An answer that follows from a view, and so can be waited for.
struct Read {
  /// X-Consul-Index: when what is answered last changed. Never goes back while the query is the
  /// same, and is cheap to find out.
  std::function<catalog::Revision(const catalog::View&)> index;
  std::function<Reply(const catalog::View&)> answer;
  std::set<catalog::Topic> topics; ///< What wakes those who wait.
  /// Wait as if the client had sent this index; 0: it decides itself.
  catalog::Revision min_index = 0;
};

/// Commands, sent in order, and the reply once each is durable or refused.
struct Write {
  using Results = std::vector<Result<catalog::Revision>>;
  std::vector<catalog::Command> commands;
  /// With a view that holds what was committed.
  std::function<Reply(const Results&, const catalog::View&)> reply;
};

/// Something that takes its time elsewhere: calls back once, on any thread.
struct Later {
  std::function<void(std::function<void(Reply)>)> start;
};

using Outcome = std::variant<Reply, Read, Write, Later>;

/// What endpoints see beside the call.
struct Surroundings {
  const AgentIdentity& self;
  catalog::ViewPtr view; ///< The newest committed one.
  WallTime now{};
};

using Endpoint = std::function<Outcome(const Surroundings&, const Call&)>;

} // namespace strait::api
