#pragma once

#include <fmt/format.h>
#include <google/protobuf/message.h>
#include <google/protobuf/unknown_field_set.h>

#include <string>
#include <utility>
#include <vector>

/// What all writers and readers of the feed's messages need. For the codec's source files alone.
namespace strait::gateway::feed {

template <class Field, class Item>
void write_texts(Field* field, const std::vector<Item>& texts) {
  field->Reserve(static_cast<int>(texts.size()));
  for (const auto& text : texts)
    *field->Add() = text;
}

/// The first thing wrong with the resource that is being read; its reader adds the name.
struct Problem {
  std::string what;
  void set(std::string text) {
    if (what.empty())
      what = std::move(text);
  }
};

/// A field that this program does not know may be a filter that keeps requests out: to serve
/// without it would be worse than to serve what was there before.
inline void know_all(Problem& problem, const google::protobuf::Message& message) {
  if (!message.GetReflection()->GetUnknownFields(message).empty())
    problem.set("holds a field that this program does not know: it is older than its agent");
}

/// The number, if it is one of min..max; else a problem, and the least.
template <class To, class From>
To within(Problem& problem, const char* field, From value, From min, From max) {
  if (value >= min && value <= max)
    return static_cast<To>(value);
  problem.set(fmt::format("{}: {} must be {}..{}", field, static_cast<long long>(value),
                          static_cast<long long>(min), static_cast<long long>(max)));
  return static_cast<To>(min);
}

template <class Field>
std::vector<std::string> read_texts(const Field& field) {
  return {field.begin(), field.end()};
}

} // namespace strait::gateway::feed
