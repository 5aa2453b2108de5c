#include "catalog/dump.hpp"

#include "catalog/kinds.hpp"
#include "catalog/record_codec.hpp"

#include <algorithm>

namespace strait::catalog {

namespace {

std::string readable(std::string_view bytes) {
  std::string text;
  for (unsigned char byte : bytes)
    text += byte >= 0x20 && byte < 0x7f && byte != '\\' ? std::string(1, static_cast<char>(byte))
                                                        : fmt::format("\\{:02x}", byte);
  return text;
}

template <class Index>
std::string index_text(std::string_view name, const Index& index) {
  std::string text;
  for (auto& [key, ignored] : index)
    text += fmt::format("{} {} | {}\n", name, readable(model::to_string(key.first)),
                        readable(key.second));
  return text;
}

template <class T>
bool same_table(const View& a, const View& b) {
  auto &x = a.table<T>(), &y = b.table<T>();
  return x.same(y) ||
         (x.size() == y.size() &&
          std::equal(x.begin(), x.end(), y.begin(), [](auto& one, auto& other) {
            return one.first == other.first &&
                   (one.second == other.second || (one.second->created == other.second->created &&
                                                   one.second->modified == other.second->modified &&
                                                   one.second->value == other.second->value));
          }));
}

} // namespace

std::string to_text(const View& view) {
  auto text = fmt::format("revision {}\nextinction {}\n", view.revision, view.extinction);
  for (auto& [kind, revision] : view.kind_revisions)
    text += fmt::format("kind {} {}\n", model::to_string(kind), revision);
  each_kind([&]<class T>() {
    for (auto& item : view.table<T>()) {
      auto& record = *item.second;
      text += fmt::format(
          "record {} {} {} {}\n", readable(encode_key(key_of(record.value))), record.created,
          record.modified,
          readable(encode_record(AnyRecord{record.value}, record.created, record.modified)));
    }
  });
  for (auto& [service, entry] : view.services) {
    text += fmt::format("service {} | {} {}\n", readable(service.peer), readable(service.service),
                        entry.modified);
    for (auto& item : entry.instances)
      text += fmt::format("  instance {}\n", readable(model::to_string(item.first)));
  }
  text += index_text("slice", view.slices);
  text += index_text("check", view.checks);
  text += index_text("on node", view.node_instances);
  return text;
}

bool same(const View& a, const View& b) {
  bool equal = a.revision == b.revision && a.extinction == b.extinction &&
               a.kind_revisions == b.kind_revisions && a.slices == b.slices &&
               a.checks == b.checks && a.node_instances == b.node_instances &&
               a.services.size() == b.services.size() &&
               std::equal(a.services.begin(), a.services.end(), b.services.begin(),
                          [](auto& one, auto& other) {
                            return one.first == other.first &&
                                   one.second.modified == other.second.modified &&
                                   one.second.instances == other.second.instances;
                          });
  each_kind([&]<class T>() { equal = equal && same_table<T>(a, b); });
  return equal;
}

} // namespace strait::catalog
