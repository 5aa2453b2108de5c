#include "gateway/proxy/rewrite.hpp"

#include <catch2/catch.hpp>

namespace strait::gateway::proxy {

namespace {

std::string edited(PathEdit::Type type, std::string value, PathType match_type, std::string match,
                   std::string_view path) {
  Match matched;
  matched.path_type = match_type;
  matched.path = std::move(match);
  std::string out{"kept"};
  append_edited_path({type, std::move(value)}, matched, path, out);
  REQUIRE(out.starts_with("kept"));
  return out.substr(4);
}

} // namespace

TEST_CASE("a prefix is replaced by element, without a slash too many") {
  struct Row {
    std::string_view path, match, value, expected;
  };
  const Row rows[]{
      {"/foo/bar", "/foo", "/xyz", "/xyz/bar"},
      {"/foo/bar", "/foo", "/xyz/", "/xyz/bar"},
      {"/foo/bar", "/foo/", "/xyz", "/xyz/bar"},
      {"/foo/bar", "/foo/", "/xyz/", "/xyz/bar"},
      {"/foo", "/foo", "/xyz", "/xyz"},
      {"/foo/", "/foo", "/xyz", "/xyz/"},
      {"/foo", "/foo", "/xyz/", "/xyz/"},
      {"/foo/", "/foo", "/xyz/", "/xyz/"},
      {"/foo/bar", "/foo", "", "/bar"},
      {"/foo/bar", "/foo", "/", "/bar"},
      {"/foo/", "/foo", "", "/"},
      {"/foo", "/foo", "", "/"},
      {"/foo/", "/foo", "/", "/"},
      {"/foo", "/foo", "/", "/"},
      {"/foo", "/", "/xyz", "/xyz/foo"},
      {"/", "/", "/xyz", "/xyz/"},
      {"/foo//bar", "/foo", "/xyz", "/xyz//bar"},
      {"/a/b/c", "/a/b", "/x/y/z", "/x/y/z/c"},
      {"/foo/bar", "/foo", "xyz", "/xyz/bar"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.path, row.match, row.value);
    CHECK(edited(PathEdit::Type::prefix, std::string{row.value}, PathType::prefix,
                 std::string{row.match}, row.path) == row.expected);
  }
}

TEST_CASE("a whole path is replaced as it stands, and so it is where no prefix was matched") {
  CHECK(edited(PathEdit::Type::full, "/one", PathType::prefix, "/full", "/full/a/b") == "/one");
  CHECK(edited(PathEdit::Type::full, "/one/", PathType::exact, "/full", "/full") == "/one/");
  CHECK(edited(PathEdit::Type::full, "", PathType::prefix, "/", "/a") == "/");
  CHECK(edited(PathEdit::Type::prefix, "/one", PathType::exact, "/a", "/a") == "/one");
  CHECK(edited(PathEdit::Type::prefix, "/one", PathType::regex, "/a.*", "/abc") == "/one");
}

TEST_CASE("a rewritten target keeps its query, an empty one too") {
  Match match;
  match.path = "/a";
  Rewrite rewrite;
  std::string out;
  append_rewritten_target(rewrite, match, "/a/b", true, "c=d", out);
  CHECK(out == "/a/b?c=d");
  rewrite.path = PathEdit{PathEdit::Type::prefix, "/x"};
  out.clear();
  append_rewritten_target(rewrite, match, "/a/b", true, "", out);
  CHECK(out == "/x/b?");
  out.clear();
  append_rewritten_target(rewrite, match, "/a/b", false, "", out);
  CHECK(out == "/x/b");
}

} // namespace strait::gateway::proxy
