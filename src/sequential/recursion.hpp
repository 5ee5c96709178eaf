// The score process of a trial that goes on, one look at a time, by recursive numerical integration:
// the block of which boundaries, powers and sequential p-values are made.
#pragma once

#include <span>
#include <vector>

namespace trialwright::sequential {

// The most looks of any design, the last one included.
inline constexpr int k_most_looks = 20;

// The increments' growth, relative to the information reached, below which a look adds nothing: the
// kernel is then too narrow to be integrated.
inline constexpr double k_least_growth = 1e-4;

// B = z sqrt(information) is a Brownian motion with a drift (expected z at information 1). At each look
// its sub-density on the paths that have not left the continuation regions so far is held on composite
// Gauss-Legendre panels of 16 nodes, no wider than 6.5 standard deviations of what is integrated, from
// 7.5 standard deviations below to 9 above its mean or to the region's ends. Probabilities are good to
// about 1e-13, in the upper tail also relative. Armitage, McPherson & Rowe 1969; Jennison & Turnbull
// 2000, chapter 19, whose Simpson's rule this replaces.
//
//   Recursion process(drift);
//   process.look(0.5); double p1 = process.above(z1); process.go_on(f1, z1);
//   process.look(1.0); double p2 = process.above(z2);
//
// + - * /, square roots and math/ alone: the same bits everywhere. Allocates when a look needs more
// nodes than any before; a copy or `start` uses them again. A look costs one exponential a pair of
// nodes within twelve standard deviations of each other, the first two looks none: some 10 us where a
// few looks are equally spaced, 40 us where 20 are; a tail costs one distribution function a node, some
// 1 us.
class Recursion {
 public:
  Recursion() { start(0); }
  explicit Recursion(double drift) { start(drift); }

  // Begins anew, at information 0.
  void start(double drift);

  // The next look stands at this information, above the last one's by at least k_least_growth of it.
  // Without go_on in between, no trial stops at the look before.
  void look(double information);

  // Of all trials under this drift, the share that has gone on until this look and has z there at least
  // (at most) this.
  double above(double z) const;
  double below(double z) const;
  // The same per unit of z: the sub-density of z at this look.
  double density(double z) const;
  // The share that has gone on until this look.
  double reached() const;

  // The z with above(z) = p (below(z) = p), to 1e-13; of p <= 0 and of p >= reached() infinite, on the
  // side where none (all) is cut off.
  double upper_z(double p) const;
  double lower_z(double p) const;

  // The trial goes on where lower_z < z < upper_z; both may be infinite, and nothing goes on where they
  // meet.
  void go_on(double lower_z, double upper_z);

  // Information of this look; of the last one before; the drift.
  double information() const { return information_; }
  double last_information() const { return last_information_; }
  double drift() const { return drift_; }

  // For callers that integrate functions of their own over the state at the last look: B there and the
  // probability that stands at it (quadrature weight included).
  std::span<const double> nodes() const { return nodes_; }
  std::span<const double> masses() const { return masses_; }

 private:
  void place_nodes(double next_growth);
  void move_density();
  double standardized(double z) const;

  double drift_ = 0;
  double information_ = 0;
  double last_information_ = 0;
  // Where the trial goes on from the look at information_, on the scale of B; until then the nodes are
  // those of the look before, since their spacing depends on where the next look falls.
  double lower_ = 0;
  double upper_ = 0;
  std::vector<double> nodes_;
  std::vector<double> masses_;
  std::vector<double> new_nodes_;
  std::vector<double> new_masses_;
  std::vector<double> sums_;
};

}  // namespace trialwright::sequential
