#include "patient/response_sum.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "base/contract.hpp"
#include "math/elementary.hpp"
#include "math/normal.hpp"
#include "math/quadrature.hpp"

namespace trialwright::patient {

namespace {

constexpr double k_infinity = std::numeric_limits<double>::infinity();
constexpr double k_tolerance = 1e-9;  // of conditions on scores
constexpr std::size_t k_most_conditions = 12;
constexpr double k_reach = 8.5;         // normal scores beyond have less than 1e-16 of the probability
constexpr double k_negligible = 1e-15;  // of a cell's probability; all such together stay below 1e-9

// The latent normal's interval of each point, from the points' probabilities.
std::vector<double> upper_ends(const std::vector<double>& probabilities) {
  std::vector<double> ends(probabilities.size());
  double below = 0, above = 0;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    below += probabilities[i];
    ends[i] = math::normal_quantile(std::min(below, 1 - 1e-15));
  }
  for (std::size_t i = ends.size(); i-- > 1;) {
    above += probabilities[i];
    if (above <= 0.5) ends[i - 1] = above > 0 ? -math::normal_quantile(above) : k_reach;
  }
  for (double& end : ends) end = std::clamp(end, -k_reach, k_reach);
  return ends;
}

}  // namespace

// The points of the driving covariate; with a term of its latent normal each is cut where that lies.
std::vector<ResponseSum::Place> ResponseSum::places(const Marginal& marginal, double baseline_effect) {
  const auto points = marginal.points();
  const auto probabilities = marginal.probabilities();
  std::vector<Place> result;
  if (baseline_effect == 0) {
    for (std::size_t i = 0; i < points.size(); ++i) result.push_back({points[i], 0, probabilities[i]});
    return result;
  }
  const math::GaussLegendre rule(12);
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

std::string ResponseSum::why_no_course() const {
  const auto& effects = spec_.course.effects;
  if (truth_.is_drawn()) return "every trial draws its own truth";
  if (spec_.events.rescue) return "rescue changes the scores of those whose disease is active";
  if (spec_.events.discontinuation) return "stopping the infusions takes away a share of the effect";
  if (effects.site) return "the course differs from site to site";
  if (effects.region) return "the course differs from region to region";
  if (effects.calendar_drift != 0) return "response drifts with the calendar";
  for (const auto& condition : conditions_) {
    if (condition.measure != 0 && !is_graded(condition))
      return "a measure that follows the driving one with noise of its own has no closed form";
    if (is_graded(condition) && spec_.course.grid.continuous())
      return "grades of a score without a grid have no closed form";
    for (const auto& other : conditions_)
      if (is_graded(condition) && is_graded(other) && graded_of(condition) != graded_of(other))
        return "grades of two kinds are read together";
    if (condition.i_visit != conditions_.front().i_visit)
      return "scores of several visits are read together";
  }
  for (const auto& stratum : effects.strata) {
    const int covariate =
        spec_.population->strata()[static_cast<std::size_t>(stratum.factor)].covariate;
    if (!is_known(covariate))
      return "the course hangs on a factor that is not read off the measure's baseline";
  }
  return {};
}

std::string ResponseSum::why_no_baseline() const {
  const auto& population = *spec_.population;
  if (population.covariates()[driving_].marginal.points().empty())
    return "the measure's baseline has no grid, or one too fine";
  for (const auto& rule : population.eligibility())
    if (!is_known(rule.covariate))
      return "eligibility is also by a covariate that is not read off the measure's baseline";
  for (const int factor : factors_) {
    const auto i = static_cast<std::size_t>(factor);
    if (i >= population.strata().size() || population.strata()[i].covariate < 0)
      return "a factor of the strata is where patients enrol";
    if (population.strata()[i].test) return "a factor of the strata is seen with error";
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

bool ResponseSum::is_graded(const ResponseCondition& condition) const {
  return condition.measure > 0 &&
         spec_.linked.list()[static_cast<std::size_t>(condition.measure) - 1].kind == LinkKind::graded;
}

// Is it the driving covariate or a grade of it?
bool ResponseSum::is_known(int covariate) const {
  if (covariate < 0) return false;
  const auto& grading = spec_.population->covariates()[static_cast<std::size_t>(covariate)].grading;
  return covariate == static_cast<int>(driving_) ||
         (grading && grading->of == static_cast<int>(driving_));
}

void ResponseSum::find_grades() {
  const auto& population = *spec_.population;
  const auto add = [&](int covariate) {
    if (covariate < 0 || covariate == static_cast<int>(driving_)) return;
    const auto i = static_cast<std::size_t>(covariate);
    if (noisy_ && noisy_->covariate == i) return;
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
    const Grading& grading = *spec_.population->covariates()[grade.covariate].grading;
    grade.at = 0;
    grade.probabilities.assign(grading.shifted_thresholds.size() + 1, 0.0);
    for (std::size_t k = 0; k < grade.probabilities.size(); ++k) {
      const auto value = static_cast<double>(k);
      if (is_eligible(static_cast<int>(grade.covariate), value))
        grade.probabilities[k] = grading.probability(place.baseline, value, value);
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
  if (noisy_ && noisy_->covariate == covariate) return noisy_->grade;
  for (const auto& grade : grades_)
    if (grade.covariate == covariate) return static_cast<double>(grade.at);
  return place.baseline;
}

std::size_t ResponseSum::level(std::size_t factor, const Place& place) const {
  const auto& stratum = spec_.population->strata()[factor];
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
  return log_odds_of(most, baseline);
}

// The log odds of a score of at most `most` >= 0.
double ResponseSum::log_odds_of(double most, double baseline) const {
  const CourseSpec& course = spec_.course;
  if (most >= course.maximum || !(baseline > 0)) return k_infinity;
  // The score is at most `most` where the ratio lies below the boundary between two points of the grid.
  const double step = course.grid.step();
  const double index = course.grid.continuous() ? 0 : std::floor(most / step + k_tolerance);
  if (log_odds_) {
    const double x = (log_boundaries_[static_cast<std::size_t>(index)] - log_baseline_) / exponent_;
    if (x >= log_odds_->lo() && x <= log_odds_->hi()) return (*log_odds_)(x);
  }
  const double boundary = course.grid.continuous() ? most : course.grid.at(index) + step / 2;
  const double bound = boundary / baseline;
  return log_odds(truth_.law(arm_), exponent_ == 1 ? bound : math::pow(bound, 1 / exponent_));
}

// Up to nine tenths of a law's end, where its log odds bend too much for cubics; 1e-11 at worst, of
// which a probability has a quarter.
void ResponseSum::tabulate_log_odds() {
  constexpr std::size_t k_knots = 1025;
  const CourseSpec& course = spec_.course;
  const auto baselines = spec_.population->covariates()[driving_].marginal.points();
  const auto n_scores = static_cast<std::size_t>(course.grid.index(course.maximum)) + 1;
  for (std::size_t k = 0; k < n_scores; ++k)
    log_boundaries_.push_back(
        math::log(course.grid.at(static_cast<double>(k)) + course.grid.step() / 2));
  const TemperedLaw& law = truth_.law(arm_);
  const auto* bounded = std::get_if<Kumaraswamy>(&law.control);
  const double lowest = std::max(baselines.front(), course.grid.step());
  const double from = (log_boundaries_.front() - math::log(baselines.back())) / exponent_;
  double to = (log_boundaries_.back() - math::log(lowest)) / exponent_;
  if (bounded) to = std::min(to, math::log(0.9 * bounded->maximum));
  if (from < to)
    log_odds_.emplace([&](double x) { return log_odds(law, math::exp(x)); }, from, to, k_knots);
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

// The highest grade that meets a condition, of a patient with this grade at baseline; -1: none.
int ResponseSum::highest_grade(const ResponseCondition& condition, int baseline) {
  if (condition.ratio && baseline == 0) return -1;
  double most = k_infinity;
  if (condition.ratio) most = *condition.ratio * baseline;
  if (condition.at_most) most = std::min(most, *condition.at_most);
  if (condition.improvement) most = std::min(most, baseline - *condition.improvement);
  return static_cast<int>(std::floor(std::clamp(most + k_tolerance, -1.0, 1000.0)));
}

// The patient's factor on the score is fixed, so the grade is at most g where the score is at most
// threshold / factor - offset.
double ResponseSum::grade_log_odds(const ResponseCondition& condition, double baseline) const {
  const Grading& grading = *noisy_->grading;
  const int highest = highest_grade(condition, noisy_->grade);
  if (highest < 0) return -k_infinity;
  if (highest >= static_cast<int>(grading.shifted_thresholds.size())) return k_infinity;
  const double threshold = grading.shifted_thresholds[static_cast<std::size_t>(highest)];
  const double score = threshold / noisy_->factor - grading.offset;
  return score < 0 ? -k_infinity : log_odds_of(score, baseline);
}

// Where the noise of the grades changes what the conditions ask of the score: at scores of the grid
// that meet a threshold. With the thresholds at the baseline itself these cut the noise into cells.
void ResponseSum::find_noise() {
  const auto graded = std::find_if(conditions_.begin(), conditions_.end(),
                                   [&](const auto& condition) { return is_graded(condition); });
  if (graded == conditions_.end()) return;
  const auto& covariate = spec_.population->covariates()[graded_of(*graded)];
  noisy_ = Noise{graded_of(*graded), &*covariate.grading, 0, 1, {}};
  const Grading& grading = *noisy_->grading;
  const CourseSpec& course = spec_.course;
  const auto n_scores = static_cast<std::size_t>(course.grid.index(course.maximum)) + 1;
  const auto n_thresholds = static_cast<int>(grading.shifted_thresholds.size());
  std::set<int> highest;  // grades that a condition can ask for
  for (const auto& condition : conditions_)
    for (int grade = 0; is_graded(condition) && grade <= n_thresholds; ++grade)
      if (is_eligible(static_cast<int>(noisy_->covariate), grade))
        highest.insert(highest_grade(condition, grade));
  for (const int grade : highest)
    for (std::size_t k = 0; k < n_scores && grade >= 0 && grade < n_thresholds; ++k)
      noisy_->cuts.push_back(cut_at(grade, course.grid.at(static_cast<double>(k))));
  std::sort(noisy_->cuts.begin(), noisy_->cuts.end());
}

// The patient's factor above which a score has more than this grade.
ResponseSum::Cut ResponseSum::cut_at(int grade, double score) const {
  const Grading& grading = *noisy_->grading;
  const double factor =
      grading.shifted_thresholds[static_cast<std::size_t>(grade)] / (score + grading.offset);
  if (grading.noise_sd == 0) return {factor, factor > 1 ? 1.0 : 0.0};
  return {factor, math::normal_cdf(math::log(factor) / grading.noise_sd)};
}

// Of the conditions on the driving score itself.
void ResponseSum::set_bounds(double baseline) {
  score_bounds_.clear();
  for (std::size_t c = 0; c < conditions_.size(); ++c)
    if (!is_graded(conditions_[c]))
      score_bounds_.emplace_back(score_log_odds(conditions_[c], baseline), c);
}

void ResponseSum::add_place(const Place& place) {
  bounds_ = score_bounds_;
  for (std::size_t c = 0; c < conditions_.size(); ++c)
    if (is_graded(conditions_[c]))
      bounds_.emplace_back(grade_log_odds(conditions_[c], place.baseline), c);
  std::sort(bounds_.begin(), bounds_.end());
  const auto& strata = spec_.population->strata();
  do {
    double weight = place.weight;
    for (const auto& grade : grades_) weight *= grade.probabilities[grade.at];
    if (weight == 0) continue;
    std::size_t stratum = 0;
    for (const int factor : factors_) {
      const auto i = static_cast<std::size_t>(factor);
      stratum = stratum * strata[i].levels.size() + level(i, place);
    }
    add_patterns(stratum, weight, conditions_.empty() ? 0 : shift(place));
  } while (next_grades());
}

// The same over the cells of the noise of the grades, where these are read: from each cut to the next,
// of all scores and of the baseline itself.
void ResponseSum::add_noisy_place(const Place& place) {
  const int n_thresholds = static_cast<int>(noisy_->grading->shifted_thresholds.size());
  Cut from{0, 0};
  for (int grade = 0; grade <= n_thresholds; ++grade) {
    const Cut last = grade < n_thresholds ? cut_at(grade, place.baseline) : Cut{k_infinity, 1};
    noisy_->grade = grade;
    if (!is_eligible(static_cast<int>(noisy_->covariate), grade)) {
      from = last;
      continue;
    }
    auto next = std::upper_bound(noisy_->cuts.begin(), noisy_->cuts.end(), from);
    while (from < last) {
      const Cut to = next != noisy_->cuts.end() && *next < last ? *next++ : last;
      const double weight = place.weight * (to.below - from.below);
      noisy_->factor = 0.5 * (from.factor + to.factor);
      if (weight > k_negligible) add_place({place.baseline, place.normal, weight});
      from = to;
    }
  }
}

bool ResponseSum::is_eligible(int covariate, double value) const {
  for (const auto& rule : spec_.population->eligibility())
    if (rule.covariate == covariate && (value < rule.minimum || value > rule.maximum)) return false;
  return true;
}

void ResponseSum::read_course() {
  if (conditions_.empty()) return;
  const TrialTruth drawn = truth_.draw({}, 0);
  const int variant = truth_.full_variant(arm_);
  arm_shift_ = truth_.shift(drawn, arm_, variant);
  effect_scale_ = truth_.scale(drawn, arm_, variant);
  exponent_ = truth_.exponent(arm_, static_cast<std::size_t>(conditions_.front().i_visit));
}

ResponseLaw ResponseSum::run() {
  TRIALWRIGHT_EXPECT(conditions_.size() <= k_most_conditions);
  if (auto reason = why_not(); !reason.empty()) return {{}, std::move(reason)};
  if (conditions_.empty() && factors_.empty()) return {{1.0}, {}};
  read_course();
  find_noise();
  if (noisy_) tabulate_log_odds();
  find_grades();
  const auto& population = *spec_.population;
  std::size_t n_strata = 1;
  for (const int factor : factors_)
    n_strata *= population.strata()[static_cast<std::size_t>(factor)].levels.size();
  sums_.assign(n_strata << conditions_.size(), 0.0);
  const double baseline_effect = conditions_.empty() ? 0 : spec_.course.effects.baseline;
  for (const Place& place : places(population.covariates()[driving_].marginal, baseline_effect)) {
    if (place.weight < k_negligible || !is_eligible(static_cast<int>(driving_), place.baseline))
      continue;
    log_baseline_ = place.baseline > 0 ? math::log(place.baseline) : 0;
    set_grades(place);
    set_bounds(place.baseline);
    noisy_ ? add_noisy_place(place) : add_place(place);
  }
  double total = 0;
  for (const double sum : sums_) total += sum;
  if (!(total > 0)) return {{}, "hardly anybody is eligible"};
  for (double& sum : sums_) sum /= total;
  return {std::move(sums_), {}};
}

}  // namespace trialwright::patient
