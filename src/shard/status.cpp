#include "shard/status.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <numeric>
#include <system_error>

#include "base/durable_file.hpp"
#include "shard/rounds_file.hpp"
#include "trialwright/error.hpp"

namespace trialwright::shard {
namespace {

namespace fs = std::filesystem;

struct ShardFiles {
  std::optional<Content> whole;
  std::optional<Content> journal;
};
using Cutting = std::map<std::uint32_t, ShardFiles>;  // by ShardId::i

// All cuttings by their number of shards.
std::map<std::uint32_t, Cutting> read_cuttings(const fs::path& directory, StudyStatus& status) {
  std::map<std::uint32_t, Cutting> cuttings;
  for (const auto& file : shard_files_in(directory)) {
    try {
      Content content = read_shard_progress(file);
      const ShardId id = content.header.shard;
      const bool is_own = file.filename() == whole_name(id) || file.filename() == journal_name(id);
      // Whole but under way: made, and its header not yet written.
      if (content.header.n_points == 0) continue;
      if (!is_own) {
        ++status.n_other_files;
        continue;
      }
      auto& files = cuttings[id.n][id.i];
      (file.extension() == ".journal" ? files.journal : files.whole) = std::move(content);
    } catch (const Error& error) {
      std::error_code gone;
      if (fs::exists(file, gone)) status.notes.emplace_back(error.what());
    }
  }
  return cuttings;
}

bool was_written_lately(const fs::path& file) {
  std::error_code error;
  const auto written = fs::last_write_time(file, error);
  return !error && fs::file_time_type::clock::now() - written < std::chrono::minutes(2);
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

bool is_at_work(const fs::path& directory, const ShardId& shard) {
  const fs::path journal = directory / journal_name(shard);
  const fs::path lock = fs::path(journal).replace_extension(".lock");
  std::error_code error;
  if (!fs::exists(lock, error)) return false;
  if (base::FileLock::is_held(lock)) return true;
  try {
    const std::string holder = base::read_file(lock);
    return holder.substr(0, holder.find(' ')) != host_name() && was_written_lately(journal);
  } catch (const Error&) {
    return false;
  }
}

ShardStatus status_of(const fs::path& directory, const ShardId& shard, const ShardFiles& files,
                      const StudyStatus& study) {
  ShardStatus status{shard, ShardState::missing, 0, 0, 0};
  const bool is_running = is_at_work(directory, shard);
  const auto* latest = files.journal ? &*files.journal : files.whole ? &*files.whole : nullptr;
  if (is_running) status.state = ShardState::running;
  if (!latest) return status;
  if (!is_running) {
    const auto& progress = latest->progress;
    const bool is_whole = !files.journal && latest->is_whole &&
                          latest->header.n_trials >= study.n_trials && progress &&
                          progress->i_round >= study.i_round;
    status.state = is_whole ? ShardState::whole : ShardState::stopped;
  }
  if (const auto& progress = latest->progress) {
    status.n_done = progress->n_done;
    status.n_to_do = progress->n_to_do;
    if (is_running && files.journal && progress->seconds > 0)
      status.trials_a_second = static_cast<double>(progress->n_trials) / progress->seconds;
  }
  return status;
}

// The round that the next shards do, as far as anybody has judged.
std::uint64_t round_at_hand(const fs::path& directory, const Header& header, StudyStatus& status) {
  try {
    const auto study = scenario::Study::parse(header.resolved_yaml, header.study, {}, {});
    const auto& simulation = study.spec().simulation;
    if (!simulation.precision) return 0;
    const auto rounds = read_rounds(directory, header, target_text(simulation));
    const auto n = rounds.open.size();
    return n > 0 && rounds.open.back().empty() ? n - 1 : n;
  } catch (const Error& error) {
    status.notes.emplace_back(error.what());
    return 0;
  }
}

// The one most files are of; of equals the finer.
std::uint32_t main_cutting(const std::map<std::uint32_t, Cutting>& cuttings) {
  std::uint32_t n_shards = 0;
  std::size_t most = 0;
  for (const auto& [n, shards] : cuttings)
    if (shards.size() >= most) {
      most = shards.size();
      n_shards = n;
    }
  return n_shards;
}

template <class Value, class Get>
Value sum(const std::vector<ShardStatus>& shards, Get get) {
  return std::accumulate(shards.begin(), shards.end(), Value{},
                         [&](Value all, const ShardStatus& shard) { return all + get(shard); });
}

}  // namespace

std::string_view name_of(ShardState state) {
  switch (state) {
    case ShardState::whole:
      return "whole";
    case ShardState::running:
      return "running";
    case ShardState::stopped:
      return "stopped";
    case ShardState::missing:
      return "missing";
  }
  return "";
}

std::size_t StudyStatus::count(ShardState state) const {
  return static_cast<std::size_t>(std::count_if(
      shards.begin(), shards.end(), [&](const ShardStatus& shard) { return shard.state == state; }));
}

std::uint64_t StudyStatus::n_done() const {
  return sum<std::uint64_t>(shards, [](const auto& shard) { return shard.n_done; });
}

std::uint64_t StudyStatus::n_to_do() const {
  return sum<std::uint64_t>(shards, [](const auto& shard) { return shard.n_to_do; });
}

double StudyStatus::trials_a_second() const {
  return sum<double>(shards, [](const auto& shard) { return shard.trials_a_second; });
}

std::optional<double> StudyStatus::seconds_left() const {
  std::optional<double> most;
  for (const auto& shard : shards) {
    if (shard.state != ShardState::running) continue;
    if (shard.trials_a_second <= 0) return std::nullopt;
    const auto left = static_cast<double>(shard.n_to_do - std::min(shard.n_done, shard.n_to_do));
    most = std::max(most.value_or(0), left / shard.trials_a_second);
  }
  return most;
}

StudyStatus read_status(const fs::path& results_directory, std::optional<std::uint32_t> n_shards) {
  const fs::path directory = shards_directory(results_directory);
  StudyStatus status;
  auto cuttings = read_cuttings(directory, status);
  if (cuttings.empty() && !n_shards)
    throw io_error(fmt::format("{}: holds no shard", directory.string()));
  if (!n_shards) n_shards = main_cutting(cuttings);

  Cutting& cutting = cuttings[*n_shards];
  const Header* header = nullptr;
  for (const auto& [n, shards] : cuttings) {
    for (const auto& [i, files] : shards) {
      if (n != *n_shards) status.n_other_files += (files.whole ? 1 : 0) + (files.journal ? 1 : 0);
      for (const auto* content :
           {files.whole ? &*files.whole : nullptr, files.journal ? &*files.journal : nullptr})
        if (content && (!header || (n == *n_shards && content->header.n_trials > header->n_trials)))
          header = &content->header;
    }
  }
  if (header) {
    status.study = header->study;
    status.study_hash = header->study_hash;
    status.seed = header->seed;
    status.n_points = header->n_points;
    status.n_trials = header->n_trials;
    status.i_round = round_at_hand(directory, *header, status);
  }
  for (std::uint32_t i = 1; i <= *n_shards; ++i)
    status.shards.push_back(status_of(directory, {i, *n_shards}, cutting[i], status));
  return status;
}

}  // namespace trialwright::shard
