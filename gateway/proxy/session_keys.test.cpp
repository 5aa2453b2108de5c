#include "gateway/proxy/session_keys.hpp"

#include <catch2/catch.hpp>

namespace strait::gateway::proxy {

namespace {

using Keys = std::vector<std::string>;

Config with(std::string keys) {
  Config config;
  change<Certificate>(
      config.certificates, "session-key",
      std::make_shared<const Certificate>(Certificate{"session-key", {}, std::move(keys)}));
  return config;
}

} // namespace

TEST_CASE("the configuration's first session key signs, all of them verify") {
  SessionKeys keys{"fallback"};
  keys.serve(with("new\nformer\n"));
  CHECK(keys.signing() == "new");
  CHECK(keys.verifying() == Keys{"new", "former"});
  keys.serve(with("newer"));
  CHECK(keys.verifying() == Keys{"newer"});
}

TEST_CASE("without a session key in the configuration the proxy's own signs and verifies") {
  SessionKeys keys{"fallback"};
  CHECK(keys.verifying() == Keys{"fallback"});
  keys.serve({});
  CHECK(keys.verifying() == Keys{"fallback"});
  keys.serve(with("new"));
  keys.serve({});
  CHECK(keys.signing() == "fallback");
  keys.serve(with("\n\n"));
  CHECK(keys.verifying() == Keys{"fallback"});
}

TEST_CASE("session keys beyond the maximum are not tried") {
  std::string lines;
  for (std::size_t i = 0; i <= session_keys_max; ++i)
    lines += std::to_string(i) + '\n';
  SessionKeys keys{""};
  keys.serve(with(lines));
  CHECK(keys.verifying().size() == session_keys_max);
  CHECK(keys.signing() == "0");
}

} // namespace strait::gateway::proxy
