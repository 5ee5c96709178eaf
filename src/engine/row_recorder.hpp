// The recorder: rows of trials and patients, made where the trials are made, streamed into part files.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/durable_file.hpp"
#include "engine/gzip.hpp"
#include "engine/ordered_writer.hpp"
#include "engine/piece.hpp"
#include "scenario/study.hpp"
#include "trial/patient_rows.hpp"
#include "trial/trial_rows.hpp"

namespace trialwright::engine {

// Writes the rows that a study's `outputs` asks for into part files of this process, in the order of
// the blocks. Memory is bounded, whatever the number of trials: about 6 MiB a thread. A part's bytes
// are those of its blocks one after another, and a block's bytes (compressed ones too: by members of
// about 1 MiB of text, none across blocks) are the same wherever it is made.
class RowRecorder {
 public:
  // `points`: Study::points(), which must outlive this, as must the study. Parts are made, at their
  // first row, in `directory`, under names that begin with `stem` and no file there has.
  RowRecorder(const scenario::Study& study, std::span<const scenario::PointSpec> points,
              std::filesystem::path directory, std::string stem);
  ~RowRecorder();

  // From here on blocks are numbered from 0 again.
  void begin(int n_threads);

  // A block under way, on its thread. One that goes out of scope before finish() ends the recording.
  class Block;
  // Blocks must be opened in their order, one by one; by any thread.
  Block open(std::uint64_t i_block, std::size_t i_thread, std::size_t i_point,
             const trial::TrialPlan& plan);
  // A block that has no rows.
  void pass(std::uint64_t i_block);

  // While no block is under way: where the rows of blocks first … end - 1 are.
  std::array<std::vector<RowSegment>, k_row_kinds> segments(std::uint64_t first,
                                                            std::uint64_t end) const;
  // The leading blocks whose rows are all written: all that are finished, unless writing failed.
  std::uint64_t n_written() const;
  // Nobody asks for the blocks before `end` any more.
  void forget(std::uint64_t end);
  // Returns when all that is written is on the disk; throws io_error where that fails.
  void sync();

 private:
  struct Lane;
  using Lengths = std::array<std::uint64_t, k_row_kinds>;

  void flush(Lane& lane, std::uint64_t i_block, RowKind kind);
  void write(std::size_t i_kind, std::string_view bytes);
  Lengths lengths() const;

  const scenario::Study& study_;
  std::span<const scenario::PointSpec> points_;
  std::filesystem::path directory_;
  std::string stem_;
  std::vector<std::string> axis_paths_;
  std::vector<std::string> estimands_;
  std::vector<std::unique_ptr<Lane>> lanes_;  // [i_thread]
  std::unique_ptr<OrderedWriter> writer_;
  std::array<std::unique_ptr<base::AppendFile>, k_row_kinds> parts_;
  Lengths lengths_before_{};  // of the parts, before block n_forgotten_
  std::uint64_t n_forgotten_ = 0;
  std::deque<Lengths> lengths_after_;  // block n_forgotten_ and those that follow
};

class RowRecorder::Block {
 public:
  Block(RowRecorder& recorder, Lane& lane, std::uint64_t i_block)
      : recorder_(&recorder), lane_(&lane), i_block_(i_block) {}
  Block(Block&& other) noexcept;
  Block& operator=(Block&&) = delete;
  ~Block();

  // Rows that follow are of this trial; `calendar` as TrialRows::begin.
  void begin(std::uint64_t trial, const trial::TrialOutcome* calendar);
  // The same of a trial that looked before the end.
  void begin(std::uint64_t trial, const trial::TrialOutcome* calendar,
             const trial::StagedOutcome& staged, std::span<const trial::LookRecord> looks);
  // One analysis's row, by its tables as TrialRows::append; analyses in their order.
  void add(std::size_t i_analysis, std::span<const analysis::TwoByTwo> tables);
  // The same of an analysis of a maintenance phase.
  void add_made(std::size_t i_analysis, const trial::AnalysisOutcome& outcome);
  // Are this trial's patients asked for? Then add_patients makes the trial again, with all that can be
  // told of them, in a workspace prepared for the plan, and adds their rows.
  bool wants_patients(std::uint64_t trial) const;
  void add_patients(std::uint64_t trial, trial::Workspace& workspace);
  bool wants_trials() const;
  // All rows of the block are there. Throws io_error where writing fails.
  void finish();

 private:
  RowRecorder* recorder_;
  Lane* lane_;
  std::uint64_t i_block_;
};

}  // namespace trialwright::engine
