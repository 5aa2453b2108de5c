#pragma once

#include "base/result.hpp"
#include "base/time.hpp"
#include "catalog/model/service.hpp"

#include <map>
#include <set>
#include <string>
#include <variant>
#include <vector>

namespace strait::catalog {

/// Named maxima and defaults of running checks; Consul's values where it has one.
struct CheckLimits {
  std::size_t checks_max = 100'000;
  std::size_t probes_running_max = 256; ///< More that are due wait for a free place.
  std::size_t output_bytes_max = 4096;
  Millis interval_min{1'000};
  Millis timeout_default{10'000};
  Millis deregister_after_min{60'000};
};

/// Which check: the node is the agent's own, and so is left out.
using CheckId = std::string;

/// Runs the checks that this agent owns: says when to probe what, and turns what the probes found
/// into a status. It does nothing by itself: the caller brings the time and the results and carries
/// out the effects. Owned by one thread.
class CheckRunner {
public:
  struct ProbeHttp {
    CheckId check;
    std::uint64_t probe = 0; ///< To be given back with the result.
    std::string url, method, body;
    std::map<std::string, std::vector<std::string>> header;
    bool tls_skip_verify = false;
    Millis timeout{};
  };
  struct ProbeTcp {
    CheckId check;
    std::uint64_t probe = 0;
    std::string address; ///< host:port
    Millis timeout{};
  };
  /// A ReportCheck command to send; only when status or output differ from the last one.
  struct Report {
    CheckId check;
    model::Health status{};
    std::string output;
  };
  /// The service has been critical for deregister_after.
  struct DeregisterService {
    std::string service_id;
    CheckId check;
  };
  using Effect = std::variant<ProbeHttp, ProbeTcp, Report, DeregisterService>;
  using Effects = std::vector<Effect>;

  /// What an HTTP probe met: an answer, or a failure to get one.
  struct HttpAnswer {
    int status = 0;
    std::string body;
  };

  explicit CheckRunner(CheckLimits limits = {}) : limits_{limits} {}

  /// Errc::invalid for a definition that cannot run (no or two kinds, interval below 1 s, …), with
  /// the field; Errc::exhausted beyond checks_max. An equal definition goes on undisturbed, another
  /// starts anew. First runs are spread over the interval by a hash of the id.
  Status add(Instant now, const model::HealthCheck& check);
  void remove(const CheckId& check);

  /// What is due. Call at next_due() or later.
  Effects tick(Instant now);
  /// When tick() will have something to do; Instant::max(): never.
  Instant next_due() const;

  /// The result of a probe. One that comes after its check was removed or changed is dropped. The
  /// caller ends each probe by its timeout and says so with the failure's text.
  Effects answered(Instant now, const CheckId& check, std::uint64_t probe,
                   const Result<HttpAnswer>& answer);
  Effects connected(Instant now, const CheckId& check, std::uint64_t probe, const Status& result);
  /// A report on a TTL check. Errc::not_found; Errc::invalid if the check has no TTL.
  Result<Effects> reported(Instant now, const CheckId& check, model::Health status,
                           std::string output);

  std::size_t size() const { return checks_.size(); }
  std::size_t probes_running() const { return running_; }

private:
  struct Check {
    model::HealthCheck definition;
    model::Health status{};
    std::string output;
    Instant due = Instant::max(); ///< Next probe, or end of the TTL.
    Instant deregister_at = Instant::max();
    std::uint64_t probe = 0; ///< Which one is running; 0: none.
    bool waiting = false;    ///< Is due, but as many probes as may be are running.
    std::int32_t successes = 0, failures = 0;
  };
  using Due = std::set<std::pair<Instant, CheckId>>;

  void plan(const CheckId& id, Check& check, Instant due);
  void plan_deregister(const CheckId& id, Check& check, Instant at);
  Effect start(Instant now, const CheckId& id, Check& check);
  void start_waiting(Instant now, Effects& effects);
  Check* finished(const CheckId& id, std::uint64_t probe);
  void found(Instant now, const CheckId& id, Check& check, model::Health status, std::string output,
             Effects& effects);
  void settle(Instant now, const CheckId& id, Check& check, model::Health status,
              std::string output, Effects& effects);

  CheckLimits limits_;
  std::map<CheckId, Check> checks_;
  Due due_;
  Due deregister_;
  std::set<std::pair<Instant, CheckId>> waiting_; ///< Longest waiting first.
  std::size_t running_ = 0;
  std::uint64_t last_probe_ = 0;
};

} // namespace strait::catalog
