#pragma once

#include "catalog/catalog.hpp"
#include "catalog/topic.hpp"

#include <map>
#include <set>
#include <vector>

namespace strait::actors {

/// What a subscriber is told: the newest view and which of its topics changed since it last
/// answered. Several changes become one: the latest wins, so nobody's queue can grow.
struct Change {
  catalog::ViewPtr view;
  std::vector<catalog::Topic> topics;
};

/// Who is told of what: a pure machine. A subscriber has at most one Change under way; what happens
/// meanwhile is merged and handed out when it acknowledges. Subscribers are plain numbers, given by
/// the actor that owns the handles.
///
/// Publishing costs the subscribers of the topics that changed, whatever the number of others.
class Publisher {
public:
  using Subscriber = std::uint64_t;
  struct Send {
    Subscriber to;
    Change change;
  };

  /// Replaces the subscriber's topics. Nothing is sent for what was before.
  void subscribe(Subscriber subscriber, std::set<catalog::Topic> topics);
  void unsubscribe(Subscriber subscriber);

  /// Returns what to send now.
  std::vector<Send> publish(const catalog::ViewPtr& view,
                            const std::vector<catalog::Topic>& changed);
  /// The subscriber has taken in what it was sent last.
  std::vector<Send> acknowledged(Subscriber subscriber);

  std::size_t subscribers() const { return entries_.size(); }
  /// Subscribers looked at by publish() so far: for the cost law.
  std::size_t visited() const { return visited_; }

private:
  struct Entry {
    std::set<catalog::Topic> topics;
    std::set<catalog::Topic> waiting;
    bool under_way = false;
  };
  void notify(Subscriber subscriber, const catalog::Topic& topic, std::set<Subscriber>& touched);

  std::map<Subscriber, Entry> entries_;
  std::map<catalog::Topic, std::set<Subscriber>> by_topic_;
  catalog::ViewPtr view_;
  std::size_t visited_ = 0;
};

/// The topics that an outcome touches: each record, and each catalog service.
std::vector<catalog::Topic> topics_of(const catalog::Outcome& outcome);

} // namespace strait::actors
