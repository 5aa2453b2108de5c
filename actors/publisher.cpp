#include "actors/publisher.hpp"

#include <utility>

namespace strait::actors {

using catalog::Topic;

void Publisher::subscribe(Subscriber subscriber, std::set<Topic> topics) {
  auto& entry = entries_[subscriber];
  for (auto& topic : entry.topics)
    if (!topics.contains(topic)) {
      auto it = by_topic_.find(topic);
      it->second.erase(subscriber);
      if (it->second.empty())
        by_topic_.erase(it);
    }
  for (auto& topic : topics)
    by_topic_[topic].insert(subscriber);
  entry.topics = std::move(topics);
}

void Publisher::unsubscribe(Subscriber subscriber) {
  subscribe(subscriber, {});
  entries_.erase(subscriber);
}

void Publisher::notify(Subscriber subscriber, const Topic& topic, std::set<Subscriber>& touched) {
  ++visited_;
  entries_[subscriber].waiting.insert(topic);
  touched.insert(subscriber);
}

std::vector<Publisher::Send> Publisher::publish(const catalog::ViewPtr& view,
                                                const std::vector<Topic>& changed) {
  view_ = view;
  std::set<Subscriber> touched;
  for (auto& topic : changed)
    for (auto& wanted :
         std::set{topic, Topic{topic.kind, {topic.name.ns, ""}}, Topic{topic.kind, {}}})
      if (auto it = by_topic_.find(wanted); it != by_topic_.end())
        for (auto subscriber : it->second)
          notify(subscriber, topic, touched);
  std::vector<Send> sends;
  for (auto subscriber : touched) {
    auto& entry = entries_[subscriber];
    if (std::exchange(entry.under_way, true))
      continue;
    sends.push_back({subscriber, {view_, {entry.waiting.begin(), entry.waiting.end()}}});
    entry.waiting.clear();
  }
  return sends;
}

std::vector<Publisher::Send> Publisher::acknowledged(Subscriber subscriber) {
  auto it = entries_.find(subscriber);
  if (it == entries_.end())
    return {};
  auto& entry = it->second;
  entry.under_way = !entry.waiting.empty();
  if (!entry.under_way)
    return {};
  Send send{subscriber, {view_, {entry.waiting.begin(), entry.waiting.end()}}};
  entry.waiting.clear();
  return {std::move(send)};
}

std::vector<Topic> topics_of(const catalog::Outcome& outcome) {
  std::vector<Topic> topics;
  for (auto& key : outcome.changed) {
    topics.push_back(catalog::topic_of(key));
    // A slice that is new to its Service is known to nobody by name.
    if (key.kind == model::Kind::endpoint_slice)
      if (auto* slice = outcome.view->find<model::EndpointSlice>(key.name))
        if (auto label = slice->meta.labels.find(catalog::service_name_label);
            label != slice->meta.labels.end())
          topics.push_back(catalog::slices_topic({key.name.ns, label->second}));
  }
  for (auto& service : outcome.services)
    topics.push_back(catalog::topic_of(service));
  return topics;
}

} // namespace strait::actors
