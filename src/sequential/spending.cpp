#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "base/contract.hpp"
#include "math/normal.hpp"
#include "sequential/boundary.hpp"

namespace trialwright::sequential {

namespace {

constexpr double k_e_minus_1 = 1.71828182845904523536;

std::string_view name_of(Family family) {
  return base::name_of(std::span<const base::Named<Family>>(k_families), family);
}

double interpolated(const std::vector<SpendingPoint>& points, double t) {
  SpendingPoint before;
  for (const auto& point : points) {
    if (t <= point.information)
      return before.share + (point.share - before.share) * (t - before.information) /
                                (point.information - before.information);
    before = point;
  }
  return before.share;
}

std::optional<std::string> check_parameter(const BoundarySpec& spec) {
  const ParameterRule rule = parameter_rule(spec.family);
  const std::string_view name = name_of(spec.family);
  if (!rule.taken) {
    if (spec.parameter) return fmt::format("{} with a parameter (it takes none)", name);
    return std::nullopt;
  }
  if (!spec.parameter) {
    if (!rule.usual)
      return fmt::format("{} without a parameter (from {} to {})", name, rule.least, rule.most);
    return std::nullopt;
  }
  if (!(*spec.parameter >= rule.least && *spec.parameter <= rule.most))
    return fmt::format("parameter {} of {} (from {} to {} is needed)", *spec.parameter, name,
                       rule.least, rule.most);
  return std::nullopt;
}

std::optional<std::string> check_points(const BoundarySpec& spec) {
  if (spec.family != Family::piecewise) {
    if (!spec.spending.empty())
      return fmt::format("{} with spending points (only piecewise takes them)", name_of(spec.family));
    return std::nullopt;
  }
  SpendingPoint before;
  for (const auto& point : spec.spending) {
    if (!(point.information > before.information && point.information <= 1))
      return fmt::format("spending at information {} (ascending fractions from 0 to 1 are needed)",
                         point.information);
    if (!(point.share >= before.share && point.share <= 1))
      return fmt::format(
          "a share of {} spent at information {} (shares of the error, never falling, up to 1, are needed)",
          point.share, point.information);
    before = point;
  }
  if (!(before.information == 1 && before.share == 1))
    return "spending that does not end with all of the error at information 1 (a last point of "
           "information 1 and share 1 is needed)";
  return std::nullopt;
}

std::optional<std::string> check_given(const BoundarySpec& spec, double alpha, int n_looks) {
  const bool given = !spec.z.empty() || !spec.alpha_spent.empty();
  if (spec.family != Family::user) {
    if (given)
      return fmt::format("{} with z or alpha_spent (only user takes them)", name_of(spec.family));
    return std::nullopt;
  }
  if (spec.z.empty() == spec.alpha_spent.empty())
    return "a user's boundary with both or none of z and alpha_spent (one is needed)";
  const auto n_given = static_cast<int>(spec.z.size() + spec.alpha_spent.size());
  if (n_looks > 0 && n_given != n_looks)
    return fmt::format("{} values of a user's boundary for {} look{} (one each is needed)", n_given,
                       n_looks, n_looks == 1 ? "" : "s");
  for (const double z : spec.z)
    if (!(z >= -10 && z <= 10)) return fmt::format("critical value {} (from -10 to 10 is needed)", z);
  double before = 0;
  for (const double spent : spec.alpha_spent) {
    if (!(spent >= before && spent <= alpha))
      return fmt::format("{} spent by a look (cumulative, never falling, up to {} is needed)", spent,
                         alpha);
    before = spent;
  }
  if (!spec.alpha_spent.empty() && before != alpha)
    return fmt::format("{} spent by the last look (all of {} is needed)", before, alpha);
  return std::nullopt;
}

}  // namespace

bool is_spending(Family family) {
  switch (family) {
    case Family::lan_demets_obrien_fleming:
    case Family::lan_demets_pocock:
    case Family::hwang_shih_decani:
    case Family::kim_demets:
    case Family::piecewise:
      return true;
    case Family::obrien_fleming:
    case Family::pocock:
    case Family::wang_tsiatis:
    case Family::haybittle_peto:
    case Family::user:
      return false;
  }
  return false;
}

ParameterRule parameter_rule(Family family) {
  switch (family) {
    case Family::wang_tsiatis:
      return {true, std::nullopt, -1, 1};
    case Family::haybittle_peto:
      return {true, 3.0, 1, 10};
    case Family::hwang_shih_decani:
      return {true, std::nullopt, -40, 40};
    case Family::kim_demets:
      return {true, std::nullopt, 0.01, 50};
    case Family::obrien_fleming:
    case Family::pocock:
    case Family::lan_demets_obrien_fleming:
    case Family::lan_demets_pocock:
    case Family::piecewise:
    case Family::user:
      return {};
  }
  return {};
}

std::optional<std::string> check(const BoundarySpec& spec, double alpha, int n_looks) {
  if (!(alpha >= 1e-9 && alpha <= 0.5))
    return fmt::format("alpha {} (one-sided, from 1e-9 to 0.5, is needed)", alpha);
  if (n_looks < 0 || n_looks > k_most_looks)
    return fmt::format("{} looks (1 to {} are needed)", n_looks, k_most_looks);
  if (auto problem = check_parameter(spec)) return problem;
  if (auto problem = check_points(spec)) return problem;
  if (auto problem = check_given(spec, alpha, n_looks)) return problem;
  if (spec.family == Family::haybittle_peto && n_looks != 1 &&
      !(math::normal_survival(spec.parameter.value_or(3)) < alpha))
    return fmt::format("critical value {} before the end (one look alone would spend all of alpha {})",
                       spec.parameter.value_or(3), alpha);
  return std::nullopt;
}

std::optional<std::string> check(const FutilitySpec& spec, double alpha, int n_looks) {
  if (!(spec.beta >= 1e-6 && spec.beta <= 0.5 && spec.beta < 1 - alpha))
    return fmt::format("beta {} (from 1e-6 to 0.5, and below 1 - alpha, is needed)", spec.beta);
  const bool user_spends = spec.spending.family == Family::user && spec.spending.z.empty();
  if (!is_spending(spec.spending.family) && !user_spends)
    return fmt::format("futility by {} (a family that spends is needed)",
                       name_of(spec.spending.family));
  return check(spec.spending, spec.beta, n_looks);
}

std::optional<std::string> check_information(std::span<const double> information) {
  if (information.empty() || information.size() > k_most_looks)
    return fmt::format("{} looks (1 to {} are needed)", information.size(), k_most_looks);
  double before = 0;
  for (const double t : information) {
    if (!(t > 0 && t <= 1e6)) return fmt::format("information {} (above 0 is needed)", t);
    if (!(t >= before * (1 + k_least_growth)))
      return fmt::format("information {} after {} (it has to grow, by {} of itself at least)", t,
                         before, k_least_growth);
    before = t;
  }
  return std::nullopt;
}

double spent(const BoundarySpec& spec, double alpha, double information) {
  TRIALWRIGHT_EXPECT(is_spending(spec.family));
  if (information >= 1) return alpha;
  if (!(information > 0)) return 0;
  const double parameter = spec.parameter.value_or(0);
  switch (spec.family) {
    case Family::lan_demets_obrien_fleming:
      return 2 * math::normal_survival(-math::normal_quantile(0.5 * alpha) / std::sqrt(information));
    case Family::lan_demets_pocock:
      return alpha * math::log1p(k_e_minus_1 * information);
    case Family::hwang_shih_decani:
      return parameter == 0 ? alpha * information
                            : alpha * (math::expm1(-parameter * information) / math::expm1(-parameter));
    case Family::kim_demets:
      return alpha * math::pow(information, parameter);
    case Family::piecewise:
      return alpha * interpolated(spec.spending, information);
    case Family::obrien_fleming:
    case Family::pocock:
    case Family::wang_tsiatis:
    case Family::haybittle_peto:
    case Family::user:
      break;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

}  // namespace trialwright::sequential
