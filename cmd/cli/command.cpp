#include "cmd/cli/command.hpp"

namespace strait::cli {

Option output_option(std::vector<std::string> formats, std::string fallback) {
  return {"output", 'o', "FORMAT", "How to write it", std::move(fallback), std::move(formats)};
}

Option namespace_option() {
  return {.name = "namespace",
          .letter = 'n',
          .placeholder = "NAMESPACE",
          .help = "The namespace of the object",
          .fallback = "default"};
}

Option file_option() {
  return {.name = "filename",
          .letter = 'f',
          .placeholder = "FILE",
          .help = "A file, a directory with *.yaml, *.yml and *.json, or - for standard input; "
                  "may be given again",
          .repeatable = true};
}

std::span<const Option> connection_options() {
  static const std::vector<Option> options{
      {.name = "http-addr",
       .placeholder = "HOST:PORT",
       .help = "The agent's HTTP API; else STRAIT_HTTP_ADDR, CONSUL_HTTP_ADDR, 127.0.0.1:8500"},
      {.name = "token",
       .placeholder = "TOKEN",
       .help = "Sent with every request; else STRAIT_HTTP_TOKEN, CONSUL_HTTP_TOKEN"},
  };
  return options;
}

} // namespace strait::cli
