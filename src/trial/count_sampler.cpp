#include "trial/count_sampler.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "base/contract.hpp"
#include "rng/batch.hpp"

namespace trialwright::trial {

namespace {

constexpr std::uint32_t k_further_bits = 0x80000000u;
constexpr int k_family_guide_bits = 9;

}  // namespace

class CountSampler::Compiler {
 public:
  Compiler(const CountLaw& law, CountSampler& out)
      : law_(law), out_(out), n_parts_(law.n_columns), may_leave_range_(law.n_columns) {
    out_.ranges_.assign(law.n_columns, {0, 0});
  }

  // False where the tables grow too large.
  bool run() {
    for (const auto& stage : law_.stages) {
      n_scratch_ = 0;
      if (!add_stage(stage)) return false;
      out_.n_scratch_ = std::max(out_.n_scratch_, n_scratch_);
      out_.n_words_ = std::max(out_.n_words_, out_.stages_.back().n_words);
    }
    for (std::size_t column = 0; column < law_.n_columns; ++column)
      if (may_leave_range_[column]) out_.clamped_.push_back(column);
    for (auto& stage : out_.stages_)
      for (const auto& part : stage.parts)
        if (part.is_first && may_leave_range_[part.column]) stage.clamped.push_back(part.column);
    return true;
  }

 private:
  // Of an arm while it is compiled.
  struct Arm {
    Range size;
    std::size_t left = 0;
    std::size_t size_column = 0;
    std::size_t first_cell = 0;
    bool is_random() const { return size.lowest < size.highest; }
  };

  bool add_stage(const CountLaw::Stage& law) {
    Stage& stage = out_.stages_.emplace_back();
    std::vector<Arm> arms(law.arms.size());
    for (std::size_t a = 0; a < arms.size(); ++a) {
      arms[a].size = {law.arms[a].n_patients, law.arms[a].n_patients};
      arms[a].left = n_scratch_++;
    }
    if (!law.first_size.empty()) add_split(law, arms, stage);
    if (!law.given.empty()) add_given(law, arms, stage);
    for (std::size_t a = 0; a < arms.size(); ++a) {
      const std::size_t n_cells = law.arms[a].cells.size();
      TRIALWRIGHT_EXPECT(n_cells >= 1);
      arms[a].first_cell = n_scratch_;
      n_scratch_ += n_cells - 1;  // the last cell's patients are those left, and are never made
      if (n_cells > 2 && !arms[a].is_random())
        stage.fixed.push_back({arms[a].left, arms[a].size.lowest});
      if (!add_draws(law.arms[a], arms[a], stage.split.size() + a, arms.size(), stage)) return false;
      for (std::size_t column = 0; column < law_.n_columns; ++column)
        add_part(law.arms[a], arms[a], column, stage);
    }
    return true;
  }

  void add_split(const CountLaw::Stage& law, std::vector<Arm>& arms, Stage& stage) {
    TRIALWRIGHT_EXPECT(arms.size() == 2);
    std::vector<double> weights;
    const int first = law.first_size.front().n_1;
    for (const auto& size : law.first_size) {
      TRIALWRIGHT_EXPECT(size.n_1 == first + static_cast<int>(weights.size()));
      weights.push_back(size.probability);
    }
    Split split{rng::CountTable(first, weights), law.n_patients, {}, {}};
    arms[0].size = {split.first.first(), split.first.last()};
    arms[1].size = {law.n_patients - split.first.last(), law.n_patients - split.first.first()};
    if (!arms[0].is_random()) return;
    for (std::size_t a = 0; a < 2; ++a) {
      split.left[a] = arms[a].left;
      split.size[a] = arms[a].size_column = n_scratch_++;
    }
    out_.table_bytes_ += split.first.bytes();
    stage.n_words = 1;
    stage.split.push_back(std::move(split));
  }

  void add_given(const CountLaw::Stage& law, std::vector<Arm>& arms, Stage& stage) {
    TRIALWRIGHT_EXPECT(law.first_size.empty() && law.given.size() == arms.size());
    for (std::size_t a = 0; a < arms.size(); ++a) {
      arms[a].size = law.given[a];
      if (!arms[a].is_random()) continue;
      arms[a].size_column = n_scratch_++;
      stage.given.push_back({a, arms[a].left, arms[a].size_column, arms[a].size});
    }
  }

  bool add_draws(const CountLaw::Arm& law, const Arm& arm, std::size_t first_word,
                 std::size_t word_step, Stage& stage) {
    double total = 0;
    for (const auto& cell : law.cells) total += cell.probability;
    TRIALWRIGHT_EXPECT(total > 1 - 1e-6 && total < 1 + 1e-6);
    double rest = total;
    Range left = arm.size;
    const std::size_t n_draws = law.cells.size() - 1;
    for (std::size_t j = 0; j < n_draws; ++j) {
      Draw draw;
      draw.word = first_word + j * word_step;
      draw.cell = arm.first_cell + j;
      draw.left = arm.left;
      draw.is_last = j + 1 == n_draws;
      draw.fewest = left.lowest;
      if (!add_tables(left, share(law.cells[j].probability, rest), draw)) return false;
      rest -= law.cells[j].probability;
      draw.after = window(arm.size, share(rest, total));
      left = draw.after;
      stage.n_words = std::max(stage.n_words, draw.word + 1);
      stage.draws.push_back(std::move(draw));
    }
    return true;
  }

  bool add_tables(const Range& left, double probability, Draw& draw) {
    const bool is_fixed = left.lowest == left.highest;
    for (int n = left.lowest; n <= left.highest; ++n) {
      draw.tables.push_back(rng::CountTable::binomial(
          n, probability, is_fixed ? rng::CountTable::k_guide_bits : k_family_guide_bits));
      out_.table_bytes_ += draw.tables.back().bytes();
      if (out_.table_bytes_ > k_most_table_bytes) return false;
    }
    return true;
  }

  void add_part(const CountLaw::Arm& law, const Arm& arm, std::size_t column, Stage& stage) {
    const auto is_in = [&](const CountLaw::Cell& cell) {
      return std::binary_search(cell.columns.begin(), cell.columns.end(), column);
    };
    double probability = 0, total = 0;
    for (const auto& cell : law.cells) {
      total += cell.probability;
      if (is_in(cell)) probability += cell.probability;
    }
    if (std::none_of(law.cells.begin(), law.cells.end(), is_in)) return;
    // A set with the last cell is the arm without the others.
    const bool is_rest = is_in(law.cells.back());
    Part part{column, 0, n_parts_[column] == 0, {}, {}};
    if (is_rest && arm.is_random()) part.plus.push_back(arm.size_column);
    if (is_rest && !arm.is_random()) part.constant = arm.size.lowest;
    for (std::size_t j = 0; j + 1 < law.cells.size(); ++j) {
      if (is_in(law.cells[j]) == is_rest) continue;
      (is_rest ? part.minus : part.plus).push_back(arm.first_cell + j);
    }
    const bool is_all = is_rest && part.minus.empty();
    const Range range = is_all ? arm.size : window(arm.size, share(probability, total));
    const bool is_first_draw = !is_rest && part.plus.size() == 1 && part.plus[0] == arm.first_cell;
    if (!is_all && !(is_first_draw && !arm.is_random())) may_leave_range_[column] = true;
    out_.ranges_[column].lowest += range.lowest;
    out_.ranges_[column].highest += range.highest;
    ++n_parts_[column];
    stage.parts.push_back(std::move(part));
  }

  static double share(double part, double whole) {
    return whole > 0 ? std::clamp(part / whole, 0.0, 1.0) : 0.0;
  }
  // Where the number lies of those of an arm who are in cells of this probability.
  static Range window(const Range& size, double probability) {
    return {rng::CountTable::binomial(size.lowest, probability).first(),
            rng::CountTable::binomial(size.highest, probability).last()};
  }

  const CountLaw& law_;
  CountSampler& out_;
  std::size_t n_scratch_ = 0;
  std::vector<int> n_parts_;           // [column]
  std::vector<bool> may_leave_range_;  // [column]
};

std::optional<CountSampler> CountSampler::compile(const CountLaw& law) {
  CountSampler result;
  if (!Compiler(law, result).run()) return std::nullopt;
  return result;
}

// Trials first_trial + i, i < n, whose counts stand from row `row` on.
struct CountSampler::Chunk {
  rng::Address address;  // of the first trial in the stage at hand
  std::size_t n;
  std::size_t row;
  Scratch& scratch;
  base::Columns<std::int32_t>& counts;
  const base::Columns<std::int32_t>* sizes = nullptr;

  // Gives the further bits of trial i's word.
  auto further(std::size_t i, std::size_t word) const {
    return [this, i, word] {
      rng::Address at = address;
      at.trial += i;
      return rng::Stream(at).word(k_further_bits + static_cast<std::uint32_t>(word));
    };
  }
};

void CountSampler::draw_words(const Stage& stage, const Chunk& chunk) {
  for (std::size_t word = 0; word < stage.n_words; word += 4) {
    rng::WordColumns columns{};
    for (std::size_t k = 0; k < 4 && word + k < stage.n_words; ++k)
      columns[k] = chunk.scratch.words[word + k].data();
    rng::fill_words_of_trials(chunk.address, static_cast<std::uint32_t>(word / 4), chunk.n, columns);
  }
}

void CountSampler::draw_counts(const Stage& stage, const Chunk& chunk) {
  auto& work = chunk.scratch.counts;
  const std::size_t n = chunk.n;
  for (const auto& fixed : stage.fixed) std::fill_n(work[fixed.left].begin(), n, fixed.n_patients);
  for (const auto& given : stage.given) {
    const std::int32_t* from = (*chunk.sizes)[given.i_arm].data() + chunk.row;
    for (std::size_t i = 0; i < n; ++i)
      work[given.left][i] = work[given.size][i] =
          std::clamp(from[i], given.range.lowest, given.range.highest);
  }
  for (const auto& split : stage.split) {
    const std::uint32_t* words = chunk.scratch.words[0].data();
    for (std::size_t i = 0; i < n; ++i) {
      const std::int32_t first = split.first.draw(words[i], chunk.further(i, 0));
      const std::int32_t rest = split.n_patients - first;
      work[split.left[0]][i] = work[split.size[0]][i] = first;
      work[split.left[1]][i] = work[split.size[1]][i] = rest;
    }
  }
  for (const auto& draw : stage.draws) {
    const std::uint32_t* words = chunk.scratch.words[draw.word].data();
    std::int32_t* cell = work[draw.cell].data();
    std::int32_t* left = work[draw.left].data();
    if (draw.tables.size() == 1) {
      const rng::CountTable& table = draw.tables.front();
      table.draw({words, n}, cell, [&](std::size_t i) { return chunk.further(i, draw.word)(); });
    } else {
      for (std::size_t i = 0; i < n; ++i)
        cell[i] = draw.tables[static_cast<std::size_t>(left[i] - draw.fewest)].draw(
            words[i], chunk.further(i, draw.word));
    }
    if (draw.is_last) continue;
    for (std::size_t i = 0; i < n; ++i)
      left[i] = std::clamp(left[i] - cell[i], draw.after.lowest, draw.after.highest);
  }
}

void CountSampler::add_parts(const Stage& stage, const Chunk& chunk) {
  for (const auto& part : stage.parts) {
    std::int32_t* out = chunk.counts[part.column].data() + chunk.row;
    const auto each = [&](const std::vector<std::size_t>& columns, auto&& change) {
      for (const std::size_t column : columns) {
        const std::int32_t* from = chunk.scratch.counts[column].data();
        for (std::size_t i = 0; i < chunk.n; ++i) out[i] = change(out[i], from[i]);
      }
    };
    if (part.is_first)
      std::fill_n(out, chunk.n, part.constant);
    else if (part.constant != 0)
      for (std::size_t i = 0; i < chunk.n; ++i) out[i] += part.constant;
    each(part.plus, [](std::int32_t a, std::int32_t b) { return a + b; });
    each(part.minus, [](std::int32_t a, std::int32_t b) { return a - b; });
  }
}

void CountSampler::clamp(std::span<const std::size_t> columns, const Chunk& chunk) const {
  for (const std::size_t column : columns) {
    std::int32_t* out = chunk.counts[column].data() + chunk.row;
    const Range range = ranges_[column];
    for (std::size_t i = 0; i < chunk.n; ++i) out[i] = std::clamp(out[i], range.lowest, range.highest);
  }
}

void CountSampler::draw(rng::Key key, std::uint64_t first_trial, std::size_t n_trials, Scratch& scratch,
                        base::Columns<std::int32_t>& counts) const {
  TRIALWRIGHT_EXPECT(n_trials <= counts.n_rows() && counts.n_columns() >= ranges_.size());
  scratch.words.resize(k_chunk, n_words_);
  scratch.counts.resize(k_chunk, n_scratch_);
  for (std::size_t row = 0; row < n_trials; row += k_chunk) {
    Chunk chunk{{key, rng::Purpose::counts, first_trial + row, 0},
                std::min(k_chunk, n_trials - row),
                row,
                scratch,
                counts,
                nullptr};
    for (std::size_t stage = 0; stage < stages_.size(); ++stage) {
      chunk.address.unit = static_cast<std::uint32_t>(stage);
      draw_words(stages_[stage], chunk);
      draw_counts(stages_[stage], chunk);
      add_parts(stages_[stage], chunk);
    }
    clamp(clamped_, chunk);
  }
}

void CountSampler::draw_stage(std::size_t i_stage, rng::Key key, std::uint64_t first_trial,
                              std::size_t row, std::size_t n, Scratch& scratch,
                              base::Columns<std::int32_t>& counts,
                              const base::Columns<std::int32_t>& sizes) const {
  TRIALWRIGHT_EXPECT(n <= k_chunk && row + n <= counts.n_rows() &&
                     counts.n_columns() >= ranges_.size());
  scratch.words.resize(k_chunk, n_words_);
  scratch.counts.resize(k_chunk, n_scratch_);
  const Chunk chunk{{key, rng::Purpose::counts, first_trial, static_cast<std::uint32_t>(i_stage)},
                    n,
                    row,
                    scratch,
                    counts,
                    &sizes};
  draw_words(stages_[i_stage], chunk);
  draw_counts(stages_[i_stage], chunk);
  add_parts(stages_[i_stage], chunk);
  clamp(stages_[i_stage].clamped, chunk);
}

}  // namespace trialwright::trial
