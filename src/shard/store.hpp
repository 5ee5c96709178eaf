// The files of one shard in a directory of shards: who is at work on it, what is found there, and what
// is saved.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/durable_file.hpp"
#include "shard/shard_file.hpp"
#include "trialwright/error.hpp"

namespace trialwright::shard {

// Throws io_error that names the file, says whether its seed, its version or its study is another than
// `expected`, and what to do.
void check_header(const std::filesystem::path& file, const Header& found, const Header& expected);

// Trials a point that any of the shard's files there was asked for; 0 where there is none.
std::uint64_t most_trials_asked(const std::filesystem::path& shards_directory, const ShardId& shard);

class Store {
 public:
  // Makes the directory of shards where it is absent and locks the shard in it. Throws io_error where
  // that fails, and where another process is at work on the shard.
  Store(const std::filesystem::path& results_directory, Header header);

  // Throws io_error where a journal stands there (work that was begun and is not finished), or a whole
  // file that work from the beginning, of round `i_round`, would replace by less or by another study's.
  void refuse_loss(std::uint64_t i_round) const;
  // Throws io_error where any file there is of another study.
  void refuse_others() const;

  // The shard's own files, all named I-of-N.…: sound as far as they are read. A torn tail is set aside
  // as NAME.torn-K, with a note.
  std::vector<Content> read_own();
  // Of all other shards and cuttings; they are read alone, and may be growing.
  std::vector<Content> read_others();

  // Appends to the journal, on the disk before it returns.
  void append(const std::vector<engine::Piece>& pieces, const std::vector<engine::PointValues>& values,
              const Progress& progress);
  // Puts the whole file in place of all of the shard's own files that were read, and its journal.
  void finish(const Content& content);
  // Is the whole file all that there is?
  bool is_finished() const;
  // After a failure: all that is finished in a file beside those that stand, or in the system's
  // temporary directory where that cannot be; the place it came to be in. Throws io_error where there
  // is none.
  std::filesystem::path save_anywhere(const Content& content) const;

  const Header& header() const { return header_; }
  const std::filesystem::path& directory() const { return directory_; }
  std::filesystem::path whole_file() const { return directory_ / whole_name(header_.shard); }
  std::filesystem::path journal_file() const { return directory_ / journal_name(header_.shard); }
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  bool is_own(const std::filesystem::path& file) const;
  void go_on_with(const Content& journal);
  void set_tail_aside(const std::filesystem::path& file, const Content& content);
  void remove_partial_files() const;

  std::filesystem::path directory_;  // of shards
  Header header_;
  std::optional<base::FileLock> lock_;
  std::optional<std::uint64_t> journal_length_;  // sound bytes of the journal that was found
  std::unique_ptr<Journal> journal_;
  std::vector<std::filesystem::path> folded_;  // read, and in the whole file once that is written
  std::vector<std::string> notes_;
};

}  // namespace trialwright::shard
