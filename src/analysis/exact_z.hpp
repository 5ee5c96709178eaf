// The z of exact tests of two rates, reckoned once a table.
#pragma once

#include <memory>

#include "analysis/choices.hpp"
#include "analysis/two_by_two.hpp"

namespace trialwright::analysis {

// z is the normal quantile of 1 - the one-sided p-value of fisher, fisher_midp, boschloo or
// z_pooled_exact, to the bit as test() has it; tables read as where higher is better. Tables met are
// remembered, of up to 1024 pairs of arm sizes and 256 MiB (what comes beyond is reckoned each time);
// so are the rates' distributions that boschloo and z_pooled_exact search (16 kB a patient of an arm,
// up to 256 MiB, beyond which such a table takes some ten times as long). Safe to share between threads
// and plans: a table has one z, whoever reckons it, and no call waits for another.
class ExactZ {
 public:
  ExactZ();
  ~ExactZ();
  ExactZ(const ExactZ&) = delete;
  ExactZ& operator=(const ExactZ&) = delete;

  // 0 for tables that say nothing: an empty arm, no responder or responders alone.
  double operator()(Method method, const TwoByTwo& table) const;

  // Is (*this)(method, table) > limit? Of boschloo and z_pooled_exact mostly without reckoning it: regions
  // of weaker evidence hold those of stronger, so a table whose p-value is known tells of all that are
  // stronger, or all that are weaker, than it. Known p-values count where they are off the limit's by
  // more than any search for a supremum misses (1% and 2e-6 a patient, relative); 64 limits of a pair
  // of arm sizes are remembered.
  bool exceeds(Method method, const TwoByTwo& table, double limit) const;

 private:
  struct Memory;
  std::unique_ptr<Memory> memory_;
};

}  // namespace trialwright::analysis
