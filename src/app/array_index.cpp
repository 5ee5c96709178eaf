#include "app/array_index.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <vector>

#include "app/command.hpp"
#include "trialwright/error.hpp"

namespace trialwright::app {
namespace {

constexpr std::int64_t k_most_shards = 100'000;
constexpr const char* k_forms = "I/N with I from 1 to N, such as 3/40, or auto, or auto/N";

// The names by which a scheduler tells of its job arrays; null where it does not tell.
struct Scheduler {
  const char* name;
  const char* index;
  const char* first;
  const char* last;
  const char* step;
  const char* size;
};
constexpr std::array<Scheduler, 5> k_schedulers{{
    {"Slurm", "SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_MAX",
     "SLURM_ARRAY_TASK_STEP", "SLURM_ARRAY_TASK_COUNT"},
    {"SGE", "SGE_TASK_ID", "SGE_TASK_FIRST", "SGE_TASK_LAST", "SGE_TASK_STEPSIZE", nullptr},
    // LSF tells the last index alone, and arrays that start elsewhere than at 1 are rare.
    {"LSF", "LSB_JOBINDEX", nullptr, "LSB_JOBINDEX_END", "LSB_JOBINDEX_STEP", nullptr},
    {"PBS Professional", "PBS_ARRAY_INDEX", nullptr, nullptr, nullptr, nullptr},
    {"Torque", "PBS_ARRAYID", nullptr, nullptr, nullptr, nullptr},
}};

std::optional<std::string> variable(const char* name) {
  const char* value = name ? std::getenv(name) : nullptr;
  if (!value || *value == '\0') return std::nullopt;
  return value;
}

std::optional<std::int64_t> number(const char* name) {
  const auto text = variable(name);
  if (!text) return std::nullopt;
  return parse_integer(name, *text, 0, std::int64_t{1} << 40);
}

struct Array {
  const Scheduler* scheduler = nullptr;
  std::int64_t index = 0;
};

// Outside an array SGE says "undefined" and LSF 0.
std::optional<Array> array_of(const Scheduler& scheduler) {
  const auto text = variable(scheduler.index);
  const bool is_lsf = scheduler.index == std::string("LSB_JOBINDEX");
  if (!text || *text == "undefined" || (is_lsf && *text == "0")) return std::nullopt;
  return Array{&scheduler, *number(scheduler.index)};
}

Array find_array() {
  std::vector<Array> found;
  for (const auto& scheduler : k_schedulers)
    if (const auto array = array_of(scheduler)) found.push_back(*array);
  if (found.empty())
    throw bad_input(
        "error: --shard auto finds no job array: none of SLURM_ARRAY_TASK_ID, SGE_TASK_ID, LSB_JOBINDEX, "
        "PBS_ARRAY_INDEX, PBS_ARRAYID tells an index (write --shard I/N)");
  for (const auto& other : found)
    if (other.index != found.front().index)
      throw bad_input(fmt::format(
          "error: --shard auto finds two job arrays: {} is {}, {} is {} (write --shard I/N)",
          found.front().scheduler->index, found.front().index, other.scheduler->index, other.index));
  return found.front();
}

// Of an array that counts 1, 2 … N.
std::int64_t size_of(const Array& array) {
  const auto& scheduler = *array.scheduler;
  const auto last = number(scheduler.last);
  if (!last)
    throw bad_input(fmt::format(
        "error: --shard auto: {} does not tell how many shards there are (write --shard auto/N, "
        "or set TRIALWRIGHT_SHARDS=N)",
        scheduler.name));
  const auto first = number(scheduler.first).value_or(1);
  const auto step = number(scheduler.step).value_or(1);
  const auto size = number(scheduler.size).value_or(*last);
  if (first != 1 || step != 1 || size != *last)
    throw bad_input(fmt::format(
        "error: --shard auto: the job array of {} does not count 1, 2 … N (from {} to {}{}), so it "
        "does not tell how many shards there are (write --shard auto/N, or set "
        "TRIALWRIGHT_SHARDS=N)",
        scheduler.name, first, *last,
        scheduler.size ? fmt::format(", {} of them", size) : std::string{}));
  return size;
}

shard::ShardId checked(const std::string& text, std::int64_t i, std::int64_t n) {
  if (i < 1 || i > n)
    throw bad_input(fmt::format("error: --shard is \"{}\" ({} is needed)", text, k_forms));
  return {static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(n)};
}

std::int64_t number_of_shards(const std::string& where, const std::string& text) {
  return parse_integer(where, text, 1, k_most_shards);
}

shard::ShardId automatic(const std::optional<std::string>& n_typed) {
  const Array array = find_array();
  const char* name = array.scheduler->index;
  if (array.index == 0)
    throw bad_input(fmt::format(
        "error: --shard auto: {} is 0, and shards count from 1 (submit the array as 1-N, not "
        "0-(N-1))",
        name));
  const auto n_told = variable("TRIALWRIGHT_SHARDS");
  const std::int64_t n = n_typed  ? number_of_shards("N of --shard auto/N", *n_typed)
                         : n_told ? number_of_shards("TRIALWRIGHT_SHARDS", *n_told)
                                  : size_of(array);
  if (n > k_most_shards)
    throw bad_input(fmt::format(
        "error: --shard auto: the job array has {} elements ({} shards at most)", n, k_most_shards));
  if (array.index > n)
    throw bad_input(fmt::format("error: --shard auto: {} is {}, beyond the last of {} shards", name,
                                array.index, n));
  return checked("auto", array.index, n);
}

}  // namespace

shard::ShardId parse_shard(const std::string& text) {
  if (text == "auto") return automatic(std::nullopt);
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos)
    throw bad_input(fmt::format("error: --shard is \"{}\" ({} is needed)", text, k_forms));
  const std::string left = text.substr(0, slash), right = text.substr(slash + 1);
  if (left == "auto") return automatic(right);
  const auto n = number_of_shards("N of --shard I/N", right);
  return checked(text, parse_integer("I of --shard I/N", left, 1, n), n);
}

}  // namespace trialwright::app
