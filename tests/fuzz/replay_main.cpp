// Feeds files to a fuzz target without libFuzzer, so that every compiler and every sanitizer can
// judge the corpus. Arguments are files and folders. Each file is fed whole and, up to a limit, as
// each of its beginnings: a parser must bear input that stops anywhere. No file at all is a
// failure.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

namespace fs = std::filesystem;

constexpr std::size_t beginnings_max = 512; // Of one file: its first bytes, one more each time.

std::vector<fs::path> files_of(int count, char** arguments) {
  std::vector<fs::path> files;
  for (int i = 1; i < count; ++i) {
    fs::path path{arguments[i]};
    if (fs::is_directory(path)) {
      for (const auto& entry : fs::recursive_directory_iterator{path})
        if (entry.is_regular_file())
          files.push_back(entry.path());
    } else {
      files.push_back(path);
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

// A copy on the heap of exactly this size: a sanitizer sees a read of the byte behind it.
void feed(const std::string& bytes, std::size_t size) {
  auto copy = std::make_unique<std::uint8_t[]>(size);
  if (size > 0)
    std::memcpy(copy.get(), bytes.data(), size);
  LLVMFuzzerTestOneInput(copy.get(), size);
}

} // namespace

int main(int count, char** arguments) {
  const auto files = files_of(count, arguments);
  std::size_t inputs = 0;
  for (const auto& file : files) {
    std::ifstream stream{file, std::ios::binary};
    if (!stream) {
      std::fprintf(stderr, "cannot read %s\n", file.c_str());
      return 1;
    }
    const std::string bytes{std::istreambuf_iterator<char>{stream}, {}};
    // Said before it is fed: when the target stops the program, this is the file.
    std::printf("%s: %zu bytes\n", file.c_str(), bytes.size());
    std::fflush(stdout);
    for (std::size_t size = 0; size < std::min(bytes.size(), beginnings_max); ++size, ++inputs)
      feed(bytes, size);
    feed(bytes, bytes.size());
    ++inputs;
  }
  if (files.empty()) {
    std::fprintf(stderr, "no file in the corpus\n");
    return 1;
  }
  std::printf("%zu files, %zu inputs\n", files.size(), inputs);
  return 0;
}
