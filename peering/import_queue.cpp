#include "peering/import_queue.hpp"

namespace strait::peering {
namespace {

constexpr std::size_t failure_bytes_max = 1024;

Request nack(Request answer, Code code, std::string why) {
  if (why.size() > failure_bytes_max)
    why.resize(failure_bytes_max);
  answer.failure = Request::Failure{code, std::move(why)};
  return answer;
}

Request upsert_failed(Request answer, const std::string& id, const Error& error) {
  auto text = fmt::format("upsert error, ResourceURL: \"{}\", ResourceID: \"{}\": {}", answer.url,
                          id, error.detail);
  return nack(std::move(answer), Code::internal, std::move(text));
}

} // namespace

std::variant<ImportQueue::Begun, Request> ImportQueue::begin(Response response) {
  Request answer{.nonce = response.nonce, .url = response.url};
  auto resource = resource_from(response.url);
  if (!resource)
    return nack(std::move(answer), Code::invalid_argument,
                fmt::format("received response for unknown resource type \"{}\"", response.url));
  if (response.nonce.empty())
    return nack(std::move(answer), Code::invalid_argument,
                fmt::format("received response without a nonce for: {}", response.url));
  if (!response.upsert)
    return nack(std::move(answer), Code::invalid_argument,
                "unsupported operation: must be OPERATION_UPSERT");
  if (!response.payload)
    return nack(std::move(answer), Code::invalid_argument,
                "received upsert response without content");
  if (response.payload_url != response.url)
    return nack(std::move(answer), Code::internal,
                fmt::format("upsert error, ResourceURL: \"{}\": the content is of type \"{}\"",
                            response.url, response.payload_url));
  auto payload = decode_payload(*resource, response.id, *response.payload, limits_.payload);
  if (!payload)
    return upsert_failed(std::move(answer), response.id, payload.error());
  std::optional<std::vector<std::string>> services;
  if (auto* list = std::get_if<ExportedServiceList>(&*payload))
    services = list->services;
  auto command = import_command(peering_, std::move(*payload));
  if (!command)
    return upsert_failed(std::move(answer), response.id, command.error());
  auto ticket = next_++;
  auto bytes = response.payload->size();
  bytes_ += bytes;
  answer.peer_id.clear();
  waiting_[ticket] = {std::move(answer), bytes, std::move(services)};
  return Begun{ticket, std::move(*command)};
}

std::optional<ImportQueue::Done> ImportQueue::end(Ticket ticket, const Status& status) {
  auto found = waiting_.find(ticket);
  if (found == waiting_.end())
    return {};
  auto waiting = std::move(found->second);
  waiting_.erase(found);
  bytes_ -= waiting.bytes;
  Done done;
  if (status) {
    done.services = std::move(waiting.services);
    done.answer = std::move(waiting.answer);
  } else {
    done.failure = fmt::format("cannot import {}: {}",
                               waiting.answer.url.substr(waiting.answer.url.rfind('.') + 1),
                               status.error().detail);
    done.answer = upsert_failed(std::move(waiting.answer), {}, status.error());
    if (waiting.answerable)
      mark_.reset(); // Not all up to there is committed.
  }
  if (!waiting.answerable)
    done.answer = {};
  return done;
}

void ImportQueue::mark(StoreRevision revision) { mark_ = {next_ - 1, std::move(revision)}; }

std::optional<StoreRevision> ImportQueue::passed() {
  if (!mark_ || (!waiting_.empty() && waiting_.begin()->first <= mark_->first))
    return {};
  auto revision = std::move(mark_->second);
  mark_.reset();
  return revision;
}

void ImportQueue::restart() {
  mark_.reset();
  for (auto& item : waiting_)
    item.second.answerable = false;
}

} // namespace strait::peering
