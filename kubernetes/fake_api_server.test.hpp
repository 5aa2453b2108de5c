#pragma once

#include "kubernetes/document.hpp"
#include "kubernetes/watch.hpp"
#include "net/http_server.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace strait::kubernetes {

/// For tests: an API server on a real socket of a loop: keeps objects, lists and watches them,
/// takes applies, merge patches and deletions with their preconditions, and remembers what it was
/// asked. Used on the loop's thread alone.
class FakeApiServer {
public:
  explicit FakeApiServer(net::EventLoop& loop)
      : server_{loop, {}, [this](auto request, auto&, auto responder) {
                  asked.push_back(request.method + " " + std::string{request.path()});
                  serve(request, responder);
                }} {
    url = "http://" + server_.listen(net::Address::loopback(0))->to_string();
  }

  /// Creates or replaces an object, at its own path ("/api/v1/namespaces/shop/services/edge").
  void put(const std::string& path, std::string_view json) { write(path, *parse_json(json, path)); }
  /// Unseen: as if every watch had been interrupted just then.
  void remove(const std::string& path, bool unseen = false) {
    auto found = objects_.find(path);
    if (found == objects_.end())
      return;
    auto object = std::move(found->second);
    objects_.erase(found);
    child(child(object, "metadata"), "resourceVersion").value = std::to_string(++revision_);
    if (!unseen)
      tell("DELETED", path, object);
  }
  bool has(const std::string& path) const { return objects_.contains(path); }
  Node object(const std::string& path) const { return objects_.at(path); }
  std::set<std::string> paths() const {
    std::set<std::string> out;
    for (auto& [path, object] : objects_)
      out.insert(path);
    return out;
  }
  /// The versions of a group and the plurals in each, for discovery.
  void serve_kinds(const std::string& group, const std::string& version,
                   std::vector<std::string> plurals) {
    groups_[group][version] = std::move(plurals);
  }
  void unserve(const std::string& group) { groups_.erase(group); }
  /// What a history that is compacted does: every watch of the collection is told 410.
  void expire(const std::string& collection) {
    for (auto& watch : watches_)
      if (watch.collection == collection)
        (void)watch.out.write("{\"type\":\"ERROR\",\"object\":{\"code\":410,"
                              "\"message\":\"too old\"}}\n");
  }
  std::size_t watches(const std::string& collection) const {
    return static_cast<std::size_t>(std::count_if(watches_.begin(), watches_.end(), [&](auto& it) {
      return it.collection == collection && !it.out.disconnected();
    }));
  }
  std::size_t count_asked(std::string_view method, std::string_view path) const {
    auto line = std::string{method} + " " + std::string{path};
    return static_cast<std::size_t>(std::count(asked.begin(), asked.end(), line));
  }

  static Node& child(Node& map, std::string_view key) {
    if (map.is_null())
      map.value = Node::Map{};
    for (auto& it : std::get<Node::Map>(map.value))
      if (it.key == key)
        return it.value;
    return std::get<Node::Map>(map.value).emplace_back(Member{std::string{key}, {}}).value;
  }

  std::string url;
  std::vector<std::string> asked; ///< "GET /api/v1/services", as they came.
  /// Called with what was written, which it may change: what controllers do.
  std::function<void(const std::string& path, Node& object)> on_write;
  /// An answer instead of the server's own.
  std::function<std::optional<net::HttpResponse>(const net::HttpRequest&)> instead;

private:
  struct Watch {
    std::string collection;
    std::map<std::string, std::string> query;
    net::HttpResponder out;
  };

  static net::HttpResponse refusal(int status, const std::string& message) {
    return {status, {}, fmt::format(R"({{"kind":"Status","message":"{}"}})", message)};
  }

  /// "/api/v1/services" and "/api/v1/namespaces/shop/services" both hold ".../shop/services/edge".
  static bool in_collection(const std::string& path, const std::string& collection) {
    auto slash = path.rfind('/');
    auto own = path.substr(0, slash);
    if (own == collection)
      return true;
    auto at = own.find("/namespaces/");
    if (at == std::string::npos)
      return false;
    auto rest = own.find('/', at + std::string_view{"/namespaces/"}.size());
    return rest != std::string::npos && own.substr(0, at) + own.substr(rest) == collection;
  }
  /// Labels that must be there ("a") or have a value ("a=b"); the one field metadata.name.
  static bool selected(const Node& object, const std::map<std::string, std::string>& query) {
    if (auto it = query.find("fieldSelector"); it != query.end())
      if ("metadata.name=" + text_at(object, {"metadata", "name"}) != it->second)
        return false;
    auto it = query.find("labelSelector");
    std::string_view rest = it == query.end() ? std::string_view{} : it->second;
    while (!rest.empty()) {
      auto term = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(rest.size(), term.size() + 1));
      auto key = term.substr(0, term.find('='));
      auto* label = node_at(object, {"metadata", "labels", key});
      auto* text = label ? std::get_if<std::string>(&label->value) : nullptr;
      if (!text || (key != term && *text != term.substr(key.size() + 1)))
        return false;
    }
    return true;
  }
  static void merge(Node& into, const Node& from) {
    auto* map = std::get_if<Node::Map>(&from.value);
    if (!map) {
      into = from;
      return;
    }
    if (!std::holds_alternative<Node::Map>(into.value))
      into.value = Node::Map{};
    for (auto& member : *map)
      if (member.value.is_null())
        std::erase_if(std::get<Node::Map>(into.value),
                      [&](auto& it) { return it.key == member.key; });
      else
        merge(child(into, member.key), member.value);
  }

  void write(const std::string& path, Node object) {
    bool is_new = !objects_.contains(path);
    if (on_write)
      on_write(path, object);
    auto& meta = child(object, "metadata");
    child(meta, "resourceVersion").value = std::to_string(++revision_);
    if (!meta.find("uid"))
      child(meta, "uid").value = "uid-" + std::to_string(revision_);
    objects_[path] = object;
    tell(is_new ? "ADDED" : "MODIFIED", path, object);
  }
  struct Event {
    std::uint64_t revision;
    const char* type;
    std::string path;
    Node object;
  };
  static void tell(const Watch& watch, const Event& event) {
    if (in_collection(event.path, watch.collection) && selected(event.object, watch.query))
      (void)watch.out.write(fmt::format("{{\"type\":\"{}\",\"object\":{}}}\n", event.type,
                                        write_json(event.object, 0)));
  }
  void tell(const char* type, const std::string& path, const Node& object) {
    history_.push_back({revision_, type, path, object});
    for (auto& watch : watches_)
      tell(watch, history_.back());
  }

  void serve(const net::HttpRequest& request, const net::HttpResponder& responder) {
    if (instead)
      if (auto answer = instead(request))
        return responder.respond(std::move(*answer));
    std::string path{request.path()};
    std::map<std::string, std::string> query;
    for (auto& [key, value] : net::parse_query(request.query()))
      query[key] = value;
    if (query.contains("watch")) {
      responder.begin(200, {});
      // What happened since the list is told first.
      auto since = query["resourceVersion"];
      watches_.push_back({path, std::move(query), responder});
      for (auto& event : history_)
        if (!since.empty() && event.revision > std::stoull(since))
          tell(watches_.back(), event);
      return;
    }
    if (request.method == "GET")
      return responder.respond(objects_.contains(path) ? found(path) : list(path, query));
    responder.respond(change(request, path));
  }
  net::HttpResponse found(const std::string& path) const {
    return {200, {}, write_json(objects_.at(path), 0)};
  }

  net::HttpResponse list(const std::string& path,
                         const std::map<std::string, std::string>& query) const {
    for (auto& [group, versions] : groups_) {
      if (path == "/apis/" + group) {
        std::string all;
        for (auto& [version, plurals] : versions)
          all += fmt::format("{}{{\"version\":\"{}\"}}", all.empty() ? "" : ",", version);
        return {200, {}, fmt::format(R"({{"kind":"APIGroup","versions":[{}]}})", all)};
      }
      for (auto& [version, plurals] : versions)
        if (path == "/apis/" + group + "/" + version) {
          std::string all;
          for (auto& plural : plurals)
            all += fmt::format(R"({}{{"name":"{}","verbs":["list","watch"]}})",
                               all.empty() ? "" : ",", plural);
          return {200, {}, fmt::format(R"({{"resources":[{}]}})", all)};
        }
    }
    if (path.starts_with("/apis/") && std::count(path.begin(), path.end(), '/') <= 3)
      return refusal(404, "no such group");
    std::string items;
    for (auto& [at, object] : objects_)
      if (in_collection(at, path) && selected(object, query))
        items += (items.empty() ? "" : ",") + write_json(object, 0);
    // A path of an object is told by its parent: that is a collection, and not a namespace's.
    auto parent = path.substr(0, path.rfind('/'));
    bool named = std::count(path.begin(), path.end(), '/') >= 4 &&
                 collections_.contains(parent.substr(parent.rfind('/') + 1));
    if (items.empty() && named)
      return refusal(404, "not found");
    return {
        200,
        {},
        fmt::format(R"({{"metadata":{{"resourceVersion":"{}"}},"items":[{}]}})", revision_, items)};
  }

  net::HttpResponse change(const net::HttpRequest& request, const std::string& path) {
    auto body = parse_json(request.body.empty() ? "{}" : request.body, "body");
    if (!body)
      return refusal(400, body.error().detail);
    if (request.method == "POST") {
      auto at = path + "/" + text_at(*body, {"metadata", "name"});
      if (has(at))
        return refusal(409, "already exists");
      write(at, *body);
      return {201, {}, write_json(objects_.at(at), 0)};
    }
    bool apply = request.fields.get("Content-Type") == "application/apply-patch+yaml";
    if (!has(path) && !apply)
      return refusal(404, "not found");
    if (request.method == "DELETE") {
      auto uid = text_at(*body, {"preconditions", "uid"});
      if (!uid.empty() && uid != text_at(objects_.at(path), {"metadata", "uid"}))
        return refusal(409, "another uid");
      remove(path);
      return {200, {}, "{}"};
    }
    auto version = text_at(*body, {"metadata", "resourceVersion"});
    if (!version.empty() && version != text_at(objects_.at(path), {"metadata", "resourceVersion"}))
      return refusal(409, "modified meanwhile");
    auto object = has(path) ? objects_.at(path) : Node{};
    merge(object, *body);
    write(path, std::move(object));
    return found(path);
  }

  /// Plurals whose members a test asks for one by one.
  inline static const std::set<std::string, std::less<>> collections_{"clusterrolebindings",
                                                                      "clusterroles",
                                                                      "configmaps",
                                                                      "customresourcedefinitions",
                                                                      "daemonsets",
                                                                      "deployments",
                                                                      "gatewayclassconfigs",
                                                                      "gatewayclasses",
                                                                      "horizontalpodautoscalers",
                                                                      "leases",
                                                                      "namespaces",
                                                                      "poddisruptionbudgets",
                                                                      "rolebindings",
                                                                      "roles",
                                                                      "secrets",
                                                                      "serviceaccounts",
                                                                      "services"};

  std::map<std::string, Node> objects_;
  std::map<std::string, std::map<std::string, std::vector<std::string>>> groups_;
  std::vector<Watch> watches_;
  std::vector<Event> history_;
  std::uint64_t revision_ = 100;
  net::HttpServer server_; // The last: its handler uses what is above.
};

} // namespace strait::kubernetes
