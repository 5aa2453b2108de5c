#include "gateway/resolve/listener_checks.hpp"
#include "gateway/resolve/references.hpp"
#include "net/tls_certificate.hpp"

namespace strait::gateway::resolve {

using model::Kind;
using model::Name;

tl::expected<std::shared_ptr<const Certificate>, Problem>
certificate_of(const View& view, const CertificateReferrer& from, const model::CertificateRef& ref,
               Topics& depends) {
  auto invalid = [&](std::string message) {
    return tl::unexpected<Problem>(Problem{from.invalid, std::move(message)});
  };
  if (!ref.group.empty() || ref.kind != "Secret")
    return invalid(fmt::format("certificateRef {}: kind {} of group \"{}\": expected Secret",
                               ref.name, ref.kind, ref.group));
  Name name{ref.ns.empty() ? std::string{from.ns} : ref.ns, ref.name};
  if (name.ns != from.ns) {
    // Before existence: nobody may probe for names in another namespace.
    depends.insert({Kind::reference_grant, {name.ns, ""}});
    if (!permitted(view, {gateway_group, from.kind, from.ns}, {"", "Secret", name.ns, name.name}))
      return tl::unexpected<Problem>(
          Problem{from.not_permitted,
                  fmt::format("no ReferenceGrant in namespace {} lets {}s of namespace {} refer to "
                              "Secret {}",
                              name.ns, from.kind, from.ns, name.name)});
  }
  depends.insert({Kind::secret, name});
  auto* secret = view.find<model::Secret>(name);
  if (!secret)
    return invalid(fmt::format("Secret {} does not exist", to_string(name)));
  if (secret->type != "kubernetes.io/tls")
    return invalid(fmt::format("Secret {}: type \"{}\": expected kubernetes.io/tls",
                               to_string(name), secret->type));
  auto chain = secret->data.find("tls.crt"), key = secret->data.find("tls.key");
  if (chain == secret->data.end() || key == secret->data.end())
    return invalid(fmt::format("Secret {}: expected data tls.crt and tls.key", to_string(name)));
  if (auto pair = net::TlsCertificate::from_pem(chain->second, key->second); !pair)
    return invalid(fmt::format("Secret {}: {}", to_string(name), pair.error().detail));
  return std::make_shared<const Certificate>(
      Certificate{"Secret " + to_string(name), chain->second, key->second});
}

} // namespace strait::gateway::resolve
