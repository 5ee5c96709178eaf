// trialwright COMMAND: the program's entry; every subcommand has a file of its own beside this one.
#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <iostream>
#include <new>

#include "app/command.hpp"
#include "trialwright/version.hpp"

namespace {

constexpr const char* k_description =
    "trialwright: Monte Carlo clinical-trial simulation for power and design planning.\n"
    "One YAML file describes patients, endpoints, designs and truths; `trialwright run FILE` answers with\n"
    "power, sample size and type I error, each with its Monte Carlo error.";

int run(int argc, char** argv) {
  using namespace trialwright;
  CLI::App app(k_description);
  app.footer(std::string("\n") + app::k_exit_statuses);
  app.name("trialwright");
  app.set_version_flag("--version", fmt::format("trialwright {}", k_version));
  app.require_subcommand(1);
  app::Action action;
  app::add_run_command(app, action);
  app::add_check_command(app, action);
  app::add_calibrate_command(app, action);
  app::add_size_command(app, action);
  app::add_replay_command(app, action);
  app::add_exact_command(app, action);
  app::add_boundaries_command(app, action);
  app::add_merge_command(app, action);
  app::add_submit_command(app, action);
  app::add_status_command(app, action);
  app::add_list_command(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int status = app.exit(error);
    if (!std::cout.flush()) throw io_error("error: cannot write to standard output");
    return status == 0 ? 0 : static_cast<int>(ExitStatus::bad_input);
  }
  return static_cast<int>(action());
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const trialwright::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return static_cast<int>(error.status());
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "error: out of memory (fewer points or patients, or a machine with more)\n");
    return static_cast<int>(trialwright::ExitStatus::io);
  } catch (const std::exception& error) {
    fmt::print(stderr, "error: {}\n", error.what());
    return static_cast<int>(trialwright::ExitStatus::io);
  }
}
