#include "cmd/cli/completion.hpp"

#include <fmt/format.h>

#include <map>
#include <set>

namespace strait::cli {

namespace {

std::string joined(const std::set<std::string>& words) {
  std::string out;
  for (const auto& word : words)
    out += (out.empty() ? "" : " ") + word;
  return out;
}

std::vector<Option> options_of(const Command& command) {
  auto out = command.options;
  if (command.talks_to_agent)
    out.insert(out.end(), connection_options().begin(), connection_options().end());
  return out;
}

/// What may follow the words typed so far ("", "peering", "peering list").
std::map<std::string, std::set<std::string>> next_words(const std::vector<Command>& commands) {
  std::map<std::string, std::set<std::string>> out;
  for (const auto& command : commands) {
    auto blank = command.path.find(' ');
    out[""].insert(command.path.substr(0, blank));
    if (blank != std::string::npos)
      out[command.path.substr(0, blank)].insert(command.path.substr(blank + 1));
    auto& words = out[command.path];
    words.insert("--help");
    for (const auto& option : options_of(command))
      words.insert("--" + option.name);
    for (const auto& positional : command.positionals)
      words.insert(positional.choices.begin(), positional.choices.end());
  }
  return out;
}

/// What may follow an option, where that is one of a few words: the words of all commands together.
std::map<std::string, std::set<std::string>> option_values(const std::vector<Command>& commands) {
  std::map<std::string, std::set<std::string>> out;
  for (const auto& command : commands)
    for (const auto& option : command.options)
      if (!option.choices.empty()) {
        out["--" + option.name].insert(option.choices.begin(), option.choices.end());
        if (option.letter)
          out[std::string{"-"} + option.letter].insert(option.choices.begin(),
                                                       option.choices.end());
      }
  return out;
}

/// Options that want a file's name.
std::string file_options(const std::vector<Command>& commands) {
  std::set<std::string> out;
  for (const auto& command : commands)
    for (const auto& option : command.options)
      if (option.placeholder == "FILE" || option.placeholder == "DIR") {
        out.insert("--" + option.name);
        if (option.letter)
          out.insert(std::string{"-"} + option.letter);
      }
  std::string pattern;
  for (const auto& name : out)
    pattern += (pattern.empty() ? "" : "|") + name;
  return pattern;
}

std::string bash_script(const std::vector<Command>& commands) {
  std::string words, values;
  for (const auto& [path, next] : next_words(commands))
    words += fmt::format("    '{}') words='{}' ;;\n", path, joined(next));
  for (const auto& [option, choices] : option_values(commands))
    values += fmt::format("    {}) COMPREPLY=($(compgen -W '{}' -- \"$current\")); return ;;\n",
                          option, joined(choices));
  return fmt::format(R"(# Completion of strait for bash; made by `strait completion bash`.
_strait() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}}
  local path='' word words='' i
  case $previous in
    {}) COMPREPLY=($(compgen -f -- "$current")); return ;;
{}  esac
  for ((i = 1; i < COMP_CWORD; ++i)); do
    word=${{COMP_WORDS[i]}}
    case $word in -*) continue ;; esac
    case "${{path:+$path }}$word" in
{}    esac
  done
  case $path in
{}  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}}
complete -o filenames -F _strait strait
)",
                     file_options(commands), values,
                     [&] {
                       std::string known;
                       for (const auto& [path, next] : next_words(commands))
                         if (!path.empty())
                           known += fmt::format("      '{0}') path='{0}' ;;\n", path);
                       return known;
                     }(),
                     words);
}

/// zsh runs bash's function through its own emulation of bash completion.
std::string zsh_script(const std::vector<Command>& commands) {
  return "# Completion of strait for zsh; made by `strait completion zsh`.\n"
         "autoload -U +X bashcompinit && bashcompinit\n" +
         bash_script(commands);
}

std::string quoted(std::string text) {
  for (std::size_t at = 0; (at = text.find('\'', at)) != std::string::npos; at += 2)
    text.insert(at, 1, '\\');
  return "'" + text + "'";
}

std::string fish_script(const std::vector<Command>& commands) {
  std::string out = "# Completion of strait for fish; made by `strait completion fish`.\n"
                    "complete -c strait -f\n";
  std::set<std::string> firsts;
  for (const auto& command : commands) {
    auto blank = command.path.find(' ');
    auto first = command.path.substr(0, blank);
    auto condition = "__fish_seen_subcommand_from " + first;
    if (blank == std::string::npos) {
      out += fmt::format("complete -c strait -n __fish_use_subcommand -a {} -d {}\n", first,
                         quoted(command.summary));
    } else {
      if (firsts.insert(first).second)
        out += fmt::format("complete -c strait -n __fish_use_subcommand -a {}\n", first);
      auto second = command.path.substr(blank + 1);
      out += fmt::format("complete -c strait -n {} -a {} -d {}\n", quoted(condition), second,
                         quoted(command.summary));
      condition += "; and __fish_seen_subcommand_from " + second;
    }
    for (const auto& option : options_of(command)) {
      out += fmt::format("complete -c strait -n {} -l {}", quoted(condition), option.name);
      if (option.letter)
        out += std::string{" -s "} + option.letter;
      if (!option.choices.empty())
        out += " -x -a " + quoted(joined({option.choices.begin(), option.choices.end()}));
      else if (!option.placeholder.empty())
        out += option.placeholder == "FILE" || option.placeholder == "DIR" ? " -r -F" : " -x";
      out += " -d " + quoted(option.help) + "\n";
    }
    for (const auto& positional : command.positionals)
      if (!positional.choices.empty())
        out += fmt::format("complete -c strait -n {} -a {}\n", quoted(condition),
                           quoted(joined({positional.choices.begin(), positional.choices.end()})));
  }
  return out;
}

} // namespace

std::string completion_script(const std::string& shell, const std::vector<Command>& commands) {
  return shell == "bash"   ? bash_script(commands)
         : shell == "zsh"  ? zsh_script(commands)
         : shell == "fish" ? fish_script(commands)
                           : "";
}

} // namespace strait::cli
