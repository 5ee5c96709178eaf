// Draws the counts of many trials at a time from a law, compiled into tables.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/columns.hpp"
#include "rng/count_table.hpp"
#include "rng/stream.hpp"
#include "trial/count_law.hpp"

namespace trialwright::trial {

// A stage's multinomials are drawn cell by cell, each count binomial given the patients left, by a
// table for each number that can be left (Davis 1993, "The computer generation of multinomial random
// variates", Computational Statistics & Data Analysis 16:205-217).
//
// Draws: address (counts, trial, unit = stage). Word 0 is the size of the first arm where that is
// random; then word j n_arms + a is draw j of arm a. The further bits that a word may need are word
// 2^31 + its number. Of stages whose sizes are given words are numbered as though they were fixed.
class CountSampler {
 public:
  static constexpr std::size_t k_most_table_bytes = std::size_t{32} << 20;

  using Range = CountRange;
  // One thread's memory.
  struct Scratch {
    base::Columns<std::uint32_t> words;
    base::Columns<std::int32_t> counts;
  };

  // nullopt where the tables would take more than k_most_table_bytes.
  static std::optional<CountSampler> compile(const CountLaw& law);

  // [column]: counts outside have together less than 1e-15 of the probability, and are never drawn.
  const std::vector<Range>& ranges() const { return ranges_; }
  std::size_t table_bytes() const { return table_bytes_; }

  static constexpr std::size_t k_chunk = 256;  // trials drawn together: words and counts stay in L1

  // Column c, row i of `counts` = count c of trial first_trial + i, i < n_trials <= its rows. Allocates
  // nothing where `scratch` has been used before with this sampler. No stage has given sizes.
  void draw(rng::Key key, std::uint64_t first_trial, std::size_t n_trials, Scratch& scratch,
            base::Columns<std::int32_t>& counts) const;
  // One stage of trials first_trial … first_trial + n - 1, n <= k_chunk, into rows from `row` on.
  // Stages of a trial are drawn in ascending order, and no two of them add to the same column. sizes[a]
  // is the column of arm a's sizes, of as many rows as `counts`, where the stage's are given; else it
  // is not read.
  void draw_stage(std::size_t i_stage, rng::Key key, std::uint64_t first_trial, std::size_t row,
                  std::size_t n, Scratch& scratch, base::Columns<std::int32_t>& counts,
                  const base::Columns<std::int32_t>& sizes) const;

 private:
  // A count given the patients left; places are columns of the scratch.
  struct Draw {
    std::size_t word = 0;
    std::size_t cell = 0;
    std::size_t left = 0;                 // patients left, before; and after, unless it is the last
    bool is_last = false;                 // of its arm
    Range after;                          // window of those left after
    int fewest = 0;                       // tables[i] is for fewest + i left
    std::vector<rng::CountTable> tables;  // one: the number left is fixed
  };
  // The size of the first arm, where it is random.
  struct Split {
    rng::CountTable first;
    int n_patients = 0;
    std::size_t left[2]{};  // of both arms: set to the size, and stays so in `size`
    std::size_t size[2]{};
  };
  struct Fixed {
    std::size_t left = 0;
    std::int32_t n_patients = 0;
  };
  // An arm's size that is given: the patients left, and the size itself, which stays.
  struct Given {
    std::size_t i_arm = 0;
    std::size_t left = 0;
    std::size_t size = 0;
    Range range;
  };
  // What a column takes from an arm: a number or the arm's size, and cells added or taken away.
  struct Part {
    std::size_t column = 0;
    std::int32_t constant = 0;
    bool is_first = false;  // of its column: sets it
    std::vector<std::size_t> plus;
    std::vector<std::size_t> minus;
  };
  struct Stage {
    std::size_t n_words = 0;
    std::vector<Split> split;  // none or one
    std::vector<Fixed> fixed;  // arms of fixed size whose patients left are followed
    std::vector<Given> given;
    std::vector<Draw> draws;
    std::vector<Part> parts;
    std::vector<std::size_t> clamped;  // columns whose parts could leave the range together
  };
  class Compiler;
  struct Chunk;

  static void draw_words(const Stage& stage, const Chunk& chunk);
  static void draw_counts(const Stage& stage, const Chunk& chunk);
  static void add_parts(const Stage& stage, const Chunk& chunk);
  void clamp(std::span<const std::size_t> columns, const Chunk& chunk) const;

  std::vector<Stage> stages_;
  std::vector<Range> ranges_;
  std::vector<std::size_t> clamped_;  // of all stages
  std::size_t n_scratch_ = 0;
  std::size_t n_words_ = 0;
  std::size_t table_bytes_ = 0;
};

}  // namespace trialwright::trial
