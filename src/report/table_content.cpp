#include "report/table_content.hpp"

#include <algorithm>
#include <array>

namespace trialwright::report {
namespace {

constexpr std::string_view k_any_true_null = "(any true null)";

// Rejection in one sense or another.
struct Rejection {
  std::string_view metric;
  std::string_view hypothesis;  // shown in place of a name
  std::string_view quantity;
  std::string_view quantity_under_null;
};
constexpr Rejection k_rejections[] = {
    {"power", "", "power", "type I error"},
    {"assurance", "", "assurance", "assurance"},
    {"power_any", "(any)", "power", "type I error"},
    {"power_all", "(all)", "power", "type I error"},
    {"familywise_error", k_any_true_null, "familywise error", "familywise error"}};

constexpr std::array<std::string_view, 17> k_of_a_subject = {"exact_power",
                                                             "naive_power",
                                                             "naive_familywise_error",
                                                             "adjusted_mean_estimate",
                                                             "adjusted_bias",
                                                             "adjusted_rmse",
                                                             "adjusted_coverage",
                                                             "repeated_coverage",
                                                             "true_value",
                                                             "mean_estimate",
                                                             "bias",
                                                             "rmse",
                                                             "coverage",
                                                             "published_estimate",
                                                             "published_percentile",
                                                             "estimate_quantile_0.025",
                                                             "estimate_quantile_0.975"};
constexpr std::array<std::string_view, 7> k_of_the_whole = {
    "expected_patients", "expected_patients_analysed", "overrun_patients",
    "screened_patients", "enrolment_months",           "duration_months",
    "p_stop_harm"};
// With the probability as reason.
constexpr std::array<std::string_view, 2> k_quantiles_of_the_whole = {"patients_quantile",
                                                                      "duration_quantile"};
constexpr std::string_view k_quantile_shown = "0.9";
constexpr std::array<std::string_view, 2> k_rates = {"event_rate", "ae_rate"};
constexpr std::string_view k_quantile = "estimate_quantile_";

template <std::size_t n>
const std::string_view* find_in(const std::array<std::string_view, n>& names, const std::string& name) {
  const auto* found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? nullptr : found;
}

const Rejection* rejection_of(const Metric& metric) {
  if (metric.look || !metric.reason.empty() || !metric.arm.empty()) return nullptr;
  for (const Rejection& kind : k_rejections)
    if (kind.metric == metric.metric) return &kind;
  return nullptr;
}

bool is_null(const Point& point, const std::string& hypothesis) {
  return std::find(point.null_hypotheses.begin(), point.null_hypotheses.end(), hypothesis) !=
         point.null_hypotheses.end();
}

// Whether a rejection at the point is an error: of what speaks of several hypotheses, where all are
// null.
bool is_error(const Point& point, const Metric& rejection) {
  if (!rejection.hypothesis.empty()) return is_null(point, rejection.hypothesis);
  return !point.null_hypotheses.empty() &&
         std::all_of(point.metrics.begin(), point.metrics.end(), [&](const Metric& metric) {
           return metric.metric != "power" || is_null(point, metric.hypothesis);
         });
}

class Sorter {
 public:
  Sorter(const Point& point, Content& content)
      : point_(point), content_(content), first_(content.subjects.size()) {
    content_.wholes.push_back({&point, {}, {}});
  }

  void sort() {
    // Of one hypothesis the power, or type I error, says what a familywise error would.
    const auto n_hypotheses =
        std::count_if(point_.metrics.begin(), point_.metrics.end(),
                      [](const Metric& metric) { return metric.metric == "naive_power"; });
    is_of_one_ = n_hypotheses == 1;
    for (const Metric& metric : point_.metrics)
      if (const Rejection* kind = rejection_of(metric); kind && !is_said_twice(metric))
        add_rejection(metric, *kind);
    for (const Metric& metric : point_.metrics)
      if (rejection_of(metric) == nullptr && !place(metric))
        content_.others.push_back({&point_, &metric});
  }

 private:
  void add_rejection(const Metric& metric, const Rejection& kind) {
    Subject subject;
    subject.point = &point_;
    subject.hypothesis = kind.hypothesis.empty() ? metric.hypothesis : std::string(kind.hypothesis);
    subject.quantity = is_error(point_, metric) ? kind.quantity_under_null : kind.quantity;
    subject.rejection = &metric;
    content_.subjects.push_back(std::move(subject));
  }

  // Where every null is true, to reject any of them is the familywise error.
  bool is_said_twice(const Metric& metric) const {
    if (metric.metric == "power_any" && is_error(point_, metric))
      return std::any_of(point_.metrics.begin(), point_.metrics.end(),
                         [](const Metric& other) { return other.metric == "familywise_error"; });
    return is_of_one_ && metric.metric.ends_with("familywise_error");
  }

  bool place(const Metric& metric) {
    if (is_said_twice(metric)) return true;
    if (metric.look) return place_at_look(metric);
    if (metric.reason == k_quantile_shown)
      if (const auto* name = find_in(k_quantiles_of_the_whole, metric.metric))
        return content_.wholes.back().metrics.emplace(*name, &metric).second;
    if (metric.metric == "naive_familywise_error")
      return subject_of(std::string(k_any_true_null)).metrics.emplace(metric.metric, &metric).second;
    if (metric.look || !metric.reason.empty()) return false;
    if (find_in(k_rates, metric.metric) != nullptr && !metric.arm.empty())
      return add(subject_of(metric.hypothesis).rates, metric.arm, content_.arms, metric);
    if (metric.metric == "rerandomised_patients" && !metric.arm.empty() && metric.hypothesis.empty())
      return add(content_.wholes.back().rerandomised, metric.arm, content_.rerandomised, metric);
    if (!metric.arm.empty()) return false;
    if (const auto* name = find_in(k_of_the_whole, metric.metric); name && metric.hypothesis.empty())
      return content_.wholes.back().metrics.emplace(*name, &metric).second;
    if (const auto* name = find_in(k_of_a_subject, metric.metric))
      return subject_of(metric.hypothesis).metrics.emplace(*name, &metric).second;
    return metric.metric.starts_with(k_quantile);
  }

  static bool add(std::map<std::string, const Metric*>& cells, const std::string& name,
                  std::vector<std::string>& names, const Metric& of) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    return cells.emplace(name, &of).second;
  }

  bool place_at_look(const Metric& metric) {
    if (metric.metric == "stop_probability" && metric.arm.empty() && metric.hypothesis.empty())
      return add(look_of(metric).stops, metric.reason, content_.reasons, metric);
    if (metric.metric == "exact_stop_probability" && metric.arm.empty() && metric.hypothesis.empty())
      return add(look_of(metric).exact, metric.reason, content_.reasons, metric);
    if (metric.metric == "selection_probability")
      return add(look_of(metric).tested, metric.arm.empty() ? metric.hypothesis : metric.arm,
                 content_.tested, metric);
    return false;
  }

  LookRow& look_of(const Metric& metric) {
    for (LookRow& row : content_.looks)
      if (row.point == &point_ && row.look == *metric.look) return row;
    content_.looks.push_back({&point_, *metric.look, {}, {}, {}});
    return content_.looks.back();
  }

  Subject& subject_of(const std::string& hypothesis) {
    for (std::size_t i = first_; i < content_.subjects.size(); ++i)
      if (content_.subjects[i].hypothesis == hypothesis) return content_.subjects[i];
    Subject subject;
    subject.point = &point_;
    subject.hypothesis = hypothesis;
    content_.subjects.push_back(std::move(subject));
    return content_.subjects.back();
  }

  const Point& point_;
  Content& content_;
  std::size_t first_;
  bool is_of_one_ = false;
};

}  // namespace

Content content_of(const Results& results) {
  Content content;
  for (const Point& point : results.points) Sorter(point, content).sort();
  return content;
}

}  // namespace trialwright::report
