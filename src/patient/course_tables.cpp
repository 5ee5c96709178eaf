#include "patient/course_tables.hpp"

#include <algorithm>
#include <utility>

#include "math/normal.hpp"

namespace trialwright::patient {
namespace {

constexpr std::size_t k_max_cached = 64;

// A mixture's lognormal part sets in so suddenly above its atom at 0 that wider cells cannot follow it.
const CellGrid& cells(const CourseRecipe& recipe) {
  if (recipe.is_mixture) return recipe.shifts_patients ? k_fine_log_odds_cells : k_fine_normal_cells;
  return recipe.shifts_patients ? k_log_odds_cells : k_normal_cells;
}

// Are all variants' functions one?
bool is_common(const CourseRecipe& recipe, const CourseRecipe::Visit& visit) {
  for (std::size_t i = 1; i < recipe.law.size(); ++i)
    if (recipe.law[i] != recipe.law[0] || visit.exponents[i] != visit.exponents[0] ||
        recipe.shifts[i] != recipe.shifts[0])
      return false;
  return true;
}

CourseTables::VisitTable table_of(const CourseRecipe& recipe, const CourseRecipe::Visit& visit,
                                  const std::vector<RatioTable>& laws,
                                  const std::vector<double>& log_odds) {
  CourseTables::VisitTable result{SingleTable(cells(recipe)), is_common(recipe, visit),
                                  visit.is_raised};
  std::vector<double> values(log_odds.size());
  for (std::size_t i = 0; i < (result.is_common ? 1 : recipe.law.size()); ++i) {
    const RatioTable& law = laws[recipe.law[i]];
    const double exponent = visit.exponents[i];
    for (std::size_t node = 0; node < values.size(); ++node) {
      const double x = log_odds[node] - recipe.shifts[i];
      values[node] = exponent == 1 ? law.continued(x) : law.power(x, exponent);
    }
    result.table.add(values);
  }
  return result;
}

}  // namespace

CourseTables::Made CourseTables::make(const CourseRecipe& recipe) {
  Made made;
  // A quarter of a megabyte each, and not read again.
  std::vector<RatioTable> laws;
  for (const auto& law : recipe.laws) laws.emplace_back(law);
  made.control_moments = moments(laws.front());
  if (recipe.draws_laws) {
    made.fine_log_odds.emplace([](double z) { return math::log_odds_of_normal(z); }, -10, 10,
                               std::size_t{4097});
    return made;
  }
  std::vector<double> at = cells(recipe).nodes();
  if (!recipe.shifts_patients)
    for (double& x : at) x = math::log_odds_of_normal(x);
  for (const auto& visit : recipe.visits) made.visits.push_back(table_of(recipe, visit, laws, at));
  return made;
}

const CourseTables::Made& CourseTables::make_once() const {
  const std::lock_guard<std::mutex> lock(making_);
  if (!made_) made_ = std::make_unique<const Made>(make(recipe_));
  ready_.store(made_.get(), std::memory_order_release);
  return *made_;
}

std::shared_ptr<const CourseTables> CourseTableCache::get(CourseRecipe recipe) {
  const auto found = std::find_if(tables_.begin(), tables_.end(),
                                  [&](const auto& tables) { return tables->recipe() == recipe; });
  if (found != tables_.end()) return *found;
  if (tables_.size() == k_max_cached) tables_.erase(tables_.begin());
  tables_.push_back(std::make_shared<const CourseTables>(std::move(recipe)));
  return tables_.back();
}

}  // namespace trialwright::patient
