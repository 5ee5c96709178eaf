#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "app/command.hpp"
#include "app/manifest.hpp"
#include "app/monitor.hpp"
#include "app/slurm_job.hpp"
#include "base/durable_file.hpp"
#include "engine/row_files.hpp"
#include "report/directory.hpp"
#include "report/json.hpp"
#include "shard/merge.hpp"

namespace trialwright::app {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// Missing ranges, and commands one by one, that a message names.
constexpr std::size_t k_most_named = 5;

struct Options {
  CommonOptions common;
  std::vector<std::string> places;
  std::string output;
  bool partial = false;
};

// The one directory that is given, or that whose `shards` it is.
fs::path output_of(const Options& options) {
  if (!options.output.empty()) return options.output;
  if (options.places.size() == 1 && !fs::exists(options.places.front()))
    throw io_error(fmt::format("{}: there is no such directory", options.places.front()));
  if (options.places.size() == 1 && fs::is_directory(options.places.front())) {
    const fs::path place = fs::path(options.places.front()).lexically_normal();
    const fs::path directory = place.has_filename() ? place : place.parent_path();
    if (directory.filename() != "shards") return directory;
    return directory.has_parent_path() ? directory.parent_path() : fs::path(".");
  }
  throw bad_input(
      "error: several places, or a file, are merged (-o DIR is needed: where the results go)");
}

// What is there already is merged, too: it is not to be lost.
std::vector<fs::path> places_of(const Options& options, const fs::path& output) {
  std::vector<fs::path> places(options.places.begin(), options.places.end());
  std::error_code error;
  if (const auto shards = shard::shards_directory(output); fs::is_directory(shards, error))
    places.push_back(shards);
  return places;
}

std::optional<std::uint64_t> trials_of(const Options& options) {
  if (options.common.trials.empty()) return std::nullopt;
  return static_cast<std::uint64_t>(
      parse_integer("--trials", options.common.trials, 1, 1'000'000'000'000));
}

// "3,17-20", as Slurm takes it.
std::string array_text(const std::vector<std::uint32_t>& numbers) {
  std::string text;
  for (std::size_t i = 0; i < numbers.size();) {
    std::size_t last = i;
    while (last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1) ++last;
    text += fmt::format("{}{}", text.empty() ? "" : ",", numbers[i]);
    if (last > i) text += fmt::format("-{}", numbers[last]);
    i = last + 1;
  }
  return text;
}

std::string name_of(const scenario::PointSpec& point) {
  std::string name = fmt::format("{} / {}", point.design, point.scenario);
  for (const auto& [path, value] : point.sweep) name += fmt::format(", {} = {}", path, value.text);
  return name;
}

std::string text_of(const shard::MissingRange& missing) {
  return fmt::format("{} {} to {}",
                     missing.track == engine::Track::trials ? "trials" : "calendars of trials",
                     missing.range.from, missing.range.to - 1);
}

std::uint64_t n_missing_trials(const shard::MergeOutcome& outcome) {
  std::uint64_t n = 0;
  for (const auto& missing : outcome.missing)
    if (missing.track == engine::Track::trials) n += missing.range.size();
  return n;
}

// Tells how the shards in a list are made.
class Remedy {
 public:
  Remedy(const shard::MergeOutcome& outcome, const fs::path& output)
      : header_(outcome.header), output_(output), submit_(submit_directory(fs::absolute(output))) {}

  // "--array=3,17", as a whole command where `submit` has left the script of the job array.
  std::string array(const std::vector<std::uint32_t>& shards) const {
    const std::string option = "--array=" + array_text(shards);
    if (!has_array_script()) return option;
    return fmt::format("sbatch {} {}", option,
                       shell_word((submit_ / "array.sh").lexically_normal().string()));
  }
  std::string command(std::uint32_t shard) const {
    const std::string which =
        header_.shard.n == 1 ? "" : fmt::format(" --shard {}/{}", shard, header_.shard.n);
    return fmt::format("trialwright run {} --trials {}{} -o {} --resume", config(), header_.n_trials,
                       which, shell_word(output_.string()));
  }

 private:
  bool has_array_script() const {
    std::error_code error;
    return fs::exists(submit_ / "array.sh", error);
  }
  std::string config() const {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(submit_, error))
      if (entry.path().extension() == ".yaml")
        return shell_word(entry.path().lexically_normal().string());
    return "CONFIG";
  }

  const shard::Header& header_;
  fs::path output_;
  fs::path submit_;
};

std::string missing_text(const shard::MergeOutcome& outcome, const fs::path& output) {
  const auto& [shards, header] = std::tie(outcome.missing_shards, outcome.header);
  const auto points = outcome.study.points();
  const Remedy remedy(outcome, output);
  const std::string round =
      outcome.study.spec().simulation.precision ? fmt::format(" in round {}", outcome.i_round + 1) : "";
  std::string text =
      fmt::format("incomplete: {} of {} shard{} {}; {} trials are missing{}:\n", shards.size(),
                  header.shard.n, header.shard.n == 1 ? "" : "s",
                  shards.size() == 1 ? "lacks work" : "lack work", n_missing_trials(outcome), round);
  for (std::size_t i = 0; i < std::min(k_most_named, outcome.missing.size()); ++i)
    text += fmt::format("  {}: {}\n", name_of(points[outcome.missing[i].i_point]),
                        text_of(outcome.missing[i]));
  if (outcome.missing.size() > k_most_named)
    text += fmt::format("  and {} ranges more\n", outcome.missing.size() - k_most_named);
  if (header.shard.n > 1) text += fmt::format("to make them: {}\n", remedy.array(shards));
  text += header.shard.n > 1 ? "or, without a job array:\n" : "to make them:\n";
  for (std::size_t i = 0; i < std::min(k_most_named, shards.size()); ++i)
    text += fmt::format("  {}\n", remedy.command(shards[i]));
  if (shards.size() > k_most_named)
    text += fmt::format("  and {} shards more\n", shards.size() - k_most_named);
  return text + "--partial gives the results of what is there\n";
}

std::vector<std::uint32_t> all_shards(const shard::MergeOutcome& outcome) {
  std::vector<std::uint32_t> all;
  for (std::uint32_t i = 1; i <= outcome.header.shard.n; ++i) all.push_back(i);
  return all;
}

std::string open_text(const shard::MergeOutcome& outcome, const fs::path& output) {
  const Remedy remedy(outcome, output);
  const std::string so_far = fmt::format(
      "precision: {} of {} points are not precise enough after {} round{}", outcome.open_points.size(),
      outcome.header.n_points, outcome.i_round, outcome.i_round == 1 ? "" : "s");
  return fmt::format("{}; the next round: {}\nor, without a job array, for each shard: {}\n", so_far,
                     remedy.array(all_shards(outcome)), remedy.command(1));
}

std::string incomplete_json(const shard::MergeOutcome& outcome) {
  const auto points = outcome.study.points();
  Json missing = Json::array();
  for (const auto& range : outcome.missing) {
    const auto& point = points[range.i_point];
    Json sweep = Json::object();
    for (const auto& [path, value] : point.sweep) sweep[path] = value.text;
    missing.push_back({{"design", point.design},
                       {"scenario", point.scenario},
                       {"sweep", std::move(sweep)},
                       {"what", range.track == engine::Track::trials ? "trials" : "calendars"},
                       {"from", range.range.from},
                       {"to", range.range.to}});
  }
  const auto shards = outcome.missing.empty() ? all_shards(outcome) : outcome.missing_shards;
  return Json{{"format", "trialwright-incomplete/1"},
              {"study", outcome.header.study},
              {"study_hash", fmt::format("{:016x}", outcome.header.study_hash)},
              {"seed", outcome.header.seed},
              {"shards", outcome.header.shard.n},
              {"round", outcome.i_round + 1},
              {"missing_shards", shards},
              {"array", array_text(shards)},
              {"open_points", outcome.open_points.size()},
              {"missing_trials", n_missing_trials(outcome)},
              {"missing", std::move(missing)}}
             .dump(1) +
         "\n";
}

// What is judged, for the shards of the next round. Where a round that was whole is not any more (of
// more trials than before, whose blocks end elsewhere), it and those after it are to be judged again.
void keep_rounds(const shard::MergeOutcome& outcome, const fs::path& output) {
  if (!outcome.rounds) return;
  const auto directory = shard::shards_directory(output);
  const auto standing = shard::read_rounds(directory, outcome.header, outcome.rounds->target);
  if (standing.open == outcome.rounds->open) return;
  report::claim_directory(output, outcome.results.study_hash);
  fs::create_directories(directory);
  shard::write_rounds(directory, *outcome.rounds);
}

bool lies_elsewhere(const shard::MergeOutcome& outcome, const fs::path& output) {
  std::error_code error;
  const auto own = fs::weakly_canonical(shard::shards_directory(output), error);
  return std::any_of(outcome.files.begin(), outcome.files.end(),
                     [&](const fs::path& file) { return file.parent_path() != own; });
}

// Returns the directory that the results are in.
fs::path write_results(const shard::MergeOutcome& outcome, const fs::path& output, int n_threads,
                       const Clocks& clocks) {
  const Results& results = outcome.results;
  report::claim_directory(output, results.study_hash);
  if (!results.partial && !outcome.study.spec().simulation.precision)
    report::refuse_fewer_trials(output, outcome.header.n_trials);
  const fs::path place = report::claim_place(output, results);
  engine::write_row_files(outcome.study, outcome.rows, place,
                          results.partial ? engine::Extent::partial : engine::Extent::whole);
  auto manifest = manifest_of(results, n_threads, clocks);
  manifest.emplace_back("merged_files", static_cast<std::int64_t>(outcome.files.size()));
  return report::write_directory(output, results, outcome.header.resolved_yaml, manifest);
}

// The cutting of the job array that `submit` wrote there, if it did.
std::optional<std::uint32_t> submitted_shards(const fs::path& output) {
  const fs::path file = submit_directory(output) / k_shards_file;
  std::error_code error;
  if (!fs::exists(file, error)) return std::nullopt;
  const std::string text = base::read_file(file);
  std::uint32_t n = 0;
  std::from_chars(text.data(), text.data() + text.size(), n);
  return n > 0 ? std::optional{n} : std::nullopt;
}

ExitStatus merge(const Options& options) {
  const Clocks clocks;
  const fs::path output = output_of(options);
  const int n_threads = threads_of(options.common);
  auto outcome = [&] {
    TerminalMonitor monitor(bar_of(options.common));
    return shard::merge(places_of(options, output), trials_of(options), n_threads, &monitor,
                        submitted_shards(output));
  }();
  if (!options.common.quiet)
    for (const auto& note : outcome.notes) tell(note + "\n");
  keep_rounds(outcome, output);
  if (!outcome.is_complete() && (!options.partial || outcome.results.points.empty())) {
    if (options.common.json) print(incomplete_json(outcome));
    tell(outcome.missing.empty() ? open_text(outcome, output) : missing_text(outcome, output));
    return ExitStatus::check_failed;
  }

  const fs::path written = write_results(outcome, output, n_threads, clocks);
  if (options.common.json)
    print(report::write_json(outcome.results));
  else
    print(printed_table(outcome.results) + fmt::format("\nwritten to {}\n", written.string()));
  if (!options.common.quiet)
    tell(fmt::format("{} file{} merged in {:.1f} s\n", outcome.files.size(),
                     outcome.files.size() == 1 ? "" : "s", clocks.seconds()));
  if (lies_elsewhere(outcome, output)) shard::save_merged(std::move(outcome), output);
  return ExitStatus::done;
}

}  // namespace

void add_merge_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("merge", "put shards together");
  describe(
      *command,
      "Reads the finished work in shard files (DIR/shards/*.shard, and *.journal of what is under way or was\n"
      "cut off) and writes the results directory as one run of the whole study would: results.json has the same\n"
      "bytes. Any subset, in any order, of any cuttings, from directories in directories: what stands in several\n"
      "files is counted once. Files of another study, seed or version are refused by name.\n"
      "Where trials are missing, nothing is written, the exit status is 5, and the missing trials are told with the\n"
      "command that makes them (--array=3,17-20 for the job array). --partial writes the results of what is there to\n"
      "DIR/partial, marked as partial in every file.\n"
      "Of a study with a precision target each round is judged when it is whole: while points are not precise\n"
      "enough, the exit status is 5 and the command for the next round is told.\n"
      "With -o to another directory what was merged is left there too, in DIR/shards: it can be merged again, and\n"
      "`run --resume --trials N` goes on from it.\n"
      "Examples: trialwright merge results/grid\n"
      "          trialwright merge node1/grid node2/grid extra/3-of-40.shard -o results/grid");
  command
      ->add_option("PLACE", options->places, "results directories, directories of shards, shard files")
      ->required()
      ->type_name("DIR|FILE");
  command
      ->add_option("-o,--output", options->output,
                   "results directory (default: the one directory that is merged)")
      ->type_name("DIR");
  command->add_flag("--partial", options->partial,
                    "where trials are missing, write the results of those that are there");
  command
      ->add_option("--trials", options->common.trials,
                   "trials a point to answer for (default: the most that a shard was asked for)")
      ->type_name("N");
  add_machine_options(*command, options->common);
  command->add_flag("--json", options->common.json, "print machine-readable JSON on stdout");
  command->callback([&action, options] { action = [options] { return merge(*options); }; });
}

}  // namespace trialwright::app
