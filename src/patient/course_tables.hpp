// What the inner loop looks patients' ratios up in, made when it is first read and shared by all truths
// that need the same.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "math/cubic_table.hpp"
#include "patient/course_kernels.hpp"
#include "patient/ratio_law.hpp"

namespace trialwright::patient {

// All that the tables of a course follow from. Variants are those of CourseTruth.
struct CourseRecipe {
  // What is looked up at a visit: one function a variant. `is_raised`: its exponents are not in it.
  struct Visit {
    std::vector<double> exponents;  // by variant, as they are in the table
    bool is_raised = false;
    friend bool operator==(const Visit&, const Visit&) = default;
  };

  std::vector<TemperedLaw> laws;  // [0] the control's
  std::vector<std::size_t> law;   // by variant: of laws
  std::vector<double> shifts;     // by variant: log odds taken off in the table
  std::vector<Visit> visits;      // the distinct ones
  bool shifts_patients = false;   // tables are over log odds, not over the visit's normal
  bool is_mixture = false;
  bool draws_laws = false;  // no visit has a table

  friend bool operator==(const CourseRecipe&, const CourseRecipe&) = default;
};

// Safe to read by several threads; the first of them makes the tables while the others wait.
class CourseTables {
 public:
  struct VisitTable {
    SingleTable table;
    bool is_common = false;  // one function for all variants
    bool is_raised = false;
  };

  explicit CourseTables(CourseRecipe recipe) : recipe_(std::move(recipe)) {}

  const CourseRecipe& recipe() const { return recipe_; }
  const VisitTable& visit(std::size_t i) const { return made().visits[i]; }
  // logit(Phi(z)) to 1e-10, where laws are drawn.
  double fine_log_odds(double z) const { return (*made().fine_log_odds)(z); }
  // Of the control's ratio at the week when the response is reached, as calibrated.
  const Moments& control_moments() const { return made().control_moments; }

 private:
  struct Made {
    std::vector<VisitTable> visits;
    std::optional<math::CubicTable> fine_log_odds;
    Moments control_moments;
  };
  const Made& made() const {
    const Made* ready = ready_.load(std::memory_order_acquire);
    return ready ? *ready : make_once();
  }
  const Made& make_once() const;
  static Made make(const CourseRecipe& recipe);

  CourseRecipe recipe_;
  mutable std::mutex making_;
  mutable std::unique_ptr<const Made> made_;
  mutable std::atomic<const Made*> ready_{nullptr};
};

// Tables of a study's points so far. Not for use by two threads at once; copies share what they hold.
class CourseTableCache {
 public:
  std::shared_ptr<const CourseTables> get(CourseRecipe recipe);

 private:
  std::vector<std::shared_ptr<const CourseTables>> tables_;
};

}  // namespace trialwright::patient
