#include "search/exact_size.hpp"

#include <algorithm>
#include <optional>

#include "design/randomisation.hpp"
#include "exact/exact_power.hpp"

namespace trialwright::search {
namespace {

// Power saw-tooths by less than this from a hundred patients on.
constexpr double k_saw_tooth = 0.02;
constexpr int k_few_patients = 200;
constexpr int k_shown_around = 3;
// A law of more arm sizes than this is enumerated up to this many patients only.
constexpr std::size_t k_few_arm_sizes = 8;
constexpr int k_most_patients = 600;

class ExactSearch {
 public:
  ExactSearch(PowerSampler& sampler, const trial::TrialPlan& plan, const SizeGrid& grid, double target)
      : sampler_(sampler), grid_(grid) {
    const auto& analysis = plan.analyses.front();
    const auto rates = plan.exact_rates(analysis);
    question_.test = analysis.test.spec();
    const auto ratio = design::reduced_ratio(plan.allocation->arms());
    for (std::size_t i = 0; i < plan.arms.size(); ++i)
      (plan.arms[i] == analysis.arm_1 ? question_.ratio_1 : question_.ratio_0) = ratio[i];
    question_.p_1 = rates->rate_1;
    question_.p_0 = rates->rate_0;
    question_.target_power = target;
    question_.max_total = grid.maximum;
  }

  // Arm sizes fixed by the ratio.
  void run_fixed(SizeAnswer& answer) const {
    const auto found = exact::smallest_sample_size(question_);
    answer.scanned_to = found.scanned_to;
    if (found.approximate.n_1 > 0) answer.approximate = at(found.approximate);
    for (const auto& neighbour : found.neighbours)
      if (total(neighbour) >= grid_.minimum) answer.neighbours.push_back(at(neighbour));
    if (!found.found) {
      answer.outcome = SizeOutcome::not_reached;
      answer.smallest = at_fixed(grid_.maximum);
      return;
    }
    if (found.sustained_found && total(found.sustained) >= grid_.minimum)
      answer.sustained = at(found.sustained);
    answer.smallest = at(found.smallest);
    if (total(found.smallest) < grid_.minimum) start_at_minimum(answer);
  }

  // Why arm sizes that are drawn cannot be enumerated about the answer; empty where they can.
  std::string why_not_random() {
    const auto fixed = exact::smallest_sample_size(question_);
    const int largest = fixed.found ? grid_.nearest(1.5 * total(fixed.smallest)) : grid_.maximum;
    const auto plan = sampler_.plan(largest);
    const auto law = plan->allocation->arm_size_law(plan->control_arm);
    if (law && law->size() > k_few_arm_sizes && largest > k_most_patients)
      return "the arm sizes are random and there are too many of them to enumerate";
    return plan->exact_power(plan->analyses.front()).why_not;
  }

  // Arm sizes drawn: every size is enumerated from where power is clearly below the target to where it
  // is clearly above, starting about the size for fixed arms.
  void run_random(SizeAnswer& answer) {
    const auto fixed = exact::smallest_sample_size(question_);
    if (fixed.approximate.n_1 > 0)
      answer.approximate = at_random(grid_.nearest(total(fixed.approximate)));
    int first = fixed.found ? grid_.nearest(total(fixed.smallest)) : grid_.maximum;
    const int start = first;
    while (first > grid_.minimum &&
           (start <= k_few_patients || at_random(first).power > question_.target_power - k_saw_tooth))
      first -= grid_.unit;
    std::vector<PowerAtSize> scanned;
    for (int size = first; size <= grid_.maximum; size += grid_.unit) {
      scanned.push_back(at_random(size));
      if (size > start && scanned.back().power > question_.target_power + k_saw_tooth) break;
    }
    read_scan(scanned, answer);
  }

 private:
  static int total(const exact::PowerAt& power) { return power.n_1 + power.n_0; }

  static PowerAtSize at(const exact::PowerAt& power) {
    return {total(power), {}, power.power, 0, {0, 0}, 0};
  }

  // Sizes below the minimum were found: the smallest from the minimum on.
  void start_at_minimum(SizeAnswer& answer) const {
    answer.smallest = at_fixed(grid_.minimum);
    if (answer.smallest.power >= question_.target_power) {
      answer.outcome = SizeOutcome::minimum_suffices;
      return;
    }
    const auto first =
        std::find_if(answer.neighbours.begin(), answer.neighbours.end(),
                     [&](const auto& size) { return size.power >= question_.target_power; });
    answer.outcome = first == answer.neighbours.end() ? SizeOutcome::not_reached : SizeOutcome::found;
    if (first != answer.neighbours.end()) answer.smallest = *first;
  }

  PowerAtSize at_fixed(int patients) const {
    const int n_1 = patients / grid_.unit * question_.ratio_1;
    const int n_0 = patients / grid_.unit * question_.ratio_0;
    return at({n_1, n_0, exact::exact_power(question_.test, n_1, n_0, question_.p_1, question_.p_0)});
  }

  PowerAtSize at_random(int patients) {
    sampler_.heed_stop();
    const auto plan = sampler_.plan(patients);
    return {patients, {}, plan->exact_power(plan->analyses.front()).power.value(), 0, {0, 0}, 0};
  }

  void read_scan(const std::vector<PowerAtSize>& scanned, SizeAnswer& answer) const {
    const auto reaches = [&](const auto& size) { return size.power >= question_.target_power; };
    const auto smallest = std::find_if(scanned.begin(), scanned.end(), reaches);
    answer.scanned_to = scanned.back().patients;
    if (smallest == scanned.end()) {
      answer.outcome = SizeOutcome::not_reached;
      answer.smallest = scanned.back();
      return;
    }
    if (smallest->patients == grid_.minimum) answer.outcome = SizeOutcome::minimum_suffices;
    answer.smallest = *smallest;
    const auto sustained = std::find_if_not(scanned.rbegin(), scanned.rend(), reaches).base();
    if (sustained != scanned.end()) answer.sustained = *sustained;
    const auto from = smallest - std::min<std::ptrdiff_t>(smallest - scanned.begin(), k_shown_around);
    const auto last = std::max(smallest, sustained);
    answer.neighbours.assign(from,
                             last + std::min<std::ptrdiff_t>(scanned.end() - last, k_shown_around + 1));
  }

  PowerSampler& sampler_;
  const SizeGrid& grid_;
  exact::SampleSizeQuestion question_;
};

}  // namespace

std::string search_by_enumeration(PowerSampler& sampler, const trial::TrialPlan& plan,
                                  const SizeGrid& grid, const SizeQuestion& question,
                                  SizeAnswer& answer) {
  ExactSearch search(sampler, plan, grid, question.target);
  if (std::holds_alternative<design::RandomAllocation>(plan.allocation->randomisation())) {
    search.run_fixed(answer);
    return {};
  }
  std::string why_not = search.why_not_random();
  if (why_not.empty()) search.run_random(answer);
  return why_not;
}

}  // namespace trialwright::search
