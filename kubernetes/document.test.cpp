#include "kubernetes/document.hpp"

#include <catch2/catch.hpp>

using namespace strait;
using namespace strait::kubernetes;

namespace {

Node only(std::string_view yaml) {
  auto parsed = parse_yaml(yaml, "t.yaml");
  INFO((parsed.errors.empty() ? "" : parsed.errors.front().detail));
  REQUIRE(parsed.errors.empty());
  REQUIRE(parsed.documents.size() == 1);
  return parsed.documents.front();
}
Error refused(std::string_view yaml) {
  auto parsed = parse_yaml(yaml, "t.yaml");
  REQUIRE(parsed.errors.size() == 1);
  return parsed.errors.front();
}
std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

} // namespace

TEST_CASE("plain scalars follow the YAML 1.2 core schema, quoted ones are strings") {
  auto line = [](std::string_view yaml) { return write_json(only(yaml), 0); };
  CHECK(line("[yes, on, off, no, y, ~, null, true, False]") ==
        R"(["yes","on","off","no","y",null,null,true,false])");
  CHECK(line("[1, +1, -1, 0x1f, 0o17, 010, 1_000, 1:20]") == R"([1,1,-1,31,15,10,"1_000","1:20"])");
  CHECK(line("[1.5, .5, 1., 1e3, 1e, '1', \"true\", !!str 1, 1.2.3]") ==
        R"([1.5,0.5,1.0,1000.0,"1e","1","true","1","1.2.3"])");
  CHECK(line("2026-11-23T12:00:00Z") == R"("2026-11-23T12:00:00Z")");
  CHECK(line("{8080: a, b: {c: [d]}}") == R"({"8080":"a","b":{"c":["d"]}})");
  CHECK(line("9223372036854775808") == "9.223372036854776e+18");
}

TEST_CASE("a text holds several documents, and empty ones are left out") {
  auto parsed = parse_yaml("a: 1\n---\n---\n# nothing\n---\nb: 2\n", "t.yaml");
  CHECK(parsed.errors.empty());
  REQUIRE(parsed.documents.size() == 2);
  CHECK(parsed.documents[1].at.line == 6);
  CHECK(parsed.documents[1].find("b")->at.column == 4);
  CHECK(parse_yaml("", "").documents.empty());
}

TEST_CASE("anchors and aliases stand for what they name") {
  CHECK(write_json(only("a: &x {k: [1, 2]}\nb: *x\n"), 0) ==
        R"({"a":{"k":[1,2]},"b":{"k":[1,2]}})");
}

TEST_CASE("malformed YAML is refused with file, line and column") {
  CHECK(refused("a: 1\nb: [1, 2\n").detail.starts_with("t.yaml:3:1: malformed YAML: "));
  CHECK(refused("a: 1\na: 2\n").detail == "t.yaml:2:1: key \"a\" stands twice in one map");
  CHECK(refused("b: *nowhere\n").detail.starts_with("t.yaml:1:4: malformed YAML: "));
  CHECK(refused(",,").detail == "t.yaml:1:1: malformed YAML: no document begins like this");
  CHECK(refused("a: 1\n---\n, b: 2\n").detail ==
        "t.yaml:3:1: malformed YAML: no document begins like this");
  CHECK(refused("a: &x [*x]\n").detail == "t.yaml:1:8: an alias stands inside its own anchor");
  CHECK(refused("? [a]\n: b\n").detail == "t.yaml:1:3: a key must be a scalar");
  CHECK(refused("a: !!binary aGk=\n").detail ==
        "t.yaml:1:4: tag tag:yaml.org,2002:binary is not of the YAML core schema");
  CHECK(refused("a: {<<: {b: 1}}\n").detail == "t.yaml:1:5: merge keys (<<) are not of YAML 1.2");
  CHECK(refused("a: 1\nb: \xff\n").detail == "t.yaml:2:1: not UTF-8 (byte 8 of the text)");
}

TEST_CASE("what stood before a malformed document is still there") {
  auto parsed = parse_yaml("a: 1\n---\nb: [\n", "t.yaml");
  CHECK(parsed.documents.size() == 1);
  CHECK(parsed.errors.size() == 1);
}

TEST_CASE("every maximum of a text is reached with an error") {
  CHECK(only(nested(max_depth)).value.index() == 5);
  CHECK(refused(nested(max_depth + 1)) ==
        Error{Errc::exhausted, "t.yaml:1:65: nested deeper than 64 levels"});
  CHECK(parse_json(nested(max_depth), "t"));
  CHECK(parse_json(nested(max_depth + 1), "t").error() ==
        Error{Errc::exhausted, "t:1:65: nested deeper than 64 levels"});

  std::string large(max_text_bytes + 1, ' ');
  CHECK(refused(large).code == Errc::exhausted);
  CHECK(parse_json(large, "t").error().code == Errc::exhausted);

  std::string documents;
  for (std::size_t i = 0; i <= max_documents; ++i)
    documents += "---\na\n";
  auto parsed = parse_yaml(documents, "t");
  CHECK(parsed.documents.size() == max_documents);
  REQUIRE(parsed.errors.size() == 1);
  CHECK(parsed.errors[0].detail.ends_with("more than 20000 documents"));

  std::string values = "[0";
  for (std::size_t i = 0; i < max_nodes; ++i)
    values += ",0";
  CHECK(parse_json(values + "]", "t").error().detail.ends_with("more than 1000000 values"));
  CHECK(refused(values + "]").detail.ends_with("more than 1000000 values"));
}

TEST_CASE("aliases cannot make a small text large") {
  std::string laughs = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n";
  for (int i = 1; i < 9; ++i) {
    laughs += fmt::format("a{0}: &a{0} [", i);
    for (int k = 0; k < 9; ++k)
      laughs += fmt::format("*a{}{}", i - 1, k < 8 ? ", " : "]\n");
  }
  CHECK(refused(laughs).detail.ends_with("anchors and aliases expand to more than 4194304 bytes"));
  std::string deep = "a: &a " + nested(max_depth - 1) + "\nb: [[*a]]\n";
  CHECK(refused(deep).detail.ends_with("nested deeper than 64 levels"));
}

TEST_CASE("JSON values carry their positions") {
  auto tree = parse_json("{\"a\": 12,\n \"b\": [true, \"x\\\"y\"],\n \"c\": -1.5\n}", "t");
  REQUIRE(tree);
  auto at = [](const Node* node) { return std::pair{node->at.line, node->at.column}; };
  CHECK(at(&*tree) == std::pair<std::size_t, std::size_t>{1, 1});
  CHECK(at(tree->find("a")) == std::pair<std::size_t, std::size_t>{1, 7});
  auto& list = std::get<Node::List>(tree->find("b")->value);
  CHECK(at(&list[0]) == std::pair<std::size_t, std::size_t>{2, 8});
  CHECK(at(&list[1]) == std::pair<std::size_t, std::size_t>{2, 14});
  CHECK(at(tree->find("c")) == std::pair<std::size_t, std::size_t>{3, 7});
}

TEST_CASE("malformed JSON is refused with line and column") {
  CHECK(parse_json("{\"a\": 1,\n \"a\": 2}", "b").error().detail ==
        "b:2:2: key \"a\" stands twice in one object");
  CHECK(parse_json("{\"a\": }", "b").error().detail.starts_with("b:1:7: malformed JSON: syntax"));
  CHECK_FALSE(parse_json("{} {}", "b"));
  CHECK_FALSE(parse_json("", "b"));
  CHECK_FALSE(parse_json("\"\xff\"", "b"));
}

TEST_CASE("what is written reads back as it was") {
  auto text =
      R"({"a":[],"b":{},"c":[[1,[2]],{"d":null,"e":[{"f":"yes"}]}],"g":"a: b\n\u0001 ü","1":1.5})";
  auto tree = parse_json(text, "");
  REQUIRE(tree);
  CHECK(write_json(*tree, 0) == text);
  auto yaml = write_yaml(*tree);
  INFO(yaml);
  CHECK(write_json(only(yaml), 0) == text);
  CHECK(write_json(*parse_json(write_json(*tree), ""), 0) == text);
}
