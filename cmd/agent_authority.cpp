#include "cmd/agent_authority.hpp"

#include "base/random.hpp"
#include "catalog/record_codec.hpp"
#include "kubernetes/encode_nodes.hpp"
#include "kubernetes/watch.hpp"
#include "net/base64.hpp"
#include "peering/authority.hpp"

#include <future>

namespace strait::cmd {

namespace {

using kubernetes::MapWriter;
using kubernetes::Node;

constexpr int attempts_max = 10;
constexpr const char* data_key = "authority"; // A strait.records.v1.Record.
const model::ObjectKey authority_key{model::Kind::certificate_authority, {"", "connect"}};

Result<kubernetes::Response> send(kubernetes::Client& client, kubernetes::Request request) {
  auto promise = std::make_shared<std::promise<Result<kubernetes::Response>>>();
  auto answer = promise->get_future();
  client.request(std::move(request), [promise](Result<kubernetes::Response> response) {
    promise->set_value(std::move(response));
  });
  return answer.get(); // The request has a time limit of its own.
}

Result<model::CertificateAuthority> decode(const std::string& base64, const model::Name& secret) {
  auto bytes = net::from_base64(base64);
  if (!bytes)
    return fail(Errc::corrupt, "Secret {}: data.{}: not base64", to_string(secret), data_key);
  auto record = catalog::decode_record(authority_key, *bytes);
  if (!record)
    return fail(Errc::corrupt, "Secret {}: data.{}: {}", to_string(secret), data_key,
                record.error().detail);
  return std::get<model::CertificateAuthority>(std::move(record->value));
}

/// The Secret with the authority in it, as it was otherwise.
Node with_authority(const Node& secret, const model::CertificateAuthority& authority) {
  auto out = secret;
  auto& members = std::get<Node::Map>(out.value);
  std::erase_if(members, [](auto& member) { return member.key == "data"; });
  MapWriter data;
  data.put(data_key, net::to_base64(catalog::encode_record(authority, 1, 1)));
  members.push_back({"data", data.take()});
  return out;
}

Node new_secret(const model::Name& name) {
  MapWriter out, meta;
  out.put("apiVersion", "v1");
  out.put("kind", "Secret");
  meta.put("name", name.name);
  meta.put("namespace", name.ns);
  out.put("metadata", meta.take());
  return out.take();
}

} // namespace

Result<SharedAuthority> share_authority(const std::shared_ptr<kubernetes::Client>& client,
                                        const model::Name& secret,
                                        const std::optional<model::CertificateAuthority>& own,
                                        const Log& log) {
  auto collection = "/api/v1/namespaces/" + secret.ns + "/secrets";
  auto path = collection + "/" + secret.name;
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    auto found = send(*client, {.path = path});
    if (!found)
      return fail(found.error());
    auto outcome = kubernetes::outcome_of(*found);
    bool absent = !outcome && outcome.error().code == Errc::not_found;
    if (!outcome && !absent)
      return fail(outcome.error());
    auto object = absent ? Result<Node>{new_secret(secret)}
                         : kubernetes::parse_json(found->body, "Secret " + to_string(secret));
    if (!object)
      return fail(object.error());
    if (auto held = kubernetes::text_at(*object, {"data", data_key}); !held.empty())
      return decode(held, secret).map([&](model::CertificateAuthority authority) {
        return SharedAuthority{std::move(authority),
                               kubernetes::text_at(*object, {"metadata", "uid"})};
      });
    auto authority =
        own ? Result<model::CertificateAuthority>{*own}
            : peering::make_authority(peering::trust_domain_of(random_uuid()), now_wall());
    if (!authority)
      return fail(authority.error());
    // With the resource version that was read, so that of two replicas one is first.
    auto written = send(*client, {.method = absent ? "POST" : "PUT",
                                  .path = absent ? collection : path,
                                  .body = write_json(with_authority(*object, *authority), 0)});
    if (!written)
      return fail(written.error());
    auto taken = kubernetes::outcome_of(*written);
    if (taken) {
      log.info("the certificate authority is kept in Secret {}, trust domain {}", to_string(secret),
               authority->trust_domain);
      auto kept = kubernetes::parse_json(written->body, "Secret");
      return SharedAuthority{std::move(*authority),
                             kept ? kubernetes::text_at(*kept, {"metadata", "uid"}) : ""};
    }
    if (taken.error().code != Errc::conflict)
      return fail(taken.error());
  }
  return fail(Errc::unavailable, "Secret {}: changed at each of {} attempts to write it",
              to_string(secret), attempts_max);
}

void own_lease(const std::shared_ptr<kubernetes::Client>& client, const model::Name& lease,
               const model::Name& secret, const std::string& secret_uid, const Log& log) {
  MapWriter owner, meta, out;
  owner.put("apiVersion", "v1");
  owner.put("kind", "Secret");
  owner.put("name", secret.name);
  owner.put("uid", secret_uid);
  meta.put("ownerReferences", Node{Node::List{owner.take()}, {}});
  out.put("metadata", meta.take());
  client->request(
      {.method = "PATCH",
       .path = "/apis/coordination.k8s.io/v1/namespaces/" + lease.ns + "/leases/" + lease.name,
       .body = write_json(out.take(), 0),
       .content_type = std::string{kubernetes::merge_patch}},
      [log, lease](const Result<kubernetes::Response>& response) {
        auto outcome =
            response ? kubernetes::outcome_of(*response) : Status{fail(response.error())};
        if (!outcome)
          log.warn("lease {}: {}", to_string(lease), outcome.error().detail);
      });
}

} // namespace strait::cmd
