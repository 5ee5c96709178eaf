// Boundaries of group sequential designs: families, spending functions, and the critical values that a
// design's looks come to, planned or at the information really there.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/named_table.hpp"

namespace trialwright::sequential {

// Everything here is one-sided on the z scale with an upper efficacy boundary; a two-sided trial has one
// on each side. Information is a fraction of the planned final one.
inline constexpr int k_most_looks = 20;

enum class Family {
  obrien_fleming,
  pocock,
  wang_tsiatis,
  haybittle_peto,
  lan_demets_obrien_fleming,
  lan_demets_pocock,
  hwang_shih_decani,
  kim_demets,
  piecewise,
  user,
};

inline constexpr std::array<base::Named<Family>, 10> k_families{{
    {"obrien_fleming", "critical values falling as 1 / sqrt(information)", "O'Brien & Fleming 1979",
     Family::obrien_fleming},
    {"pocock", "one critical value for every look", "Pocock 1977", Family::pocock},
    {"wang_tsiatis", "critical values in proportion to information^(parameter - 1/2)",
     "Wang & Tsiatis 1987", Family::wang_tsiatis},
    {"haybittle_peto",
     "a fixed high critical value (parameter, 3) before the end; alpha is exhausted then",
     "Haybittle 1971; Peto et al. 1976", Family::haybittle_peto},
    {"lan_demets_obrien_fleming", "spends 2 - 2 Phi(z(1 - alpha/2) / sqrt(t))", "Lan & DeMets 1983",
     Family::lan_demets_obrien_fleming},
    {"lan_demets_pocock", "spends alpha ln(1 + (e - 1) t)", "Lan & DeMets 1983",
     Family::lan_demets_pocock},
    {"hwang_shih_decani", "spends alpha (1 - e^(-g t)) / (1 - e^-g), g the parameter",
     "Hwang, Shih & DeCani 1990", Family::hwang_shih_decani},
    {"kim_demets", "spends alpha t^r, r the parameter", "Kim & DeMets 1987", Family::kim_demets},
    {"piecewise", "spends linearly between the points given as `spending`: [[t, share of alpha], ...]",
     "Jennison & Turnbull 2000, section 7.2", Family::piecewise},
    {"user", "the critical values (z) or the alpha spent by each look, as given", "", Family::user},
}};

// Is it defined by the alpha spent, so that the looks may fall where they like?
bool is_spending(Family family);

struct SpendingPoint {
  double information = 0;
  double share = 0;  // of alpha, cumulative
};

// An efficacy (or harm) boundary of one side.
struct BoundarySpec {
  Family family = Family::lan_demets_obrien_fleming;
  std::optional<double> parameter;  // of wang_tsiatis, haybittle_peto, hwang_shih_decani, kim_demets
  std::vector<SpendingPoint> spending;  // of piecewise
  std::vector<double> z;                // of user: critical value at each look
  std::vector<double> alpha_spent;      // of user: cumulative at each look (instead of z)
};

// What is wrong with a specification ("problem (why)"), or nothing. n_looks 0: not known.
std::optional<std::string> check(const BoundarySpec& spec, double alpha, int n_looks);

// Cumulative error spent at an information fraction; alpha itself from 1 on. Spending families only.
double spent(const BoundarySpec& spec, double alpha, double information);

// Beta-spending futility: spends type II error beta by the same families.
struct FutilitySpec {
  BoundarySpec spending{Family::hwang_shih_decani, -2, {}, {}, {}};
  double beta = 0.1;
};
enum class Binding { non_binding, binding };

// What a design's boundaries come to. [i_look]; futility_z (harm_z) is -infinity where there is none.
struct Boundary {
  std::vector<double> information;
  std::vector<double> alpha_spent;  // cumulative
  std::vector<double> efficacy_z;
  std::vector<double> futility_z;
  double drift =
      0;  // expected z at information 1 that gives power 1 - beta; of designs with beta spending
};

// The efficacy boundary at these information fractions (ascending, the last one 1 but for under-running
// trials), by recursive numerical integration (Armitage, McPherson & Rowe 1969; Jennison & Turnbull 2000,
// chapter 19). `futility_z` (empty: none), where binding, gives back the alpha that it saves.
Boundary efficacy_boundary(const BoundarySpec& spec, double alpha, std::span<const double> information,
                           std::span<const double> futility_z = {});

// Both boundaries and the drift at which the power is 1 - beta; the two meet at the last look.
Boundary boundary_with_futility(const BoundarySpec& efficacy, double alpha,
                                const FutilitySpec& futility, Binding binding,
                                std::span<const double> information);

// Probabilities to cross at each look, first of all looks, under a drift (expected z at information 1).
struct CrossingProbabilities {
  std::vector<double> efficacy;  // [i_look]
  std::vector<double> futility;
};
CrossingProbabilities crossing_probabilities(std::span<const double> information,
                                             std::span<const double> efficacy_z,
                                             std::span<const double> futility_z, double drift);

// The drift that gives this power.
double drift_for_power(const Boundary& boundary, double power);

// Boundaries of a trial under way, look after look at the information really there. Made once a plan,
// const, shared by threads; `Path` is one trial's (or one table's) and allocates only on first use.
// The same bits everywhere: + - * / and math/ alone.
class RunningBoundary {
 public:
  // Of families that spend; of the others the planned critical values stand (of obrien_fleming, pocock and
  // wang_tsiatis scaled by the information really there).
  RunningBoundary(BoundarySpec spec, double alpha, std::vector<double> planned_information);

  struct Path {
    std::vector<double> information;
    std::vector<double> efficacy_z;
    std::vector<double> density;  // of the score process that has not crossed
    std::vector<double> nodes;
    double spent = 0;
  };
  void start(Path& path) const;
  // The critical value of the next look, at information > the last one's (of information that has not
  // grown: infinity, nothing is spent). `final`: all of alpha that is left is spent, whatever the
  // information; the critical value is then exact for the correlation that the looks have.
  enum class Look { interim, final };
  double next(Path& path, double information, Look look) const;

 private:
  BoundarySpec spec_;
  double alpha_;
  std::vector<double> planned_information_;
  std::vector<double> planned_z_;
};

}  // namespace trialwright::sequential
