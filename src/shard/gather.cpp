#include "shard/gather.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <system_error>
#include <tuple>
#include <utility>

#include "trialwright/error.hpp"
#include "trialwright/version.hpp"

namespace trialwright::shard {
namespace {

namespace fs = std::filesystem;

// Odd files that a message names.
constexpr std::size_t k_most_named = 3;

struct Read {
  fs::path file;
  Content content;
};

// What all files of one study share.
using Identity = std::tuple<std::uint64_t, std::uint64_t, std::string, std::uint64_t>;
Identity identity_of(const Header& header) {
  return {header.study_hash, header.seed, header.version, header.n_points};
}

bool is_shard_file(const fs::path& file) {
  return file.extension() == ".shard" || file.extension() == ".journal";
}

void add_files_below(const fs::path& directory, std::set<fs::path>& files) {
  std::error_code error;
  for (fs::recursive_directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error))
    if (is_shard_file(entry->path()) && entry->is_regular_file(error))
      files.insert(fs::canonical(entry->path()));
  if (error)
    throw io_error(fmt::format("{}: cannot be read ({})", directory.string(), error.message()));
}

std::vector<std::string> differences(const Header& found, const Header& expected) {
  std::vector<std::string> texts;
  if (found.study_hash != expected.study_hash)
    texts.push_back(fmt::format("its study is \"{}\" ({:016x}), theirs \"{}\" ({:016x})", found.study,
                                found.study_hash, expected.study, expected.study_hash));
  if (found.seed != expected.seed)
    texts.push_back(fmt::format("its seed is {}, theirs {}", found.seed, expected.seed));
  if (found.version != expected.version)
    texts.push_back(fmt::format("its version is {}, theirs {}", found.version, expected.version));
  if (texts.empty())
    texts.push_back(fmt::format("it has {} points, they {}", found.n_points, expected.n_points));
  return texts;
}

// The header of what most files are of; of as many, the first.
const Header& usual_header(const std::vector<Read>& read) {
  std::map<Identity, std::size_t> n_files;
  for (const auto& one : read) ++n_files[identity_of(one.content.header)];
  const auto usual = std::max_element(read.begin(), read.end(), [&](const Read& a, const Read& b) {
    return n_files[identity_of(a.content.header)] < n_files[identity_of(b.content.header)];
  });
  return usual->content.header;
}

void refuse_odd(const std::vector<Read>& read) {
  const Header& expected = usual_header(read);
  std::string message;
  std::size_t n_odd = 0;
  for (const auto& [file, content] : read) {
    if (identity_of(content.header) == identity_of(expected)) continue;
    if (++n_odd <= k_most_named)
      message += fmt::format("{}: does not belong to the other files: {}\n", file.string(),
                             fmt::join(differences(content.header, expected), "; "));
  }
  if (n_odd > k_most_named) message += fmt::format("and {} files more\n", n_odd - k_most_named);
  if (n_odd > 0)
    throw io_error(message + "nothing was merged; leave out what does not belong, or merge it apart");
  if (expected.version != k_version)
    throw io_error(fmt::format("{}: made by version {}, which merges it to the same bytes; this is {}",
                               read.front().file.string(), expected.version, k_version));
}

// The number of shards that most files were cut for; of as many the larger.
std::uint32_t usual_cut(const std::vector<Read>& read) {
  std::map<std::uint32_t, std::size_t> n_files;
  for (const auto& one : read) ++n_files[one.content.header.shard.n];
  const auto usual = std::max_element(n_files.begin(), n_files.end(), [](const auto& a, const auto& b) {
    return a.second <= b.second;
  });
  return usual->first;
}

void take_in(Read&& one, Gathered& all) {
  const fs::path directory = one.file.parent_path();
  for (auto& piece : one.content.pieces) {
    for (auto& segments : piece.rows)
      for (auto& segment : segments) segment.file = (directory / segment.file).string();
    if (piece.i_point < all.pieces.size()) all.pieces[piece.i_point].push_back(std::move(piece));
  }
  for (auto& values : one.content.values)
    if (values.i_point < all.values.size()) all.values[values.i_point].push_back(std::move(values));
}

}  // namespace

std::vector<fs::path> shard_files_at(const std::vector<fs::path>& places) {
  std::set<fs::path> files;
  for (const auto& place : places) {
    std::error_code error;
    const auto status = fs::status(place, error);
    if (fs::is_directory(status)) {
      add_files_below(place, files);
    } else if (fs::exists(status)) {
      files.insert(fs::canonical(place));
    } else {
      throw io_error(fmt::format("{}: there is no such file or directory", place.string()));
    }
  }
  return {files.begin(), files.end()};
}

Gathered gather(const std::vector<fs::path>& places) {
  std::vector<Read> read;
  Gathered all;
  for (const auto& file : shard_files_at(places)) {
    Content content = read_shard_file(file);
    if (content.torn_at)
      all.notes.push_back(fmt::format("{}: torn at byte {} of {}; what stands before is used",
                                      file.string(), *content.torn_at, content.length));
    if (content.header.n_points > 0) read.push_back({file, std::move(content)});
  }
  if (read.empty())
    throw io_error(fmt::format("{}: no shard files (*.shard, *.journal) {} there",
                               places.empty() ? "" : places.front().string(),
                               all.notes.empty() ? "are" : "that are not torn are"));
  refuse_odd(read);
  const std::uint32_t n = usual_cut(read);
  all.header = std::max_element(read.begin(), read.end(), [](const Read& a, const Read& b) {
                 return a.content.header.n_trials < b.content.header.n_trials;
               })->content.header;
  all.header.shard = {1, n};
  all.pieces.resize(all.header.n_points);
  all.values.resize(all.header.n_points);
  for (auto& one : read) {
    all.files.push_back(one.file);
    const auto& [header, progress] = std::tie(one.content.header, one.content.progress);
    if (one.content.is_whole)
      all.whole.push_back({header.shard, progress ? progress->i_round : 0, header.n_trials});
    take_in(std::move(one), all);
  }
  return all;
}

}  // namespace trialwright::shard
