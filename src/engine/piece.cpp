#include "engine/piece.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/contract.hpp"

namespace trialwright::engine {
namespace {

using base::BadBytes;
using base::ByteReader;
using base::ByteWriter;

// Walks over packed counts.
class CountReader {
 public:
  explicit CountReader(std::string_view bytes) : in_(bytes) { next(); }

  bool is_at_end() const { return is_at_end_; }
  std::uint64_t counter() const { return counter_; }
  std::uint64_t count() const { return count_; }
  // Throws BadBytes where counters do not ascend, or one was never counted.
  void next() {
    if (in_.is_at_end()) {
      is_at_end_ = true;
      return;
    }
    const std::uint64_t step = in_.varint();
    if ((!is_first_ && step == 0) || counter_ + step < counter_)
      throw BadBytes("counters out of order");
    counter_ += step;
    count_ = in_.varint();
    if (count_ == 0) throw BadBytes("a count of nothing");
    is_first_ = false;
  }

 private:
  ByteReader in_;
  bool is_at_end_ = false;
  bool is_first_ = true;
  std::uint64_t counter_ = 0;
  std::uint64_t count_ = 0;
};

class CountWriter {
 public:
  // Counters in ascending order.
  void add(std::uint64_t counter, std::uint64_t count) {
    out_.varint(counter - last_);
    out_.varint(count);
    last_ = counter;
  }
  std::string take() { return out_.take(); }

 private:
  ByteWriter out_;
  std::uint64_t last_ = 0;
};

void write(const stats::Moments& moments, ByteWriter& out) {
  const auto state = moments.state();
  out.real(state.shift);
  out.varint(state.n);
  for (const double sum :
       {state.own.sum, state.own.sum_of_squares, state.own.sum_of_cubes, state.own.sum_of_fourths})
    out.real(sum);
  for (const auto& partials : state.merged) {
    out.varint(partials.size());
    for (const double partial : partials) out.real(partial);
  }
}

stats::Moments read_moments(ByteReader& in) {
  stats::Moments::State state;
  state.shift = in.real();
  state.n = in.varint();
  for (double* sum :
       {&state.own.sum, &state.own.sum_of_squares, &state.own.sum_of_cubes, &state.own.sum_of_fourths})
    *sum = in.real();
  for (auto& partials : state.merged) {
    partials.resize(in.count(sizeof(double)));
    for (double& partial : partials) partial = in.real();
  }
  return stats::Moments(state);
}

void write(const stats::Histogram& histogram, ByteWriter& out) {
  const auto state = histogram.state();
  out.varint(state.n_beyond);
  out.varint(state.first);
  out.varint(state.counts.size());
  for (const auto count : state.counts) out.varint(count);
}

// Of the width and the number of bins of `like`.
stats::Histogram read_histogram(const stats::Histogram& like, ByteReader& in) {
  const auto shape = like.state();
  stats::Histogram::State state{.width = shape.width, .n_bins = shape.n_bins};
  state.n_beyond = in.varint();
  state.first = in.varint();
  state.counts.resize(in.count(1));
  if (state.first > state.n_bins || state.counts.size() > state.n_bins - state.first)
    throw BadBytes("a histogram of too many bins");
  std::uint64_t n = 0;
  for (auto& count : state.counts) {
    count = in.varint();
    if (n + count < n) throw BadBytes("a histogram of too many counts");
    n += count;
  }
  if (state.n_beyond > n) throw BadBytes("a histogram of more counts beyond it than it has");
  return stats::Histogram(std::move(state));
}

void write(WideCount count, ByteWriter& out) {
  out.varint(static_cast<std::uint64_t>(count));
  out.varint(static_cast<std::uint64_t>(count >> 64));
}

WideCount read_wide(ByteReader& in) {
  const std::uint64_t low = in.varint(), high = in.varint();
  return WideCount{high} << 64 | low;
}

// Any analysis takes more bytes than this, and any arm.
constexpr std::size_t k_least_analysis_bytes = 50;
constexpr std::size_t k_least_arm_bytes = 8;

void write(const AnalysisAccumulator& analysis, ByteWriter& out) {
  for (const auto count : {analysis.n_rejected, analysis.n_failed, analysis.n_defined,
                           analysis.n_covered, analysis.n_below_published, analysis.n_at_published})
    out.varint(count);
  const auto& held = analysis.consistency;
  for (const auto count :
       {held.n_trials, held.n_consistent, held.n_rejected, held.n_consistent_rejected})
    out.varint(count);
  write(analysis.estimate, out);
  write(analysis.distribution, out);
}

AnalysisAccumulator read_analysis(ByteReader& in) {
  AnalysisAccumulator analysis;
  for (auto* count : {&analysis.n_rejected, &analysis.n_failed, &analysis.n_defined,
                      &analysis.n_covered, &analysis.n_below_published, &analysis.n_at_published})
    *count = in.varint();
  auto& held = analysis.consistency;
  for (auto* count :
       {&held.n_trials, &held.n_consistent, &held.n_rejected, &held.n_consistent_rejected})
    *count = in.varint();
  analysis.estimate = read_moments(in);
  analysis.distribution = read_histogram(analysis.distribution, in);
  return analysis;
}

void write(const ArmAccumulator& arm, ByteWriter& out) {
  out.varint(arm.events);
  out.varint(arm.patients);
  for (const WideCount sum : {arm.events_squared, arm.patients_squared, arm.events_patients})
    write(sum, out);
}

ArmAccumulator read_arm(ByteReader& in) {
  ArmAccumulator arm;
  arm.events = in.varint();
  arm.patients = in.varint();
  for (WideCount* sum : {&arm.events_squared, &arm.patients_squared, &arm.events_patients})
    *sum = read_wide(in);
  return arm;
}

void write(const std::vector<std::uint64_t>& counts, ByteWriter& out) {
  out.varint(counts.size());
  for (const auto count : counts) out.varint(count);
}

void read(ByteReader& in, std::vector<std::uint64_t>& counts) {
  counts.resize(in.count(1));
  for (auto& count : counts) count = in.varint();
}

// The numbers of looks, of hypotheses and the rest: of a sum that has any.
void write(const StagedAccumulator& staged, ByteWriter& out) {
  out.varint(static_cast<std::uint64_t>(staged.n_looks));
  if (staged.is_empty()) return;
  out.varint(static_cast<std::uint64_t>(staged.n_hypotheses));
  out.u32(staged.true_nulls);
  for (const auto* counts : {&staged.rejected, &staged.naive_rejected, &staged.stops, &staged.open})
    write(*counts, out);
  for (const auto count :
       {staged.n_any, staged.n_all, staged.n_error, staged.n_naive_error, staged.n_inference})
    out.varint(count);
  for (const auto* histogram : {&staged.analysed, &staged.enrolled, &staged.overrun, &staged.months})
    write(*histogram, out);
  write(staged.decision_months, out);
  out.varint(staged.first_means.size());
  for (const auto& mean : staged.first_means) write(mean, out);
  out.varint(staged.adjusted.size());
  for (const auto& one : staged.adjusted) {
    for (const auto count : {one.n_defined, one.n_covered, one.n_repeated, one.n_repeated_covered})
      out.varint(count);
    write(one.estimate, out);
  }
}

// Any mean, and any adjusted inference, takes more bytes than this.
constexpr std::size_t k_least_mean_bytes = 18;
constexpr std::size_t k_least_adjusted_bytes = 20;

StagedAccumulator read_staged(ByteReader& in) {
  StagedAccumulator staged;
  const std::uint64_t n_looks = in.varint();
  if (n_looks == 0) return staged;
  const std::uint64_t n_hypotheses = in.varint();
  if (n_looks > design::k_most_looks || n_hypotheses > design::k_most_hypotheses)
    throw BadBytes("too many looks or hypotheses");
  staged.n_looks = static_cast<int>(n_looks);
  staged.n_hypotheses = static_cast<int>(n_hypotheses);
  staged.true_nulls = in.u32();
  for (auto* counts : {&staged.rejected, &staged.naive_rejected, &staged.stops, &staged.open})
    read(in, *counts);
  for (auto* count :
       {&staged.n_any, &staged.n_all, &staged.n_error, &staged.n_naive_error, &staged.n_inference})
    *count = in.varint();
  for (auto* histogram : {&staged.analysed, &staged.enrolled, &staged.overrun, &staged.months})
    *histogram = read_histogram(*histogram, in);
  staged.decision_months = read_moments(in);
  staged.first_means.resize(in.count(k_least_mean_bytes));
  for (auto& mean : staged.first_means) mean = read_moments(in);
  staged.adjusted.resize(in.count(k_least_adjusted_bytes));
  for (auto& one : staged.adjusted) {
    for (auto* count : {&one.n_defined, &one.n_covered, &one.n_repeated, &one.n_repeated_covered})
      *count = in.varint();
    one.estimate = read_moments(in);
  }
  return staged;
}

void write(const PointAccumulator& sum, ByteWriter& out) {
  out.varint(sum.n_trials);
  out.varint(sum.analyses.size());
  for (const auto& analysis : sum.analyses) write(analysis, out);
  out.varint(sum.arms.size());
  for (const auto& arm : sum.arms) write(arm, out);
  out.varint(sum.maintenance.size());
  for (const auto& arm : sum.maintenance) write(arm, out);
  for (const auto* moments : {&sum.enrolment_months, &sum.duration_months, &sum.n_screened})
    write(*moments, out);
  write(sum.staged, out);
}

PointAccumulator read_sum(ByteReader& in) {
  PointAccumulator sum;
  sum.n_trials = in.varint();
  const std::size_t n_analyses = in.count(k_least_analysis_bytes);
  for (std::size_t i = 0; i < n_analyses; ++i) sum.analyses.push_back(read_analysis(in));
  sum.arms.resize(in.count(k_least_arm_bytes));
  for (auto& arm : sum.arms) arm = read_arm(in);
  sum.maintenance.resize(in.count(k_least_arm_bytes));
  for (auto& arm : sum.maintenance) arm = read_arm(in);
  for (auto* moments : {&sum.enrolment_months, &sum.duration_months, &sum.n_screened})
    *moments = read_moments(in);
  sum.staged = read_staged(in);
  return sum;
}

void write(const RowSegment& segment, ByteWriter& out) {
  out.text(segment.file);
  out.varint(segment.from);
  out.varint(segment.to);
}

RowSegment read_segment(ByteReader& in) {
  RowSegment segment;
  segment.file = in.text();
  segment.from = in.varint();
  segment.to = in.varint();
  // A name alone: no file elsewhere is to be read because bytes say so.
  const bool is_name = !segment.file.empty() && segment.file != "." && segment.file != ".." &&
                       segment.file.find('/') == std::string::npos &&
                       segment.file.find('\0') == std::string::npos;
  if (!is_name || segment.from > segment.to) throw BadBytes("a segment of no file");
  return segment;
}

void append_segments(std::vector<RowSegment>& rows, std::vector<RowSegment>&& later) {
  auto from = later.begin();
  if (!rows.empty() && from != later.end() && rows.back().file == from->file &&
      rows.back().to == from->from) {
    rows.back().to = from->to;
    ++from;
  }
  rows.insert(rows.end(), std::make_move_iterator(from), std::make_move_iterator(later.end()));
}

}  // namespace

SparseCounts::SparseCounts(std::span<const std::uint64_t> dense) {
  CountWriter out;
  for (std::size_t i = 0; i < dense.size(); ++i)
    if (dense[i] > 0) out.add(i, dense[i]);
  bytes_ = out.take();
}

bool SparseCounts::add_to(std::span<std::uint64_t> dense) const {
  std::uint64_t end = 0;
  for (CountReader in(bytes_); !in.is_at_end(); in.next()) end = in.counter() + 1;
  if (end > dense.size()) return false;
  for (CountReader in(bytes_); !in.is_at_end(); in.next()) dense[in.counter()] += in.count();
  return true;
}

void SparseCounts::merge(const SparseCounts& other) {
  CountReader a(bytes_), b(other.bytes_);
  CountWriter out;
  while (!a.is_at_end() || !b.is_at_end()) {
    const bool takes_a = b.is_at_end() || (!a.is_at_end() && a.counter() <= b.counter());
    const bool takes_b = a.is_at_end() || (!b.is_at_end() && b.counter() <= a.counter());
    out.add(takes_a ? a.counter() : b.counter(), (takes_a ? a.count() : 0) + (takes_b ? b.count() : 0));
    if (takes_a) a.next();
    if (takes_b) b.next();
  }
  bytes_ = out.take();
}

SparseCounts SparseCounts::from_bytes(std::string bytes) {
  for (CountReader in(bytes); !in.is_at_end();) in.next();
  SparseCounts counts;
  counts.bytes_ = std::move(bytes);
  return counts;
}

void Piece::merge(Piece&& neighbour) {
  TRIALWRIGHT_EXPECT(i_point == neighbour.i_point && track == neighbour.track);
  if (neighbour.range.to == range.from) std::swap(*this, neighbour);
  TRIALWRIGHT_EXPECT(range.to == neighbour.range.from);
  range.to = neighbour.range.to;
  sum.merge(neighbour.sum);
  cells.merge(neighbour.cells);
  for (std::size_t kind = 0; kind < k_row_kinds; ++kind)
    append_segments(rows[kind], std::move(neighbour.rows[kind]));
}

void write(const Piece& piece, ByteWriter& out) {
  out.varint(piece.i_point);
  out.u8(static_cast<std::uint8_t>(piece.track));
  out.varint(piece.range.from);
  out.varint(piece.range.to);
  write(piece.sum, out);
  out.text(piece.cells.bytes());
  for (const auto& segments : piece.rows) {
    out.varint(segments.size());
    for (const auto& segment : segments) write(segment, out);
  }
}

Piece read_piece(ByteReader& in) {
  Piece piece;
  piece.i_point = in.varint();
  const std::uint8_t track = in.u8();
  if (track > static_cast<std::uint8_t>(Track::calendars)) throw BadBytes("no such track");
  piece.track = static_cast<Track>(track);
  piece.range.from = in.varint();
  piece.range.to = in.varint();
  if (piece.range.empty()) throw BadBytes("a range of no trials");
  piece.sum = read_sum(in);
  piece.cells = SparseCounts::from_bytes(std::string(in.text()));
  for (auto& segments : piece.rows) {
    segments.resize(in.count(3));
    for (auto& segment : segments) segment = read_segment(in);
  }
  return piece;
}

}  // namespace trialwright::engine
