// Boundaries of group sequential designs: families, spending functions, and the critical values that a
// design's looks come to, planned or at the information really there.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/named_table.hpp"
#include "sequential/recursion.hpp"

namespace trialwright::sequential {

// Everything here is one-sided on the z scale with an upper efficacy boundary; a two-sided trial has
// one on each side. Information is a fraction of the planned final one.
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
    {"piecewise", "spends linearly between the points of `spending`: [{information: t, share: s}, ...]",
     "Jennison & Turnbull 2000, section 7.2", Family::piecewise},
    {"user", "the critical values (z) or the alpha spent by each look, as given", "", Family::user},
}};

// Is it defined by the alpha spent, so that the looks may fall where they like?
bool is_spending(Family family);

// Does it take a parameter, and which stands where none is given?
struct ParameterRule {
  bool taken = false;
  std::optional<double> usual;  // none: one has to be given
  double least = 0;
  double most = 0;
};
ParameterRule parameter_rule(Family family);

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

// The same of information fractions: 1 to 20, positive, each above the last by k_least_growth of it.
// Whether the last one is 1 is left to the caller.
std::optional<std::string> check_information(std::span<const double> information);

// Cumulative error spent at an information fraction; alpha itself from 1 on. Spending families only.
double spent(const BoundarySpec& spec, double alpha, double information);

// Beta-spending futility: spends type II error beta by the spending families, or as a user's
// alpha_spent says (ending with beta).
struct FutilitySpec {
  BoundarySpec spending{Family::hwang_shih_decani, -2, {}, {}, {}};
  double beta = 0.1;
};
std::optional<std::string> check(const FutilitySpec& spec, double alpha, int n_looks);
enum class Binding { non_binding, binding };

// What a design's boundaries come to. [i_look]; futility_z and harm_z are -infinity where there is
// none.
struct Boundary {
  std::vector<double> information;
  // Type I error spent so far on the upper side: under the null, of trials that heed the lower
  // boundaries where these are binding.
  std::vector<double> alpha_spent;
  std::vector<double> efficacy_z;
  std::vector<double> futility_z;
  std::vector<double> harm_z;
  // Expected z at information 1 that gives power 1 - beta; of designs with beta spending.
  double drift = 0;
};

// The efficacy boundary at these information fractions (ascending, the last one 1 but for under- and
// over-running trials: the last look spends all that is left of alpha), by recursive numerical
// integration (Armitage, McPherson & Rowe 1969; Jennison & Turnbull 2000, chapter 19). `futility_z`
// (empty: none), where binding, gives back the alpha that it saves. A user's critical values stand as
// given, whatever they spend. Good to 1e-12 in z. 20 looks: 1 ms where alpha is spent, ten times as
// much for one constant of all looks.
Boundary efficacy_boundary(const BoundarySpec& spec, double alpha, std::span<const double> information,
                           std::span<const double> futility_z = {});

// Both boundaries and the drift at which the power is 1 - beta; the two meet at the last look. Binding
// or not, the type II error counts trials that stopped for futility. A futility bound never exceeds the
// efficacy bound.
Boundary boundary_with_futility(const BoundarySpec& efficacy, double alpha,
                                const FutilitySpec& futility, Binding binding,
                                std::span<const double> information);

// Both sides of a trial that stops on either, each with its own family and level (asymmetric where they
// differ): under the null each side's crossing probabilities spend its alpha exactly, of trials that
// heed the other side's stops too. The lower boundary is in harm_z.
Boundary two_sided_boundary(const BoundarySpec& upper, double alpha_upper, const BoundarySpec& lower,
                            double alpha_lower, std::span<const double> information);

// Probabilities to cross at each look, first of all looks, under a drift (expected z at information 1).
// z >= efficacy_z counts as efficacy, then z <= harm_z as harm and z <= futility_z as futility; each of
// the lower boundaries may be empty.
struct CrossingProbabilities {
  std::vector<double> efficacy;  // [i_look]
  std::vector<double> futility;
  std::vector<double> harm;
};
CrossingProbabilities crossing_probabilities(std::span<const double> information,
                                             std::span<const double> efficacy_z,
                                             std::span<const double> futility_z, double drift);
CrossingProbabilities crossing_probabilities(const Boundary& boundary, double drift);

// Sum of the efficacy probabilities.
double power(const CrossingProbabilities& crossing);

// Expected information at the end of the trial (the last look at the latest), of the crossing
// probabilities at the looks' information.
double expected_information(std::span<const double> information, const CrossingProbabilities& crossing);

// The drift that gives this power (0 < power < 1), stops for futility and harm heeded.
double drift_for_power(const Boundary& boundary, double power);

// The design's maximum information as a multiple of a fixed design's of the same level and power:
// drift^2 / (z_alpha + z_beta)^2. Jennison & Turnbull 2000, section 2.3 (R).
double inflation_factor(double drift, double alpha, double power);

// Boundaries of a trial under way, look after look at the information really there. Made once a plan,
// const, shared by threads; `Path` is one trial's (or one table's) and allocates only on first use. The
// same bits everywhere: + - * / and math/ alone. A look costs 3 us at first and some 10 to 15 us later
// (55 us where 20 looks are equally spaced); with futility twice as much.
class RunningBoundary {
 public:
  // Of families that spend, alpha is spent at the information really there. Of the others the interim
  // values stand as planned (of obrien_fleming, pocock and wang_tsiatis at the information really
  // there) as long as alpha lasts. The final look spends all of alpha that is left, but for a user's z,
  // which stand.
  RunningBoundary(BoundarySpec spec, double alpha, std::vector<double> planned_information);
  // With futility by beta spending under the drift that the plan comes to.
  RunningBoundary(BoundarySpec spec, double alpha, std::vector<double> planned_information,
                  FutilitySpec futility, Binding binding);

  struct Path {
    std::vector<double> information;  // of the looks so far that had grown
    std::vector<double> efficacy_z;
    std::vector<double> futility_z;
    double spent = 0;
    double beta_spent = 0;
    Recursion null;
    Recursion alternative;  // under the plan's drift; of futility
  };
  void start(Path& path) const;

  enum class Look { interim, final };
  struct Bounds {
    double efficacy_z;
    double futility_z;  // -infinity where there is none; efficacy_z at the final look
  };
  // The critical values of the next look, at a fraction of the planned final information that may
  // exceed 1. Where it has not grown (by k_least_growth of the last look's), an interim look has the
  // bounds infinity and -infinity and spends nothing, and the final look, the same data again, has the
  // critical value that spends what is left of alpha on them. Exact for the correlation that the looks
  // have.
  Bounds next_bounds(Path& path, double information, Look look) const;
  double next(Path& path, double information, Look look) const {
    return next_bounds(path, information, look).efficacy_z;
  }

  // After `next`: trials with z <= futility_z at that look have stopped, and the alpha saved is spent
  // later. For binding futility by other rules than beta spending, and for the other side of a
  // two-sided trial.
  void heed(Path& path, double futility_z) const;

  // The boundaries at the planned information.
  const Boundary& planned() const { return planned_; }

 private:
  double efficacy_z(Path& path, double information, Look look) const;
  double futility_z(Path& path, double information, double efficacy_z) const;

  BoundarySpec spec_;
  double alpha_;
  std::optional<FutilitySpec> futility_;
  Binding binding_ = Binding::non_binding;
  Boundary planned_;
};

}  // namespace trialwright::sequential
