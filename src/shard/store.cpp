#include "shard/store.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <system_error>

namespace trialwright::shard {
namespace {

namespace fs = std::filesystem;

void make_directory(const fs::path& directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error)
    throw io_error(fmt::format("{}: cannot be made ({})", directory.string(), error.message()));
}

// "3-of-40.", which the names of all files of the shard begin with.
std::string stem(const ShardId& shard) {
  return fmt::format("{}-of-{}.", shard.i, shard.n);
}

bool is_journal(const fs::path& file) {
  return file.extension() == ".journal";
}

bool is_held(const fs::path& shard_file) {
  return base::FileLock::is_held(fs::path(shard_file).replace_extension(".lock"));
}

fs::path temporary_directory() {
  const char* told = std::getenv("TMPDIR");
  return told && *told ? told : "/tmp";
}

}  // namespace

void check_header(const fs::path& file, const Header& found, const Header& expected) {
  const auto refuse = [&](const std::string& what, const std::string& remedy) {
    throw io_error(fmt::format("{}: holds work of {}; {}", file.string(), what, remedy));
  };
  if (found.seed != expected.seed)
    refuse(fmt::format("seed {}, this study has {}", found.seed, expected.seed),
           fmt::format("run with --seed {}, or choose another directory with -o DIR", found.seed));
  if (found.version != expected.version)
    refuse(fmt::format("version {}, this is version {}", found.version, expected.version),
           "go on with that version, or choose another directory with -o DIR");
  if (found.study_hash != expected.study_hash || found.n_points != expected.n_points)
    refuse(fmt::format("another study (\"{}\", study_hash {:016x}; this study has {:016x})",
                       found.study, found.study_hash, expected.study_hash),
           "choose another directory with -o DIR");
}

std::uint64_t most_trials_asked(const fs::path& directory, const ShardId& shard) {
  std::uint64_t most = 0;
  std::error_code error;
  for (const auto& name : {whole_name(shard), journal_name(shard)})
    if (fs::exists(directory / name, error))
      most = std::max(most, read_shard_progress(directory / name).header.n_trials);
  return most;
}

Store::Store(const fs::path& results_directory, Header header)
    : directory_(shards_directory(results_directory)), header_(std::move(header)) {
  make_directory(directory_);
  lock_.emplace(directory_ / (stem(header_.shard) + "lock"));
  remove_partial_files();
}

// What a death has left of files that were being written.
void Store::remove_partial_files() const {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory_, error))
    if (is_own(entry.path()) && entry.path().extension() == ".partial") fs::remove(entry.path(), error);
}

bool Store::is_own(const fs::path& file) const {
  return file.filename().string().starts_with(stem(header_.shard));
}

void Store::refuse_loss(std::uint64_t i_round) const {
  constexpr const char* k_remedy = "--resume goes on from it (or choose another directory with -o DIR)";
  std::error_code error;
  if (fs::exists(journal_file(), error)) {
    const Content found = read_shard_progress(journal_file());
    if (found.header.n_points > 0) check_header(journal_file(), found.header, header_);
    throw io_error(fmt::format("{}: holds work of this study that is not finished; {}",
                               journal_file().string(), k_remedy));
  }
  if (!fs::exists(whole_file(), error)) return;
  const Content found = read_shard_progress(whole_file());
  if (found.header.n_points == 0) return;
  if (found.header.study_hash != header_.study_hash || found.header.seed != header_.seed)
    check_header(whole_file(), found.header, header_);
  const bool has_rounds = i_round == 0 && found.progress && found.progress->i_round > 0;
  if (found.header.n_trials > header_.n_trials || has_rounds)
    throw io_error(fmt::format(
        "{}: holds {}, which {} trials would replace; {}", whole_file().string(),
        has_rounds ? "later rounds too" : fmt::format("{} trials a point", found.header.n_trials),
        header_.n_trials, k_remedy));
}

void Store::refuse_others() const {
  for (const auto& file : shard_files_in(directory_)) {
    const Header found = read_shard_progress(file).header;
    if (found.n_points > 0 && (found.study_hash != header_.study_hash || found.seed != header_.seed))
      check_header(file, found, header_);
  }
}

std::vector<Content> Store::read_own() {
  std::vector<Content> contents;
  for (const auto& file : shard_files_in(directory_)) {
    if (!is_own(file)) continue;
    Content content = read_shard_file(file);
    const bool has_header = content.header.n_points > 0;
    if (has_header) check_header(file, content.header, header_);
    if (content.torn_at) set_tail_aside(file, content);
    if (!has_header) continue;
    if (is_journal(file))
      go_on_with(content);
    else if (file != whole_file())
      folded_.push_back(file);
    contents.push_back(std::move(content));
  }
  return contents;
}

void Store::go_on_with(const Content& journal) {
  if (journal.header.n_trials == header_.n_trials) {
    journal_length_ = journal.torn_at.value_or(journal.length);
    return;
  }
  // A journal's header stays as it is: of another number of trials it becomes a file of its own.
  folded_.push_back(directory_ /
                    fmt::format("{}{}-trials.shard", stem(header_.shard), journal.header.n_trials));
  write_shard_file(folded_.back(), journal);
  fs::remove(journal_file());
}

void Store::set_tail_aside(const fs::path& file, const Content& content) {
  const auto aside = shard::set_tail_aside(file, *content.torn_at);
  notes_.push_back(fmt::format(
      "{}: torn at byte {}{}; what is missing is done again", file.string(), *content.torn_at,
      aside ? fmt::format(" (what follows is set aside as {})", aside->filename().string())
            : std::string()));
  if (content.header.n_points == 0) fs::remove(file);
}

std::vector<Content> Store::read_others() {
  std::vector<Content> contents;
  for (const auto& file : shard_files_in(directory_)) {
    if (is_own(file)) continue;
    Content content = read_shard_file(file);
    // One that is being made.
    if (content.header.n_points == 0) continue;
    check_header(file, content.header, header_);
    if (content.torn_at && !is_held(file))
      notes_.push_back(fmt::format("{}: torn at byte {}; what follows is done again", file.string(),
                                   *content.torn_at));
    contents.push_back(std::move(content));
  }
  return contents;
}

void Store::append(const std::vector<engine::Piece>& pieces,
                   const std::vector<engine::PointValues>& values, const Progress& progress) {
  if (!journal_) journal_ = std::make_unique<Journal>(journal_file(), header_, journal_length_);
  journal_->append(pieces, values, progress);
}

void Store::finish(const Content& content) {
  write_shard_file(whole_file(), content);
  journal_.reset();
  std::error_code error;
  fs::remove(journal_file(), error);
  for (const auto& file : folded_) fs::remove(file, error);
  folded_.clear();
}

bool Store::is_finished() const {
  std::error_code error;
  return folded_.empty() && fs::exists(whole_file(), error) && !fs::exists(journal_file(), error);
}

fs::path Store::save_anywhere(const Content& content) const {
  const std::string name =
      fmt::format("{}{:08x}-{}.shard", stem(header_.shard), header_.study_hash >> 32, ::getpid());
  try {
    make_directory(directory_);
    write_shard_file(directory_ / name, content);
    return directory_ / name;
  } catch (const std::exception&) {
    write_shard_file(temporary_directory() / name, content);
    return temporary_directory() / name;
  }
}

}  // namespace trialwright::shard
