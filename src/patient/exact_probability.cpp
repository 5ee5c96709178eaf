#include <algorithm>
#include <cmath>
#include <limits>

#include "base/contract.hpp"
#include "math/elementary.hpp"
#include "math/normal.hpp"
#include "math/quadrature.hpp"
#include "patient/patient_model_impl.hpp"

namespace trialwright::patient {

namespace {

constexpr double k_infinity = std::numeric_limits<double>::infinity();
constexpr double k_tolerance = 1e-9;  // of conditions on scores
constexpr std::size_t k_most_conditions = 12;
constexpr double k_reach = 8.5;  // normal scores beyond have less than 1e-16 of the probability

// Where a patient stands at baseline: a value of the driving covariate and its latent normal.
struct Place {
  double baseline = 0;
  double normal = 0;
  double weight = 0;
};

// The latent normal's interval of each point, from the points' probabilities.
std::vector<double> upper_ends(const std::vector<double>& probabilities) {
  std::vector<double> ends(probabilities.size());
  double below = 0, above = 0;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    below += probabilities[i];
    ends[i] = below < 0.5 ? math::normal_quantile(below) : k_reach;
  }
  for (std::size_t i = ends.size(); i-- > 1;) {
    above += probabilities[i];
    if (above <= 0.5) ends[i - 1] = above > 0 ? -math::normal_quantile(above) : k_reach;
  }
  for (double& end : ends) end = std::clamp(end, -k_reach, k_reach);
  return ends;
}

// The points of the driving covariate; with a term of its latent normal each is cut where that lies.
std::vector<Place> places(const Marginal& marginal, double baseline_effect) {
  const auto points = marginal.points();
  const auto probabilities = marginal.probabilities();
  std::vector<Place> result;
  if (baseline_effect == 0) {
    for (std::size_t i = 0; i < points.size(); ++i) result.push_back({points[i], 0, probabilities[i]});
    return result;
  }
  static const math::GaussLegendre rule(12);
  const auto ends = upper_ends(probabilities);
  double start = -k_reach;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const double width = ends[i] - start;
    const auto n_panels = static_cast<std::size_t>(std::max(1.0, std::ceil(2 * width)));
    const std::size_t first = result.size();
    double total = 0;
    for (std::size_t panel = 0; panel < n_panels && width > 0; ++panel) {
      const double half = width / static_cast<double>(2 * n_panels);
      const double centre = start + half * static_cast<double>(2 * panel + 1);
      for (std::size_t k = 0; k < rule.order(); ++k) {
        const double z = centre + half * rule.nodes()[k];
        result.push_back({points[i], z, rule.weights()[k] * half * math::exp(-0.5 * z * z)});
        total += result.back().weight;
      }
    }
    for (std::size_t k = first; k < result.size(); ++k) result[k].weight *= probabilities[i] / total;
    start = ends[i];
  }
  return result;
}

// Sums the joint law over the places of the driving covariate and the grades of it that matter.
class ResponseSum {
 public:
  ResponseSum(const PatientSpec& spec, const CourseTruth& truth, std::size_t arm,
              std::span<const ResponseCondition> conditions, std::span<const int> factors)
      : spec_(spec),
        truth_(truth),
        arm_(arm),
        conditions_(conditions),
        factors_(factors),
        driving_(static_cast<std::size_t>(spec.course.baseline_covariate)) {}

  ResponseLaw run();

 private:
  // What of a patient is read beside the score: grades of the driving covariate.
  struct Grade {
    std::size_t covariate = 0;
    std::vector<double> probabilities;  // at the place at hand, ineligible ones 0
    std::size_t at = 0;
  };

  std::string why_not() const;
  std::string why_no_course() const;
  std::string why_no_baseline() const;
  bool is_known(int covariate) const;
  void find_grades();
  void set_grades(const Place& place);
  bool next_grades();
  double value_of(std::size_t covariate, const Place& place) const;
  std::size_t level(std::size_t factor, const Place& place) const;
  double score_log_odds(const ResponseCondition& condition, double baseline) const;
  double shift(const Place& place) const;
  void add_patterns(std::size_t stratum, double weight, double shift);

  const PatientSpec& spec_;
  const CourseTruth& truth_;
  std::size_t arm_;
  std::span<const ResponseCondition> conditions_;
  std::span<const int> factors_;
  std::size_t driving_;
  double arm_shift_ = 0, effect_scale_ = 0, exponent_ = 1;
  std::vector<Grade> grades_;
  std::vector<std::pair<double, std::size_t>> bounds_;  // log odds of the score's bound, condition
  std::vector<double> sums_;
};

std::string ResponseSum::why_no_course() const {
  const auto& effects = spec_.course.effects;
  if (truth_.is_drawn()) return "every trial draws its own truth";
  if (spec_.events.rescue) return "rescue changes the scores of those whose disease is active";
  if (spec_.events.discontinuation) return "stopping the infusions takes away a share of the effect";
  if (effects.site) return "the course differs from site to site";
  if (effects.region) return "the course differs from region to region";
  for (const auto& condition : conditions_) {
    if (condition.measure != 0) return "a measure that follows the driving one has no closed form";
    if (condition.i_visit != conditions_.front().i_visit)
      return "scores of several visits are read together";
  }
  for (const auto& stratum : effects.strata) {
    const int covariate = spec_.population.strata()[static_cast<std::size_t>(stratum.factor)].covariate;
    if (!is_known(covariate))
      return "the course hangs on a factor that is not read off the measure's baseline";
  }
  return {};
}

std::string ResponseSum::why_no_baseline() const {
  const auto& population = spec_.population;
  if (population.covariates()[driving_].marginal.points().empty())
    return "the measure's baseline has no grid, or one too fine";
  for (const auto& rule : population.eligibility())
    if (!is_known(rule.covariate))
      return "eligibility is also by a covariate that is not read off the measure's baseline";
  for (const int factor : factors_) {
    const auto i = static_cast<std::size_t>(factor);
    if (i >= population.strata().size() || population.strata()[i].covariate < 0)
      return "a factor of the strata is where patients enrol";
    if (!is_known(population.strata()[i].covariate))
      return "a factor of the strata is not read off the measure's baseline";
  }
  return {};
}

std::string ResponseSum::why_not() const {
  if (conditions_.empty() && factors_.empty()) return {};
  const std::string reason = conditions_.empty() ? "" : why_no_course();
  return reason.empty() ? why_no_baseline() : reason;
}

// Is it the driving covariate or a grade of it?
bool ResponseSum::is_known(int covariate) const {
  if (covariate < 0) return false;
  const auto& grading = spec_.population.covariates()[static_cast<std::size_t>(covariate)].grading;
  return covariate == static_cast<int>(driving_) ||
         (grading && grading->of == static_cast<int>(driving_));
}

void ResponseSum::find_grades() {
  const auto& population = spec_.population;
  const auto add = [&](int covariate) {
    if (covariate < 0 || covariate == static_cast<int>(driving_)) return;
    const auto i = static_cast<std::size_t>(covariate);
    for (const auto& grade : grades_)
      if (grade.covariate == i) return;
    grades_.push_back({i, {}, 0});
  };
  for (const auto& rule : population.eligibility()) add(rule.covariate);
  for (const int factor : factors_)
    add(population.strata()[static_cast<std::size_t>(factor)].covariate);
  if (conditions_.empty()) return;
  for (const auto& effect : spec_.course.effects.strata)
    add(population.strata()[static_cast<std::size_t>(effect.factor)].covariate);
}

void ResponseSum::set_grades(const Place& place) {
  for (auto& grade : grades_) {
    const Grading& grading = *spec_.population.covariates()[grade.covariate].grading;
    grade.at = 0;
    grade.probabilities.assign(grading.shifted_thresholds.size() + 1, 0.0);
    for (std::size_t k = 0; k < grade.probabilities.size(); ++k) {
      const auto value = static_cast<double>(k);
      bool eligible = true;
      for (const auto& rule : spec_.population.eligibility())
        if (rule.covariate == static_cast<int>(grade.covariate))
          eligible = eligible && value >= rule.minimum && value <= rule.maximum;
      if (eligible) grade.probabilities[k] = grading.probability(place.baseline, value, value);
    }
  }
}

// The next combination of grades, or false after the last.
bool ResponseSum::next_grades() {
  for (auto& grade : grades_) {
    if (++grade.at < grade.probabilities.size()) return true;
    grade.at = 0;
  }
  return false;
}

double ResponseSum::value_of(std::size_t covariate, const Place& place) const {
  for (const auto& grade : grades_)
    if (grade.covariate == covariate) return static_cast<double>(grade.at);
  return place.baseline;
}

std::size_t ResponseSum::level(std::size_t factor, const Place& place) const {
  const auto& stratum = spec_.population.strata()[factor];
  const double value = value_of(static_cast<std::size_t>(stratum.covariate), place);
  std::size_t level = 0;
  for (const double cut : stratum.cuts) level += value >= cut ? 1 : 0;
  return level;
}

// The log odds of the law at the score's bound: P(condition) = logistic(log odds + shift).
double ResponseSum::score_log_odds(const ResponseCondition& condition, double baseline) const {
  if (condition.ratio && !(baseline > 0)) return -k_infinity;
  double most = k_infinity;
  if (condition.ratio) most = *condition.ratio * baseline;
  if (condition.at_most) most = std::min(most, *condition.at_most);
  if (condition.improvement) most = std::min(most, baseline - *condition.improvement);
  most += k_tolerance;
  if (most < 0) return -k_infinity;
  const CourseSpec& course = spec_.course;
  if (most >= course.maximum || !(baseline > 0)) return k_infinity;
  // The score is at most `most` where the ratio lies below the boundary between two points of the grid.
  const double step = course.grid.step();
  const double boundary = course.grid.continuous()
                              ? most
                              : course.grid.at(std::floor(most / step + k_tolerance)) + step / 2;
  const double bound = boundary / baseline;
  return log_odds(truth_.law(arm_), exponent_ == 1 ? bound : math::pow(bound, 1 / exponent_));
}

double ResponseSum::shift(const Place& place) const {
  const auto& effects = spec_.course.effects;
  double shift = arm_shift_ + effects.baseline * place.normal;
  for (const auto& stratum : effects.strata) {
    const std::size_t at = level(static_cast<std::size_t>(stratum.factor), place);
    shift += stratum.intercept[at] + effect_scale_ * stratum.effect[at];
  }
  return shift;
}

// Conditions are bounds on one score, so they hold from the widest to the narrowest.
void ResponseSum::add_patterns(std::size_t stratum, double weight, double shift) {
  const std::size_t n_patterns = std::size_t{1} << conditions_.size();
  double* sums = sums_.data() + stratum * n_patterns;
  std::size_t pattern = n_patterns - 1;
  double below = 0;
  for (const auto& [bound, condition] : bounds_) {
    const double probability =
        std::isinf(bound) ? (bound > 0 ? 1.0 : 0.0) : math::logistic(bound + shift);
    sums[pattern] += weight * (probability - below);
    below = probability;
    pattern &= ~(std::size_t{1} << condition);
  }
  sums[pattern] += weight * (1 - below);
}

ResponseLaw ResponseSum::run() {
  TRIALWRIGHT_EXPECT(conditions_.size() <= k_most_conditions);
  if (auto reason = why_not(); !reason.empty()) return {{}, std::move(reason)};
  if (conditions_.empty() && factors_.empty()) return {{1.0}, {}};
  find_grades();
  if (!conditions_.empty()) {
    const TrialTruth drawn = truth_.draw({}, 0);
    const int variant = truth_.full_variant(arm_);
    arm_shift_ = truth_.shift(drawn, arm_, variant);
    effect_scale_ = truth_.scale(drawn, arm_, variant);
    exponent_ = truth_.exponent(arm_, static_cast<std::size_t>(conditions_.front().i_visit));
  }
  std::size_t n_strata = 1;
  for (const int factor : factors_)
    n_strata *= spec_.population.strata()[static_cast<std::size_t>(factor)].levels.size();
  sums_.assign(n_strata << conditions_.size(), 0.0);
  const auto& population = spec_.population;
  const double baseline_effect = conditions_.empty() ? 0 : spec_.course.effects.baseline;
  for (const Place& place : places(population.covariates()[driving_].marginal, baseline_effect)) {
    bool eligible = place.weight > 0;
    for (const auto& rule : population.eligibility())
      if (rule.covariate == static_cast<int>(driving_))
        eligible = eligible && place.baseline >= rule.minimum && place.baseline <= rule.maximum;
    if (!eligible) continue;
    bounds_.clear();
    for (std::size_t c = 0; c < conditions_.size(); ++c)
      bounds_.emplace_back(score_log_odds(conditions_[c], place.baseline), c);
    std::sort(bounds_.begin(), bounds_.end());
    set_grades(place);
    do {
      double weight = place.weight;
      for (const auto& grade : grades_) weight *= grade.probabilities[grade.at];
      if (weight == 0) continue;
      std::size_t stratum = 0;
      for (const int factor : factors_) {
        const auto i = static_cast<std::size_t>(factor);
        stratum = stratum * population.strata()[i].levels.size() + level(i, place);
      }
      add_patterns(stratum, weight, conditions_.empty() ? 0 : shift(place));
    } while (next_grades());
  }
  double total = 0;
  for (const double sum : sums_) total += sum;
  if (!(total > 0)) return {{}, "hardly anybody is eligible"};
  for (double& sum : sums_) sum /= total;
  return {std::move(sums_), {}};
}

}  // namespace

ResponseLaw PatientModel::response_law(int arm, std::span<const ResponseCondition> conditions,
                                       std::span<const int> factors) const {
  return ResponseSum(*impl_->spec, impl_->truth, static_cast<std::size_t>(arm), conditions, factors)
      .run();
}

std::optional<double> PatientModel::response_probability(int arm,
                                                         const ResponseCondition& condition) const {
  const auto law = response_law(arm, {&condition, 1}, {});
  if (law.probabilities.empty()) return std::nullopt;
  return law.probabilities[1];
}

std::optional<double> PatientModel::responder_probability(int arm, int i_visit, double ratio) const {
  return response_probability(arm, {0, i_visit, ratio});
}

double DropoutLaw::staying(double week) const {
  double left = 0;
  for (std::size_t i = 0; i < weeks.size(); ++i)
    if (weeks[i] <= week) left += probabilities[i];
  return 1 - left;
}

std::optional<DropoutLaw> PatientModel::dropout_law(int arm) const {
  DropoutLaw law;
  const auto& dropout = impl_->spec->events.dropout;
  if (!dropout) return law;
  if (dropout->slope != 0) return std::nullopt;
  const double rate =
      dropout->rate_per_week * math::exp(dropout->arm_log_hazard[static_cast<std::size_t>(arm)]);
  double before = 0;
  for (const double week : visit_weeks()) {
    law.weeks.push_back(week - dropout->weeks_before_visit);
    law.probabilities.push_back(math::exp(-rate * before) * -math::expm1(-rate * (week - before)));
    before = week;
  }
  return law;
}

std::optional<double> PatientModel::staying_adverse_event_probability(int arm, double weeks) const {
  const auto& adverse_events = impl_->spec->adverse_events;
  if (!adverse_events.any()) return std::nullopt;
  if (has_discontinuation() && adverse_events.has_infusion_reactions()) return std::nullopt;
  return adverse_events.probability(static_cast<std::size_t>(arm), weeks);
}

std::optional<double> PatientModel::adverse_event_probability(int arm, double weeks) const {
  const auto dropout = dropout_law(arm);
  const auto staying = staying_adverse_event_probability(arm, weeks);
  if (!dropout || !staying) return std::nullopt;
  double stays = 1, seen = 0;
  for (std::size_t i = 0; i < dropout->weeks.size(); ++i) {
    const double until = std::min(weeks, dropout->weeks[i]);
    seen += dropout->probabilities[i] * *staying_adverse_event_probability(arm, until);
    stays -= dropout->probabilities[i];
  }
  return seen + stays * *staying;
}

}  // namespace trialwright::patient
