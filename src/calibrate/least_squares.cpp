#include "calibrate/least_squares.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "trialwright/error.hpp"

namespace trialwright::calibrate {
namespace {

constexpr std::uint64_t k_least_patients = 50'000;
constexpr double k_simulated_step = 0.03;  // on the parameters' unbounded scales
constexpr double k_exact_step = 1e-4;
constexpr double k_largest_move = 1.0;
constexpr int k_max_iterations = 40;
constexpr int k_max_tries = 8;
// Converged: the next step would move no rate by more than this, or this share of its standard error.
constexpr double k_exact_tolerance = 1e-12;
constexpr double k_simulated_tolerance = 1e-6;
constexpr double k_tolerance_in_errors = 0.05;

class Fit {
 public:
  explicit Fit(const Problem& problem) : problem_(problem) {
    for (const auto& parameter : problem.parameters)
      solution_.place.push_back(to_scale(parameter.scale, parameter.present));
  }

  Solution run() {
    const bool is_exact = problem_.model.is_exact();
    const std::uint64_t all = problem_.patients_per_arm;
    n_patients_ = is_exact ? all : std::min(all, std::max(k_least_patients, all / 10));
    evaluate_start();
    iterate(Jacobian::renewed);
    if (n_patients_ < all) {
      n_patients_ = all;
      evaluate_start();
      iterate(Jacobian::kept);
    }
    solution_.jacobian = jacobian(std::max(k_least_patients, n_patients_ / 5));
    return std::move(solution_);
  }

 private:
  enum class Jacobian { renewed, kept };

  std::vector<AchievedRate> rates(const Vector& place, std::uint64_t n_patients) {
    return problem_.model.at(problem_.parameters, values_at(problem_.parameters, place), n_patients,
                             RandomNumbers::of_fit);
  }

  Vector residuals(const std::vector<AchievedRate>& achieved) const {
    Vector result;
    for (std::size_t i = 0; i < achieved.size(); ++i)
      result.push_back(achieved[i].rate - problem_.targets[i]);
    return result;
  }

  double squares(const std::vector<AchievedRate>& achieved) const {
    const Vector r = residuals(achieved);
    return dot(r, product(problem_.weights, r));
  }

  void evaluate_start() {
    solution_.rates = rates(solution_.place, n_patients_);
    squares_ = squares(solution_.rates);
  }

  Matrix jacobian(std::uint64_t n_patients) {
    const double step = problem_.model.is_exact() ? k_exact_step : k_simulated_step;
    Matrix columns;
    for (std::size_t j = 0; j < solution_.place.size(); ++j) {
      Vector above = solution_.place, below = solution_.place;
      above[j] += step;
      below[j] -= step;
      const auto rates_above = rates(above, n_patients);
      const auto rates_below = rates(below, n_patients);
      auto& column = columns.emplace_back();
      for (std::size_t i = 0; i < rates_above.size(); ++i)
        column.push_back((rates_above[i].rate - rates_below[i].rate) / (2 * step));
    }
    return transpose(columns);
  }

  // The step of Levenberg (1944) and Marquardt (1963), bounded; a parameter that moves nothing stays.
  Vector step(double damping) const {
    const Matrix& j = solution_.jacobian;
    const Matrix weighted = product(transpose(j), problem_.weights);
    Matrix normal = product(weighted, j);
    for (std::size_t k = 0; k < normal.size(); ++k) normal[k][k] += damping * normal[k][k] + 1e-9;
    Vector move(normal.size(), 0.0);
    if (const auto inverted = inverse(normal))
      move = product(*inverted, product(weighted, residuals(solution_.rates)));
    for (double& m : move) m = std::clamp(-m, -k_largest_move, k_largest_move);
    return move;
  }

  bool is_negligible(const Vector& move) const {
    const Vector change = product(solution_.jacobian, move);
    for (std::size_t i = 0; i < change.size(); ++i) {
      const double least = problem_.model.is_exact() ? k_exact_tolerance : k_simulated_tolerance;
      const double error = std::sqrt(solution_.rates[i].variance);
      if (std::abs(change[i]) > std::max(least, k_tolerance_in_errors * error)) return false;
    }
    return true;
  }

  // Takes the step where it lessens the squares. Values that the study refuses are no step.
  bool try_step(const Vector& move) {
    Vector place = solution_.place;
    for (std::size_t i = 0; i < place.size(); ++i) place[i] += move[i];
    try {
      auto achieved = rates(place, n_patients_);
      const double after = squares(achieved);
      if (!(after < squares_)) return false;
      solution_.place = std::move(place);
      solution_.rates = std::move(achieved);
      squares_ = after;
      return true;
    } catch (const Error& error) {
      if (error.status() != ExitStatus::bad_input) throw;
      return false;
    }
  }

  void iterate(Jacobian use) {
    double damping = 0;
    int n_stalled = 0;
    solution_.converged = false;
    for (int i = 0; i < k_max_iterations; ++i) {
      if (use == Jacobian::renewed || solution_.jacobian.empty())
        solution_.jacobian = jacobian(n_patients_);
      if (is_negligible(step(0))) {
        solution_.converged = true;
        return;
      }
      const double before = squares_;
      bool taken = false;
      for (int k = 0; k < k_max_tries && !taken; ++k) {
        taken = try_step(step(damping));
        damping = taken ? (damping < 1e-3 ? 0 : damping / 10) : std::max(1e-3, damping * 10);
      }
      if (!taken) return;
      n_stalled = squares_ > 0.999 * before ? n_stalled + 1 : 0;
      if (n_stalled == 3) return;
    }
  }

  const Problem& problem_;
  Solution solution_;
  std::uint64_t n_patients_ = 0;
  double squares_ = std::numeric_limits<double>::infinity();
};

}  // namespace

Vector values_at(const std::vector<Parameter>& parameters, const Vector& place) {
  Vector values;
  for (std::size_t i = 0; i < parameters.size(); ++i)
    values.push_back(from_scale(parameters[i].scale, place[i]));
  return values;
}

Solution least_squares(const Problem& problem) {
  return Fit(problem).run();
}

}  // namespace trialwright::calibrate
