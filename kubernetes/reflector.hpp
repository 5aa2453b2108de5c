#pragma once

#include "base/time.hpp"
#include "kubernetes/watch.hpp"

#include <map>
#include <random>
#include <set>
#include <variant>

namespace strait::kubernetes {

struct ReflectorOptions {
  std::size_t page_max = 250; ///< Objects of one list request; halved when an answer is too large.
  Millis delay_min{500};      ///< Before what failed is tried again; doubled up to the maximum …
  Millis delay_max{30'000};   ///< … and then shortened at random by up to a half.
  /// A watch that lasted this long was one: its end is followed by the next at once.
  Millis watch_healthy_after{5'000};
  /// Watches in a row that brought nothing before everything is listed anew.
  unsigned barren_watches_max = 5;
  std::uint64_t seed = 0;
};

/// Why a request brought nothing.
struct Failure {
  enum class Kind : std::uint8_t {
    expired,   ///< 410: what was asked for is too old.
    too_large, ///< The answer passed a maximum of ours.
    other,
  };
  Kind kind = Kind::other;
  std::string text;
  Millis retry_after{0};
};

/// Keeps up with one collection of objects: lists it page by page, watches it from there, begins
/// anew when the server has forgotten where we were. A pure machine: whoever owns it brings what
/// arrived and carries out the effects. What it says follows the server: after a list, what is not
/// in it any more is removed; an object that did not change is not told again.
class Reflector {
public:
  struct List {
    std::string continue_token;
    std::size_t limit;
  };
  struct Watch {
    std::string resource_version;
  };
  struct StopWatch {};
  struct Put {
    Item item;
  };
  struct Remove {
    model::Name name;
  };
  /// A whole list has been told.
  struct Synced {};
  struct Wait {
    Millis delay; ///< Then due().
  };
  /// For the log: once for each text, until something works again.
  struct Problem {
    std::string text;
  };
  using Effect = std::variant<List, Watch, StopWatch, Put, Remove, Synced, Wait, Problem>;
  using Effects = std::vector<Effect>;

  explicit Reflector(ReflectorOptions options) : options_{options}, random_{options.seed} {}

  /// `known`: objects that the owner has from an earlier life; they go if the list lacks them.
  Effects start(Instant now, const std::vector<model::Name>& known = {});
  Effects listed(Instant now, ListPage page);
  Effects list_failed(Instant now, const Failure& failure);
  Effects event(Instant now, WatchEvent event);
  /// A line that is no event: nobody knows what it hid, so everything is listed.
  Effects corrupt_event(Instant now, const std::string& text);
  /// No failure: the server ended it, as it does every few minutes.
  Effects watch_ended(Instant now, const Failure* failure);
  Effects due(Instant now);
  /// The collection does not exist any more: all of it is removed.
  Effects vanish();

  bool synced() const { return synced_; }
  const std::map<model::Name, std::string>& known() const { return known_; }

private:
  enum class Phase : std::uint8_t { idle, listing, watching, waiting_to_list, waiting_to_watch };
  void list(Effects& effects);
  void watch(Instant now, Effects& effects);
  void wait(Phase then, Millis at_least, Effects& effects);
  void put(Item item, Effects& effects);
  void worked();
  void problem(const std::string& text, Effects& effects);

  ReflectorOptions options_;
  std::mt19937_64 random_;
  Phase phase_ = Phase::idle;
  std::map<model::Name, std::string> known_; // With the resource version told last.
  std::set<model::Name> listed_;             // Of the list under way.
  std::string resource_version_, continue_token_;
  std::size_t limit_ = options_.page_max;
  Millis delay_{0};
  Instant watching_since_{};
  bool brought_ = false; // By the watch under way.
  unsigned barren_ = 0;
  bool synced_ = false;
  std::string problem_;
};

} // namespace strait::kubernetes
