#include "cmd/cli/input.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace strait::cli {

namespace {

namespace fs = std::filesystem;

tl::unexpected<Failure> refuse(ExitCode code, std::string text) {
  return tl::unexpected{Failure{code, std::move(text)}};
}

Outcome<std::string> read_all(std::istream& in, const std::string& source) {
  std::string out;
  std::string block(64 * 1024, '\0');
  while (in) {
    in.read(block.data(), static_cast<std::streamsize>(block.size()));
    out.append(block, 0, static_cast<std::size_t>(in.gcount()));
    if (out.size() > input_bytes_max)
      return refuse(ExitCode::invalid,
                    fmt::format("{}: more than {} MiB", source, input_bytes_max >> 20));
  }
  if (in.bad())
    return refuse(ExitCode::failed, source + ": " + std::strerror(errno));
  return out;
}

Outcome<std::vector<std::string>> files_in(const fs::path& directory) {
  std::vector<std::string> out;
  std::error_code error;
  for (fs::directory_iterator it{directory, error}, end; !error && it != end; it.increment(error)) {
    auto extension = it->path().extension();
    if (extension != ".yaml" && extension != ".yml" && extension != ".json")
      continue;
    if (out.size() == input_files_max)
      return refuse(ExitCode::invalid,
                    fmt::format("{}: more than {} files", directory.string(), input_files_max));
    out.push_back(it->path().string());
  }
  if (error)
    return refuse(ExitCode::failed, directory.string() + ": " + error.message());
  if (out.empty())
    return refuse(ExitCode::not_found,
                  directory.string() + ": holds no *.yaml, *.yml or *.json file");
  std::sort(out.begin(), out.end());
  return out;
}

} // namespace

Outcome<Input> read_input(const std::string& path, Context& context) {
  if (path == "-") {
    auto text = read_all(context.in, "stdin");
    return text.map([](std::string& all) { return Input{"stdin", std::move(all)}; });
  }
  errno = 0;
  std::ifstream file{path, std::ios::binary};
  if (!file || fs::is_directory(path)) {
    auto code = errno == ENOENT ? ExitCode::not_found : ExitCode::failed;
    return refuse(code, path + ": " + (errno ? std::strerror(errno) : "is a directory"));
  }
  auto text = read_all(file, path);
  return text.map([&](std::string& all) { return Input{path, std::move(all)}; });
}

Outcome<std::vector<Input>> read_inputs(const std::vector<std::string>& paths, Context& context) {
  std::vector<std::string> files;
  for (const auto& path : paths) {
    std::error_code ignored; // What does not exist is found when it is read.
    if (path == "-" || !fs::is_directory(path, ignored)) {
      files.push_back(path);
      continue;
    }
    auto found = files_in(path);
    if (!found)
      return tl::unexpected{found.error()};
    files.insert(files.end(), found->begin(), found->end());
  }
  std::vector<Input> out;
  std::size_t bytes = 0;
  for (const auto& path : files) {
    auto input = read_input(path, context);
    if (!input)
      return tl::unexpected{input.error()};
    bytes += input->text.size();
    if (bytes > input_bytes_max)
      return refuse(ExitCode::invalid,
                    fmt::format("the files given are more than {} MiB", input_bytes_max >> 20));
    out.push_back(std::move(*input));
  }
  return out;
}

} // namespace strait::cli
