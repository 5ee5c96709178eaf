#include "engine/row_recorder.hpp"

#include <algorithm>
#include <utility>

#include "base/append_number.hpp"
#include "base/contract.hpp"
#include "engine/row_layout.hpp"

namespace trialwright::engine {
namespace {

namespace fs = std::filesystem;

// A chunk of text is written, or compressed as one member, where it has at least so many bytes.
constexpr std::size_t k_chunk_bytes = std::size_t{1} << 20;
// Bytes that may wait for their turn, a thread.
constexpr std::size_t k_waiting_bytes = std::size_t{2} << 20;

constexpr std::size_t index_of(RowKind kind) {
  return static_cast<std::size_t>(kind);
}

std::uint64_t free_number(const fs::path& directory, std::string_view stem) {
  std::uint64_t number = 1;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    const auto part = read_part_name(entry.path().filename().string());
    if (part && part->stem == stem) number = std::max(number, part->number + 1);
  }
  return number;
}

}  // namespace

// One thread's memory.
struct RowRecorder::Lane {
  static constexpr std::size_t k_no_point = ~std::size_t{0};

  trial::TrialRows trial_rows;
  std::optional<trial::PatientRows> patient_rows;
  trial::StagedOutcome staged;
  patient::Needs needs;
  std::string point_fields;
  std::string patient_head;  // the point's fields and the trial
  std::array<std::string, k_row_kinds> text;
  Gzip gzip;
  std::size_t i_point = k_no_point;
  const trial::TrialPlan* plan = nullptr;
};

RowRecorder::RowRecorder(const scenario::Study& study, std::span<const scenario::PointSpec> points,
                         fs::path directory, std::string stem)
    : study_(study),
      points_(points),
      directory_(std::move(directory)),
      stem_(std::move(stem)),
      axis_paths_(axis_paths(points)),
      estimands_(estimand_columns(study.spec())) {}

RowRecorder::~RowRecorder() = default;

void RowRecorder::begin(int n_threads) {
  lanes_.resize(std::max(lanes_.size(), static_cast<std::size_t>(n_threads)));
  for (auto& lane : lanes_)
    if (lane) lane->i_point = Lane::k_no_point;
  lengths_before_ = lengths();
  n_forgotten_ = 0;
  lengths_after_.clear();
  writer_ = std::make_unique<OrderedWriter>(
      k_waiting_bytes * static_cast<std::size_t>(n_threads),
      [this](std::size_t i_kind, std::string_view bytes) { write(i_kind, bytes); },
      [this] { lengths_after_.push_back(lengths()); });
}

RowRecorder::Block RowRecorder::open(std::uint64_t i_block, std::size_t i_thread, std::size_t i_point,
                                     const trial::TrialPlan& plan) {
  auto& slot = lanes_[i_thread];
  if (!slot) slot = std::make_unique<Lane>();
  Lane& lane = *slot;
  if (lane.i_point != i_point) {
    lane.i_point = i_point;
    lane.plan = &plan;
    lane.point_fields = point_fields(points_[i_point], axis_paths_);
    const auto columns = row_columns(study_.spec());
    lane.trial_rows.turn_to(plan, lane.point_fields, columns);
    lane.patient_rows.emplace(plan, estimands_, columns);
    lane.needs = trial::every_need(*plan.model);
  }
  for (auto& text : lane.text) text.clear();
  return {*this, lane, i_block};
}

void RowRecorder::pass(std::uint64_t i_block) {
  writer_->finish(i_block);
}

void RowRecorder::flush(Lane& lane, std::uint64_t i_block, RowKind kind) {
  std::string& text = lane.text[index_of(kind)];
  if (text.empty()) return;
  const bool packs = study_.spec().outputs.compression == scenario::Compression::gzip;
  writer_->append(i_block, index_of(kind), packs ? lane.gzip.compress(text) : std::string_view(text));
  text.clear();
}

void RowRecorder::write(std::size_t i_kind, std::string_view bytes) {
  auto& part = parts_[i_kind];
  if (!part)
    part = std::make_unique<base::AppendFile>(
        directory_ / part_name(stem_, static_cast<RowKind>(i_kind), study_.spec().outputs,
                               free_number(directory_, stem_))
                         .text(),
        0);
  part->append(bytes);
}

RowRecorder::Lengths RowRecorder::lengths() const {
  Lengths lengths{};
  for (std::size_t i = 0; i < k_row_kinds; ++i)
    if (parts_[i]) lengths[i] = parts_[i]->length();
  return lengths;
}

std::array<std::vector<RowSegment>, k_row_kinds> RowRecorder::segments(std::uint64_t first,
                                                                       std::uint64_t end) const {
  TRIALWRIGHT_EXPECT(n_forgotten_ <= first && first <= end && end <= n_written());
  const auto length_at = [&](std::uint64_t i_block) {
    return i_block == n_forgotten_
               ? lengths_before_
               : lengths_after_[static_cast<std::size_t>(i_block - n_forgotten_ - 1)];
  };
  const Lengths from = length_at(first), to = length_at(end);
  std::array<std::vector<RowSegment>, k_row_kinds> segments;
  for (std::size_t i = 0; i < k_row_kinds; ++i)
    if (from[i] < to[i]) segments[i].push_back({parts_[i]->path().filename().string(), from[i], to[i]});
  return segments;
}

std::uint64_t RowRecorder::n_written() const {
  return n_forgotten_ + lengths_after_.size();
}

void RowRecorder::forget(std::uint64_t end) {
  for (; n_forgotten_ < end && !lengths_after_.empty(); ++n_forgotten_) {
    lengths_before_ = lengths_after_.front();
    lengths_after_.pop_front();
  }
}

void RowRecorder::sync() {
  for (const auto& part : parts_)
    if (part) part->sync();
}

RowRecorder::Block::Block(Block&& other) noexcept
    : recorder_(std::exchange(other.recorder_, nullptr)),
      lane_(other.lane_),
      i_block_(other.i_block_) {}

RowRecorder::Block::~Block() {
  if (recorder_) recorder_->writer_->fail();
}

void RowRecorder::Block::begin(std::uint64_t trial, const trial::TrialOutcome* calendar) {
  lane_->trial_rows.begin(trial, calendar);
  if (lane_->text[index_of(RowKind::trials)].size() >= k_chunk_bytes)
    recorder_->flush(*lane_, i_block_, RowKind::trials);
}

void RowRecorder::Block::begin(std::uint64_t trial, const trial::TrialOutcome* calendar,
                               const trial::StagedOutcome& staged,
                               std::span<const trial::LookRecord> looks) {
  begin(trial, calendar);
  lane_->trial_rows.begin(trial, calendar, staged, looks);
}

void RowRecorder::Block::add(std::size_t i_analysis, std::span<const analysis::TwoByTwo> tables) {
  lane_->trial_rows.append(i_analysis, tables, lane_->text[index_of(RowKind::trials)]);
}

void RowRecorder::Block::add_made(std::size_t i_analysis, const trial::AnalysisOutcome& outcome) {
  lane_->trial_rows.append_made(i_analysis, outcome, lane_->text[index_of(RowKind::trials)]);
}

bool RowRecorder::Block::wants_trials() const {
  return recorder_->study_.spec().outputs.trials;
}

bool RowRecorder::Block::wants_patients(std::uint64_t trial) const {
  return trial < recorder_->study_.spec().outputs.patients_of_trials;
}

void RowRecorder::Block::add_patients(std::uint64_t trial, trial::Workspace& workspace) {
  const auto& plan = *lane_->plan;
  if (plan.staged)
    trial::simulate_staged(plan, trial, lane_->needs, workspace, lane_->staged, nullptr);
  else
    trial::simulate_trial(plan, trial, lane_->needs, workspace);
  auto& head = lane_->patient_head;
  head = lane_->point_fields;
  base::append_integer(head, trial);
  head += ',';
  std::string& text = lane_->text[index_of(RowKind::patients)];
  for (std::size_t i = 0; i < trial::n_randomised(plan, workspace); ++i) {
    if (text.size() >= k_chunk_bytes) recorder_->flush(*lane_, i_block_, RowKind::patients);
    text += head;
    lane_->patient_rows->append(workspace, i, text);
  }
}

void RowRecorder::Block::finish() {
  for (const RowKind kind : {RowKind::trials, RowKind::patients})
    recorder_->flush(*lane_, i_block_, kind);
  recorder_->writer_->finish(i_block_);
  recorder_ = nullptr;
}

}  // namespace trialwright::engine
