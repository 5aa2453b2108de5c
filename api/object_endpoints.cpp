#include "api/object_endpoints.hpp"

#include "api/json_writer.hpp"
#include "catalog/kinds.hpp"
#include "kubernetes/decode.hpp"
#include "kubernetes/encode.hpp"

#include <algorithm>

/// Strait's own endpoints: objects as Kubernetes-style documents, written and read as a whole.
namespace strait::api {

namespace {

using catalog::View;
using kubernetes::Document;
using model::Kind;

/// `where` is the segment of a path: "-" stands for no namespace.
std::string namespace_of(const std::string& where) { return where == "-" ? "" : where; }

bool is_document(Kind kind) {
  bool found = false;
  catalog::with_kind(kind, [&]<class T>() { found = std::is_constructible_v<Document, const T&>; });
  return found;
}

Reply unknown_kind(const std::string& kind) {
  std::string known;
  catalog::each_kind([&]<class T>() {
    if (is_document(T::kind))
      known += (known.empty() ? "" : ", ") + std::string{model::to_string(T::kind)};
  });
  return error_reply({Errc::invalid, fmt::format("kind \"{}\": must be one of {}", kind, known)});
}

/// The revision that last changed the record; 0: there is none.
catalog::Revision modified(const View& view, const model::ObjectKey& key) {
  catalog::Revision revision = 0;
  catalog::with_kind(key.kind, [&]<class T>() {
    if (auto record = view.record<T>(key.name))
      revision = record->modified;
  });
  return revision;
}

catalog::AnyRecord record_of(Document document) {
  return std::visit([](auto& it) { return catalog::AnyRecord{std::move(it)}; }, document);
}

kubernetes::Decoded decode(const Call& call) {
  bool json = call.content_type.find("json") != std::string::npos;
  if (!json)
    return kubernetes::decode_yaml(call.body, "");
  auto document = kubernetes::decode_json(call.body);
  if (document)
    return {{std::move(*document)}, {}};
  // A List is no single object; as YAML, of which JSON is a part, it is several.
  auto several = kubernetes::decode_yaml(call.body, "");
  if (several.errors.empty())
    return several;
  return {{}, {document.error()}};
}

void write_key(JsonWriter& json, const model::ObjectKey& key) {
  json.text("kind", model::to_string(key.kind)).text_unless_empty("namespace", key.name.ns);
  json.text("name", key.name.name);
}

void write_error(JsonWriter& json, const Error& error) {
  json.key("error").begin_object().text("code", to_string(error.code));
  json.text("detail", error.detail).end_object();
}

/// One object of an apply or delete: what it is, what was there before, what was given in vain.
struct Step {
  model::ObjectKey key;
  catalog::Revision before = 0;
  std::vector<std::string> unsupported;
};

/// The result of one step for people: "created", "configured", "unchanged", "deleted", …
std::string_view word_for(const Step& step, const Result<catalog::Revision>& result,
                          const View& after, bool removing) {
  if (removing)
    return result ? "deleted" : "not-found";
  if (step.before == 0)
    return "created";
  return modified(after, step.key) == step.before ? "unchanged" : "configured";
}

Reply results_reply(const std::vector<Step>& steps, const Write::Results& results,
                    const View& after, bool removing) {
  JsonWriter json;
  json.begin_object().key("results").begin_array();
  const Error* worst = nullptr;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    auto& result = results.at(i);
    json.begin_object();
    write_key(json, steps[i].key);
    bool missing = removing && !result && result.error().code == Errc::not_found;
    if (result || missing)
      json.text("result", word_for(steps[i], result, after, removing));
    if (result)
      json.number("revision", *result);
    if (!result && !missing) {
      json.text("result", "failed");
      write_error(json, result.error());
      worst = worst ? worst : &result.error();
    }
    if (!steps[i].unsupported.empty())
      json.texts("unsupported", steps[i].unsupported);
    json.end_object();
  }
  json.end_array().end_object();
  return {worst ? status_of(worst->code) : 200, json.take()};
}

Reply decode_errors(const std::vector<Error>& errors) {
  JsonWriter json;
  json.begin_object();
  write_error(json, {Errc::invalid, fmt::format("{} of the documents cannot be taken; nothing was "
                                                "changed",
                                                errors.size())});
  json.key("errors").begin_array();
  for (auto& error : errors)
    json.text(error.detail);
  json.end_array().end_object();
  return {400, json.take()};
}

/// Apply and delete share all but the command.
Outcome write_objects(const Surroundings& at, const Call& call, bool removing) {
  auto decoded = decode(call);
  if (!decoded.errors.empty())
    return decode_errors(decoded.errors);
  if (decoded.objects.empty())
    return error_reply({Errc::invalid, "the body holds no document"});
  std::vector<Step> steps;
  Write write;
  std::set<model::ObjectKey> seen;
  for (auto& document : decoded.objects) {
    Step step{kubernetes::key_of(document), 0, {}};
    if (!seen.insert(step.key).second)
      return error_reply(
          {Errc::invalid, fmt::format("{}: stands twice in the body", model::to_string(step.key))});
    step.before = modified(*at.view, step.key);
    for (auto& field : kubernetes::unsupported_in(document))
      step.unsupported.push_back(field.path);
    if (removing)
      write.commands.push_back(catalog::Remove{step.key, {}});
    else
      write.commands.push_back(catalog::Put{record_of(std::move(document)), {}});
    steps.push_back(std::move(step));
  }
  if (call.parameters.has("dry-run")) {
    JsonWriter json;
    json.begin_object().key("results").begin_array();
    for (auto& step : steps) {
      write_key(json.begin_object(), step.key);
      json.text("result", "valid");
      if (!step.unsupported.empty())
        json.texts("unsupported", step.unsupported);
      json.end_object();
    }
    return Reply{200, json.end_array().end_object().take()};
  }
  write.reply = [steps = std::move(steps), removing](const Write::Results& results,
                                                     const View& after) {
    return results_reply(steps, results, after, removing);
  };
  return write;
}

Outcome remove(const Surroundings& at, const Call& call) {
  auto kind = model::kind_from(call.parts.at(0));
  if (!kind || !is_document(*kind))
    return unknown_kind(call.parts.at(0));
  Step step{{*kind, {namespace_of(call.parts.at(1)), call.parts.at(2)}}, 0, {}};
  step.before = modified(*at.view, step.key);
  return Write{
      {catalog::Remove{step.key, {}}}, [step](const Write::Results& results, const View& after) {
        auto& result = results.at(0);
        return result ? results_reply({step}, results, after, true) : error_reply(result.error());
      }};
}

const model::ObjectStatus* status_of(const View& view, const model::ObjectKey& key) {
  return view.find<model::ObjectStatus>(model::key_of(model::ObjectStatus{.object = key}).name);
}

/// What secrets hold is never shown over a connection that nobody had to log in to.
template <class T>
T shown(T object) {
  if constexpr (std::is_same_v<T, model::Secret>) {
    for (auto& [key, value] : object.data)
      value.clear();
    object.meta.annotations["strait.dev/redacted"] = "true";
  }
  return object;
}

/// The objects of the kind, in the namespace ("": all) and of the name ("": all), with status.
std::vector<kubernetes::Node> encoded(const View& view, Kind kind, const std::string* ns,
                                      const std::string& name) {
  std::vector<kubernetes::Node> out;
  catalog::with_kind(kind, [&]<class T>() {
    if constexpr (std::is_constructible_v<Document, const T&>)
      for (auto& item : view.table<T>())
        if ((!ns || item.first.ns == *ns) && (name.empty() || item.first.name == name))
          out.push_back(kubernetes::encode(Document{shown(item.second->value)},
                                           status_of(view, {kind, item.first})));
  });
  return out;
}

struct Wanted {
  Kind kind{};
  std::optional<std::string> ns;
  std::string name;
  bool yaml = false;

  Reply answer(const View& view) const {
    auto nodes = encoded(view, kind, ns ? &*ns : nullptr, name);
    if (!name.empty() && nodes.empty())
      return error_reply({Errc::not_found, model::to_string(model::ObjectKey{kind, {*ns, name}}) +
                                               ": does not exist"});
    auto tree = name.empty() ? kubernetes::list_document(std::move(nodes)) : std::move(nodes[0]);
    if (yaml)
      return {200, kubernetes::write_yaml(tree), "application/yaml", {}};
    return {200, kubernetes::write_json(tree, 0)};
  }
  catalog::Revision index(const View& view) const {
    auto kinds = std::max(view.kind_revision(kind), view.kind_revision(Kind::object_status));
    if (name.empty())
      return kinds;
    model::ObjectKey key{kind, {*ns, name}};
    auto object = modified(view, key);
    auto status = modified(view, model::key_of(model::ObjectStatus{.object = key}));
    return object && status ? std::max(object, status) : kinds;
  }
  std::set<catalog::Topic> topics() const {
    if (name.empty())
      return {{kind, {}}, {Kind::object_status, {}}};
    model::ObjectKey key{kind, {*ns, name}};
    return {catalog::topic_of(key),
            catalog::topic_of(model::key_of(model::ObjectStatus{.object = key}))};
  }
};

Outcome read(const Surroundings&, const Call& call) {
  auto kind = model::kind_from(call.parts.at(0));
  if (!kind || !is_document(*kind))
    return unknown_kind(call.parts.at(0));
  Wanted wanted{.kind = *kind};
  if (call.parts.size() > 1)
    wanted.ns = namespace_of(call.parts.at(1));
  if (call.parts.size() > 2)
    wanted.name = call.parts.at(2);
  auto& format = call.parameters.get("format");
  if (!format.empty() && format != "json" && format != "yaml")
    return error_reply({Errc::invalid, fmt::format("format \"{}\": must be json or yaml", format)});
  wanted.yaml = format == "yaml";
  return Read{[wanted](const View& view) { return wanted.index(view); },
              [wanted](const View& view) { return wanted.answer(view); }, wanted.topics()};
}

} // namespace

int status_of(Errc code) {
  switch (code) {
  case Errc::not_found:
    return 404;
  case Errc::conflict:
    return 409;
  case Errc::invalid:
    return 400;
  case Errc::denied:
    return 403;
  case Errc::unavailable:
    return 503;
  case Errc::exhausted:
    return 429;
  case Errc::corrupt:
  case Errc::internal:
    return 500;
  }
  return 500;
}

Reply error_reply(const Error& error) {
  JsonWriter json;
  write_error(json.begin_object(), error);
  return {status_of(error.code), json.end_object().take()};
}

void add_object_endpoints(Router& router) {
  router.add("POST", "/strait/v1/apply",
             [](auto& at, auto& call) { return write_objects(at, call, false); });
  router.add("POST", "/strait/v1/delete",
             [](auto& at, auto& call) { return write_objects(at, call, true); });
  router.add("GET", "/strait/v1/objects/:kind", read);
  router.add("GET", "/strait/v1/objects/:kind/:namespace", read);
  router.add("GET", "/strait/v1/objects/:kind/:namespace/:name", read);
  router.add("DELETE", "/strait/v1/objects/:kind/:namespace/:name", remove);
}

} // namespace strait::api
