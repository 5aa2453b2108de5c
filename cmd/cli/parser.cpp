#include "cmd/cli/parser.hpp"

#include <CLI/CLI.hpp>

#include <map>
#include <memory>
#include <set>

namespace strait::cli {

namespace {

constexpr std::size_t help_column = 34;

/// Where CLI11 puts what it finds, by the name of the option or positional.
using Found = std::map<std::string, std::vector<std::string>>;

void declare(CLI::App& app, const Option& option, Found& found) {
  auto name = "--" + option.name;
  if (option.letter)
    name = std::string{"-"} + option.letter + "," + name;
  auto& values = found[option.name];
  if (option.placeholder.empty()) {
    app.add_flag_function(
        name, [&values](std::int64_t count) { values.assign(count > 0 ? 1 : 0, "true"); },
        option.help);
    return;
  }
  auto help = option.help;
  for (std::size_t i = 0; i < option.choices.size(); ++i)
    help += (i == 0                           ? (help.empty() ? "" : ": ")
             : i + 1 == option.choices.size() ? " or "
                                              : ", ") +
            option.choices[i];
  if (!option.fallback.empty())
    help += " (default " + option.fallback + ")";
  auto* added = app.add_option(name, values, help)
                    ->expected(1)
                    ->allow_extra_args(false)
                    ->option_text(option.placeholder);
  if (option.repeatable)
    added->take_all();
  if (option.required)
    added->required()->option_text(option.placeholder + ", required");
  if (!option.choices.empty())
    added->check([choices = option.choices](const std::string& value) -> std::string {
      if (std::find(choices.begin(), choices.end(), value) != choices.end())
        return "";
      auto text = "\"" + value + "\" is not one of";
      for (const auto& choice : choices)
        text += " " + choice;
      return text;
    });
}

void declare(CLI::App& app, const Positional& positional, Found& found) {
  auto* added = app.add_option(positional.name, found[positional.name], positional.help)
                    ->expected(1)
                    ->allow_extra_args(false);
  added->option_text(positional.required ? "" : "(optional)");
  if (positional.required)
    added->required();
}

std::string footer_of(const Command& command) {
  std::string out = "Examples:\n";
  for (const auto& example : command.examples)
    out += "  " + example + "\n";
  return out + "\n" + std::string{exit_codes_text};
}

/// The program as CLI11 sees it, with where each command's values end up.
struct Program {
  CLI::App root{"Strait: peered datacenters, and the gateways that let traffic in.", "strait"};
  Found root_found;
  std::map<const Command*, std::pair<CLI::App*, Found>> leaves;

  Program(const std::vector<Command>& commands, const std::vector<Group>& groups);
};

Program::Program(const std::vector<Command>& commands, const std::vector<Group>& groups) {
  root.get_formatter()->column_width(help_column);
  root.get_formatter()->label("REQUIRED", "");
  root.set_help_flag("-h,--help", "This text");
  root.require_subcommand(1);
  root.footer("strait COMMAND --help explains a command, with examples.\n" +
              std::string{exit_codes_text});
  for (const auto& option : connection_options())
    declare(root, option, root_found);
  std::map<std::string, CLI::App*> group_apps;
  for (const auto& command : commands) {
    auto* parent = &root;
    auto name = command.path;
    if (auto blank = name.find(' '); blank != std::string::npos) {
      auto& group = group_apps[name.substr(0, blank)];
      if (!group) {
        auto described = std::find_if(groups.begin(), groups.end(), [&](const Group& known) {
          return known.name == name.substr(0, blank);
        });
        group = root.add_subcommand(name.substr(0, blank),
                                    described == groups.end() ? "" : described->summary);
        group->require_subcommand(1);
      }
      parent = group;
      name = name.substr(blank + 1);
    }
    auto* app = parent->add_subcommand(name, command.summary);
    auto& [leaf, found] = leaves[&command];
    leaf = app;
    app->footer((command.details.empty() ? "" : command.details + "\n\n") + footer_of(command));
    for (const auto& positional : command.positionals)
      declare(*app, positional, found);
    for (const auto& option : command.options)
      declare(*app, option, found);
    if (command.talks_to_agent)
      for (const auto& option : connection_options())
        declare(*app, option, found);
  }
}

/// "-name=x" as "--name=x" where that is an option's long name.
void accept_one_dash(const std::vector<Command>& commands, std::vector<std::string>& arguments) {
  std::set<std::string> names;
  for (const auto& option : connection_options())
    names.insert(option.name);
  for (const auto& command : commands)
    for (const auto& option : command.options)
      names.insert(option.name);
  for (auto& argument : arguments) {
    if (argument == "--")
      return;
    if (argument.size() > 2 && argument[0] == '-' && argument[1] != '-' &&
        names.count(argument.substr(1, argument.find('=') - 1)))
      argument.insert(0, 1, '-');
  }
}

} // namespace

std::variant<Invocation, Message> parse(const std::vector<Command>& commands,
                                        const std::vector<Group>& groups,
                                        std::vector<std::string> arguments) {
  Program program{commands, groups};
  accept_one_dash(commands, arguments);
  std::reverse(arguments.begin(), arguments.end()); // As CLI11 wants them.
  try {
    program.root.parse(std::move(arguments));
  } catch (const CLI::CallForHelp&) {
    return Message{ExitCode::ok, program.root.help()};
  } catch (const CLI::ParseError& error) {
    std::string path = "strait";
    auto* app = &program.root;
    for (; !app->get_subcommands().empty(); app = app->get_subcommands().front())
      path += " " + app->get_subcommands().front()->get_name();
    std::string what = error.what();
    // A word that is no command: say which, rather than that one is missing.
    if (auto rest = app->remaining(); !app->get_subcommands([](CLI::App*) { return true; }).empty())
      for (const auto& word : rest)
        if (!word.empty() && word[0] != '-') {
          what = "there is no command \"" + word + "\"";
          break;
        }
    return Message{ExitCode::usage, path + ": " + what + "\nTry: " + path + " --help\n"};
  }
  for (const auto& command : commands) {
    auto& [app, found] = program.leaves.at(&command);
    if (!app->parsed())
      continue;
    Invocation out{&command, {}};
    for (auto& [name, values] : found) {
      // --http-addr and --token may also stand before the command.
      auto& before = program.root_found;
      if (values.empty() && before.count(name))
        values = before.at(name);
      out.arguments.set(name, values);
    }
    for (const auto& option : command.options)
      if (!option.fallback.empty() && !out.arguments.given(option.name))
        out.arguments.set(option.name, {option.fallback});
    return out;
  }
  return Message{ExitCode::usage, "strait: no command given\nTry: strait --help\n"};
}

} // namespace strait::cli
