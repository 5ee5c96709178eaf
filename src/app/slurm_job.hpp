// What `submit` leaves for Slurm: the script of the job array, of the merge after it, and the one that
// queues both.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace trialwright::app {

// "30" (minutes), "MM:SS", "HH:MM:SS", "D-HH", "D-HH:MM", "D-HH:MM:SS", as sbatch's --time takes them,
// in seconds; bad_input where it is none of them, or less than a minute.
std::int64_t parse_time_limit(const std::string& option, const std::string& text);
// "1-02:30:00", rounded up to whole minutes.
std::string time_limit_text(std::int64_t seconds);
// "500M", "2G", a whole number with or without K, M, G or T: as it is; else bad_input.
std::string parse_memory(const std::string& option, const std::string& text);

// As a word of a shell's command line.
std::string shell_word(const std::string& text);

// What a site adds to every job.
struct SiteTemplate {
  std::string options;   // its lines #SBATCH, which come last and so win
  std::string commands;  // its other lines, run before the program; may set TRIALWRIGHT
};
// Throws io_error where the file cannot be read.
SiteTemplate read_template(const std::filesystem::path& file);

enum class Requeue { yes, no };

struct SlurmJob {
  std::filesystem::path directory;  // of the results; absolute, without quotes, \ and %
  std::filesystem::path study;      // resolved; absolute
  std::filesystem::path program;    // this one
  std::string name;                 // of the jobs: letters, digits, "-", "_", "."
  std::uint32_t n_shards = 1;
  std::optional<std::uint32_t> max_running;
  int cpus_per_task = 1;
  std::int64_t time_limit_seconds = 3600;
  std::string memory;     // empty: the site's default
  std::string partition;  // empty: the site's default
  Requeue requeue = Requeue::yes;
  std::uint64_t n_rounds = 1;  // with a precision target, at most
  int attempts = 1;            // of the shards of one round
  SiteTemplate site;
};

// Where the scripts are, and in it the file that tells `status` how many shards there are to be.
std::filesystem::path submit_directory(const std::filesystem::path& results_directory);
inline constexpr const char* k_shards_file = "shards";

std::string array_script(const SlurmJob& job);
std::string merge_script(const SlurmJob& job);
std::string submit_script(const SlurmJob& job);

}  // namespace trialwright::app
