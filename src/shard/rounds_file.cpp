#include "shard/rounds_file.hpp"

#include <fmt/format.h>

#include "base/bytes.hpp"
#include "base/durable_file.hpp"
#include "trialwright/error.hpp"

namespace trialwright::shard {
namespace {

// The last digit is the format's version.
constexpr std::string_view k_magic = "trialwright rounds 1\n";
constexpr std::size_t k_checksum_bytes = 4;

[[noreturn]] void refuse(const std::filesystem::path& file, const std::string& problem) {
  throw io_error(fmt::format("{}: {}; without this file, \"merge\" judges the rounds anew",
                             file.string(), problem));
}

std::string bytes_of(const RoundsFile& rounds) {
  base::ByteWriter out;
  out.u64(rounds.study_hash);
  out.u64(rounds.seed);
  out.text(rounds.version);
  out.text(rounds.target);
  out.varint(rounds.open.size());
  for (const auto& points : rounds.open) {
    out.varint(points.size());
    std::size_t next = 0;
    for (const std::size_t i_point : points) {
      out.varint(i_point - next);
      next = i_point + 1;
    }
  }
  return out.take();
}

RoundsFile read_body(std::string_view body) {
  base::ByteReader in(body);
  RoundsFile rounds;
  rounds.study_hash = in.u64();
  rounds.seed = in.u64();
  rounds.version = in.text();
  rounds.target = in.text();
  rounds.open.resize(in.count(1));
  for (auto& points : rounds.open) {
    points.resize(in.count(1));
    std::size_t next = 0;
    for (std::size_t& i_point : points) {
      i_point = next + in.varint();
      next = i_point + 1;
    }
  }
  if (!in.is_at_end()) throw base::BadBytes("bytes after the end");
  return rounds;
}

RoundsFile parse(const std::filesystem::path& file, std::string_view bytes) {
  if (!bytes.starts_with(k_magic) || bytes.size() < k_magic.size() + k_checksum_bytes)
    refuse(file, "this is no file of judged rounds of this version's format");
  const auto sum = bytes.substr(bytes.size() - k_checksum_bytes);
  bytes.remove_suffix(k_checksum_bytes);
  try {
    if (base::ByteReader(sum).u32() != base::crc32c(bytes)) throw base::BadBytes("wrong checksum");
    return read_body(bytes.substr(k_magic.size()));
  } catch (const base::BadBytes& bad) {
    refuse(file, fmt::format("damaged ({})", bad.what()));
  }
}

}  // namespace

std::filesystem::path rounds_file(const std::filesystem::path& shards_directory) {
  return shards_directory / "rounds";
}

RoundsFile read_rounds(const std::filesystem::path& shards_directory, const Header& header,
                       const std::string& target) {
  const auto file = rounds_file(shards_directory);
  std::error_code unknown;
  if (!std::filesystem::exists(file, unknown) && !unknown)
    return {header.study_hash, header.seed, header.version, target, {}};
  auto rounds = parse(file, base::read_file(file));
  if (rounds.study_hash != header.study_hash)
    refuse(file, fmt::format("judged of another study ({:016x}, not {:016x})", rounds.study_hash,
                             header.study_hash));
  if (rounds.seed != header.seed)
    refuse(file, fmt::format("judged of another seed ({}, not {})", rounds.seed, header.seed));
  if (rounds.version != header.version)
    refuse(file, fmt::format("judged of another version ({}, not {})", rounds.version, header.version));
  for (const auto& points : rounds.open)
    if (!points.empty() && points.back() >= header.n_points)
      refuse(file, "damaged (it tells of points that the study does not have)");
  if (rounds.target != target)
    refuse(file, fmt::format("judged by another precision ({}, not {})", rounds.target,
                             target.empty() ? "none" : target));
  return rounds;
}

void write_rounds(const std::filesystem::path& shards_directory, const RoundsFile& rounds) {
  std::string bytes = std::string(k_magic) + bytes_of(rounds);
  base::ByteWriter sum;
  sum.u32(base::crc32c(bytes));
  base::write_file(rounds_file(shards_directory), bytes + sum.bytes());
}

std::string target_text(const scenario::SimulationSpec& simulation) {
  if (!simulation.precision) return {};
  const auto& target = *simulation.precision;
  return fmt::format("{}{} {} after rounds of {}", target.metric,
                     target.hypothesis.empty() ? "" : " of " + target.hypothesis,
                     target.mcse ? fmt::format("mcse {}", *target.mcse)
                                 : fmt::format("half_width {}", *target.half_width),
                     target.round_trials);
}

}  // namespace trialwright::shard
