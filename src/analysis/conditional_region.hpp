// Rejection regions of exact tests, stored by the total number of responders.
#pragma once

#include <vector>

namespace trialwright::analysis {

// For arm sizes (n_1, n_0) and each total m of responders, the values of x_1 that are accepted: an
// interval. Every exact test here is monotone in x_1 given m, so this is the whole region.
class ConditionalRegion {
 public:
  struct Accepted {
    int from = 0;
    int to = 0;
  };

  ConditionalRegion(int n_1, int n_0);  // accepts every table

  int n_1() const { return n_1_; }
  int n_0() const { return n_0_; }
  Accepted& accepted(int total) { return accepted_[static_cast<std::size_t>(total)]; }
  const Accepted& accepted(int total) const { return accepted_[static_cast<std::size_t>(total)]; }

  bool rejects(int x_1, int x_0) const {
    const Accepted& keep = accepted(x_1 + x_0);
    return x_1 < keep.from || x_1 > keep.to;
  }

 private:
  int n_1_;
  int n_0_;
  std::vector<Accepted> accepted_;
};

}  // namespace trialwright::analysis
