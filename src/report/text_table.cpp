#include "report/text_table.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "report/look_table.hpp"
#include "report/table_notes.hpp"
#include "report/table_parts.hpp"

namespace trialwright::report {
namespace {

// A whole number of patients needs no decimal.
int decimals_of_patients(const std::vector<const Metric*>& metrics) {
  const bool all_whole = std::all_of(metrics.begin(), metrics.end(), [](const Metric* metric) {
    return metric->estimate == std::floor(metric->estimate);
  });
  return decimals_for(metrics, all_whole ? 0 : 1, 1);
}

const Chosen<Whole> k_patients = [](const Whole& whole) {
  return find(whole.metrics, "expected_patients");
};

const Whole& whole_of(const Table& table, const Point* point) {
  return *std::find_if(table.content.wholes.begin(), table.content.wholes.end(),
                       [&](const Whole& whole) { return whole.point == point; });
}

// Whether the sample size only repeats what is swept or common.
bool is_told_by_a_key(const Table& table, int decimals) {
  for (std::size_t k = k_first_axis_key; k < table.keys.hypothesis(); ++k) {
    if (!table.keys.names[k].ends_with("patients")) continue;
    const auto repeats = [&](const Whole& whole) {
      const Metric* patients = k_patients(whole);
      return patients == nullptr ||
             cell_with_error(patients, decimals) == table.keys.of(*whole.point, {})[k];
    };
    if (std::all_of(table.content.wholes.begin(), table.content.wholes.end(), repeats)) return true;
  }
  return false;
}

// What an analysis that takes no account of the looks makes of the same rejection.
const Metric* naive_of(const Subject& subject) {
  if (subject.rejection == nullptr) return nullptr;
  return find(subject.metrics, subject.rejection->metric == "familywise_error"
                                   ? "naive_familywise_error"
                                   : "naive_power");
}

std::string rejections(const Table& table) {
  const auto patients = all_of(table.content.wholes, k_patients);
  const int decimals_n = decimals_of_patients(patients);
  // The sizes that looks leave are told below.
  const bool with_patients = table.content.looks.empty() && !is_told_by_a_key(table, decimals_n);
  std::vector<const Metric*> metrics;
  for (const Subject& subject : table.content.subjects)
    if (subject.rejection != nullptr) metrics.push_back(subject.rejection);
  const int decimals = decimals_for(metrics, 3, 2);
  Block block;
  if (with_patients) block.add_column("N");
  block.add_column("quantity", Align::left);
  block.add_column("probability ± MCSE", Align::right, Fold::with_previous);
  block.add_column("95% interval", Align::right, Fold::with_previous);
  block.add_column("exact");
  block.add_column("naive");
  for (const Subject& subject : table.content.subjects) {
    if (subject.rejection == nullptr) continue;
    std::vector<std::string> cells;
    if (with_patients)
      cells.push_back(cell_with_error(k_patients(whole_of(table, subject.point)), decimals_n));
    const Metric* exact = find(subject.metrics, "exact_power");
    cells.insert(cells.end(),
                 {subject.quantity, with_error(*subject.rejection, decimals),
                  interval(*subject.rejection, decimals), cell(exact, 4), cell(naive_of(subject), 4)});
    block.add_row(table.keys.of(*subject.point, subject.hypothesis), std::move(cells));
  }
  if (block.is_empty()) return {};
  std::string text = block.render("Probability to reject", table.keys, table.width);
  if (const std::string error = largest_error(all_of<Subject>(table.content.subjects, naive_of));
      !error.empty())
    text += fmt::format("MCSE at most {} (naive).\n", error);
  return text;
}

struct EstimateColumn {
  std::string header;
  enum class Error { shown, told_below } error;
  Chosen<Subject> choose;
};

// The metric where it is on that scale: estimates of ratios, logarithms, have columns of their own.
const Metric* find_on(std::string_view scale, const Subject& subject, std::string_view name) {
  const Metric* metric = find(subject.metrics, name);
  return metric != nullptr && metric->scale == scale ? metric : nullptr;
}

std::string on_scale(std::string_view scale, std::string_view name) {
  return scale.empty() ? std::string(name) : fmt::format("{} ({})", name, scale);
}

constexpr std::string_view k_scales[] = {"", "log"};

std::vector<EstimateColumn> estimate_columns(const Content& content) {
  using Error = EstimateColumn::Error;
  std::vector<EstimateColumn> columns;
  for (const std::string_view scale : k_scales) {
    const auto named = [scale](std::string_view name) {
      return [scale, name](const Subject& subject) { return find_on(scale, subject, name); };
    };
    columns.push_back({on_scale(scale, "truth"), Error::told_below, named("true_value")});
    // Where there is a true value, it and the bias tell the mean.
    columns.push_back(
        {on_scale(scale, "mean estimate") + " ± MCSE", Error::shown, [scale](const Subject& subject) {
           return subject.metrics.contains("true_value") && subject.metrics.contains("bias")
                      ? nullptr
                      : find_on(scale, subject, "mean_estimate");
         }});
    columns.push_back({on_scale(scale, "bias") + " ± MCSE", Error::shown, named("bias")});
    columns.push_back({on_scale(scale, "RMSE"), Error::told_below, named("rmse")});
    columns.push_back({on_scale(scale, "adjusted bias"), Error::told_below, named("adjusted_bias")});
  }
  columns.push_back({"coverage", Error::told_below,
                     [](const Subject& subject) { return find(subject.metrics, "coverage"); }});
  columns.push_back({"adjusted coverage", Error::told_below, [](const Subject& subject) {
                       return find(subject.metrics, "adjusted_coverage");
                     }});
  columns.push_back({"repeated coverage", Error::told_below, [](const Subject& subject) {
                       return find(subject.metrics, "repeated_coverage");
                     }});
  for (const std::string& arm : content.arms)
    columns.push_back({arm, Error::told_below, [arm](const Subject& subject) -> const Metric* {
                         const auto found = subject.rates.find(arm);
                         return found == subject.rates.end() ? nullptr : found->second;
                       }});
  return columns;
}

bool is_common(const Results& results, std::uint64_t Point::*count) {
  return std::all_of(results.points.begin(), results.points.end(),
                     [&](const Point& point) { return point.*count == results.points.front().*count; });
}

// Which of the trials `what` is of, told by its metrics, where they are the same first ones of more.
std::string told_part(std::string_view what, const std::vector<const Metric*>& metrics,
                      const Table& table) {
  if (metrics.empty() || !is_common(table.results, &Point::n_trials)) return {};
  const std::uint64_t n = metrics.front()->n_trials;
  const bool is_part = n < table.results.points.front().n_trials &&
                       std::all_of(metrics.begin(), metrics.end(),
                                   [n](const Metric* metric) { return metric->n_trials == n; });
  return is_part ? fmt::format("{} are of the first {} trials a point.\n", what, n) : "";
}

std::string estimates(const Table& table) {
  const auto columns = estimate_columns(table.content);
  Block block;
  std::vector<int> decimals;
  std::vector<std::string> errors;
  for (const EstimateColumn& column : columns) {
    const bool is_shown = column.error == EstimateColumn::Error::shown;
    const auto metrics = all_of(table.content.subjects, column.choose);
    decimals.push_back(decimals_for(metrics, 3, is_shown ? 2 : 1));
    block.add_column(column.header);
    const std::string error = is_shown ? "" : largest_error(metrics);
    if (!error.empty()) errors.push_back(fmt::format("{} ({})", error, column.header));
  }
  for (const Subject& subject : table.content.subjects) {
    std::vector<std::string> cells;
    for (std::size_t c = 0; c < columns.size(); ++c)
      cells.push_back(columns[c].error == EstimateColumn::Error::shown
                          ? cell_with_error(columns[c].choose(subject), decimals[c])
                          : cell(columns[c].choose(subject), decimals[c]));
    block.add_row(table.keys.of(*subject.point, subject.hypothesis), std::move(cells));
  }
  if (block.is_empty()) return {};
  block.join_if_all(table.keys.hypothesis());
  block.join(k_scenario_key);
  std::string text = block.render("Estimates, and observed rates by arm", table.keys, table.width);
  if (!errors.empty())
    text += wrapped(fmt::format("MCSE at most {}.", fmt::join(errors, ", ")), table.width);
  std::vector<const Metric*> rates;
  for (const Subject& subject : table.content.subjects)
    for (const auto& [arm, metric] : subject.rates) rates.push_back(metric);
  return text + told_part("Estimates and rates", rates, table);
}

std::string published(const Table& table) {
  std::vector<const Metric*> percentiles;
  for (const Subject& subject : table.content.subjects) {
    if (!subject.metrics.contains("published_estimate")) continue;
    if (const Metric* metric = find(subject.metrics, "published_percentile"))
      percentiles.push_back(metric);
  }
  Block block;
  for (const std::string_view scale : k_scales) block.add_column(on_scale(scale, "published"));
  block.add_column("percentile ± MCSE");
  for (const std::string_view scale : k_scales)
    block.add_column("middle 95% of " + on_scale(scale, "estimates"));
  for (const Subject& subject : table.content.subjects) {
    const Metric* value = find(subject.metrics, "published_estimate");
    if (value == nullptr) continue;
    const bool is_log = !value->scale.empty();
    std::vector<std::string> cells(5);
    cells[is_log ? 1 : 0] = fixed(value->estimate, 3);
    if (const Metric* percentile = find(subject.metrics, "published_percentile")) {
      Metric in_percent = *percentile;
      in_percent.estimate *= 100;
      in_percent.mcse *= 100;
      cells[2] = with_error(in_percent, std::max(0, decimals_for(percentiles, 3, 2) - 2));
    }
    const Metric* low = find(subject.metrics, "estimate_quantile_0.025");
    const Metric* high = find(subject.metrics, "estimate_quantile_0.975");
    if (low != nullptr && high != nullptr)
      cells[is_log ? 4 : 3] =
          fmt::format("{} to {}", fixed(low->estimate, 3), fixed(high->estimate, 3));
    block.add_row(table.keys.of(*subject.point, subject.hypothesis), std::move(cells));
  }
  if (block.is_empty()) return {};
  block.join_if_all(table.keys.hypothesis());
  block.join(k_scenario_key);
  return block.render("The published estimate among the simulated ones", table.keys, table.width);
}

std::string conduct(const Table& table) {
  struct ConductColumn {
    std::string header;
    Chosen<Whole> choose;
    int fewest_decimals = 1;
  };
  const auto named = [](std::string_view name) {
    return [name](const Whole& whole) { return find(whole.metrics, name); };
  };
  const bool has_looks = !table.content.looks.empty();
  std::vector<ConductColumn> columns{
      {"N 90%", named("patients_quantile"), 0},
      {"analysed ± MCSE", named("expected_patients_analysed")},
      {"over-run ± MCSE", named("overrun_patients")},
      {"screened ± MCSE", named("screened_patients")},
      {"enrolment months ± MCSE", named("enrolment_months")},
      {has_looks ? "months to decision ± MCSE" : "study months ± MCSE", named("duration_months")},
      {"months 90%", named("duration_quantile")}};
  for (const std::string& arm : table.content.rerandomised)
    columns.push_back({"randomised again: " + arm, [arm](const Whole& whole) -> const Metric* {
                         const auto found = whole.rerandomised.find(arm);
                         return found == whole.rerandomised.end() ? nullptr : found->second;
                       }});
  const int decimals_n = decimals_of_patients(all_of(table.content.wholes, k_patients));
  const bool with_patients = !is_told_by_a_key(table, decimals_n);
  const bool with_trials = !is_common(table.results, &Point::n_trials);
  const bool with_failed = std::any_of(table.results.points.begin(), table.results.points.end(),
                                       [](const Point& point) { return point.n_failed_analyses != 0; });
  Block block;
  if (with_patients) block.add_column("N");
  std::vector<int> decimals;
  for (const ConductColumn& column : columns) {
    block.add_column(column.header);
    decimals.push_back(
        decimals_for(all_of(table.content.wholes, column.choose), column.fewest_decimals, 1));
  }
  if (with_trials) block.add_column("trials");
  if (with_failed) block.add_column("failed analyses");
  for (const Whole& whole : table.content.wholes) {
    std::vector<std::string> cells;
    for (std::size_t c = 0; c < columns.size(); ++c)
      cells.push_back(cell_with_error(columns[c].choose(whole), decimals[c]));
    if (with_trials) cells.push_back(fmt::format("{}", whole.point->n_trials));
    if (with_failed) cells.push_back(fmt::format("{}", whole.point->n_failed_analyses));
    const bool says_nothing =
        std::all_of(cells.begin(), cells.end(), [](const std::string& text) { return text.empty(); });
    if (with_patients)
      cells.insert(cells.begin(), says_nothing ? "" : cell_with_error(k_patients(whole), decimals_n));
    block.add_row(table.keys.of(*whole.point, ""), std::move(cells));
  }
  if (block.is_empty()) return {};
  for (std::size_t k = k_first_axis_key; k < table.keys.hypothesis(); ++k) block.join_if_all(k);
  block.join(k_scenario_key);
  return block.render("Conduct of the trial", table.keys, table.width) +
         told_part("Months", all_of<Whole>(table.content.wholes, named("duration_months")), table);
}

// What has no place of its own, one line each.
std::string others(const Table& table) {
  Block block;
  block.add_column("metric", Align::left);
  block.add_column("look", Align::right, Fold::with_previous);
  block.add_column("reason", Align::left, Fold::with_previous);
  block.add_column("arm", Align::left, Fold::with_previous);
  block.add_column("estimate ± MCSE", Align::right, Fold::with_previous);
  block.add_column("95% interval", Align::right, Fold::with_previous);
  for (const auto& [point, metric] : table.content.others) {
    const int decimals = decimals_for({metric}, 3, 2);
    block.add_row(table.keys.of(*point, metric->hypothesis),
                  {metric->metric, metric->look ? fmt::format("{}", *metric->look) : "", metric->reason,
                   metric->arm, with_error(*metric, decimals), interval(*metric, decimals)});
  }
  return block.is_empty() ? "" : block.render("Further metrics", table.keys, table.width);
}

// What the words of the table mean, of those that it uses.
std::string legend(const Table& table) {
  const Content& content = table.content;
  const auto any_subject = [&](auto&& holds) {
    return std::any_of(content.subjects.begin(), content.subjects.end(), holds);
  };
  const auto has = [&](std::string_view metric) {
    return any_subject([metric](const Subject& subject) { return subject.metrics.contains(metric); });
  };
  const auto has_of_the_whole = [&](std::string_view metric) {
    return std::any_of(content.wholes.begin(), content.wholes.end(),
                       [metric](const Whole& whole) { return whole.metrics.contains(metric); });
  };
  std::string out =
      "± is the Monte Carlo standard error (MCSE); intervals are 95%: Wilson for proportions of trials, "
      "normal for means and rates.";
  const auto explain = [&out](bool is_used, std::string_view words) {
    if (is_used) out += fmt::format(" {}", words);
  };
  explain(any_subject([](const Subject& subject) { return subject.quantity == "type I error"; }),
          "Type I error: the probability to reject a hypothesis whose null is true, where power has no "
          "meaning.");
  explain(any_subject([](const Subject& subject) { return subject.quantity == "familywise error"; }),
          "Familywise error: to reject any hypothesis whose null is true.");
  explain(has("naive_power"),
          "Naive: by an analysis that takes no account of the looks and of what they changed.");
  explain(has("exact_power"), "Exact: by enumeration of all outcomes, free of Monte Carlo error.");
  explain(!content.tested.empty(), "Selected: still tested at that look.");
  explain(
      has("adjusted_bias"),
      "Adjusted: estimates and intervals that allow for the looks; estimates of a hypothesis are of "
      "the trials that tested it at their last look.");
  explain(has("repeated_coverage"),
          "Repeated: by the intervals that hold at all looks together, the last look's.");
  explain(has_of_the_whole("patients_quantile"), "90%: the 90th percentile over trials.");
  explain(has_of_the_whole("overrun_patients"),
          "Over-run: enrolled when a trial ended, but not known to its last decision.");
  return wrapped(out, table.width);
}

}  // namespace

std::string text_table(const Results& results, const TableOptions& options) {
  const Content content = content_of(results);
  std::vector<std::string> hypotheses;
  for (const Subject& subject : content.subjects) hypotheses.push_back(subject.hypothesis);
  const Keys keys(results, hypotheses);
  const Table table{results, content, keys, options.width};

  std::vector<std::string> heading{"study " + results.study, fmt::format("seed {}", results.seed)};
  if (!results.points.empty() && is_common(results, &Point::n_trials))
    heading.push_back(fmt::format("{} trials{}", results.points.front().n_trials,
                                  results.points.size() > 1 ? " a point" : ""));
  heading.insert(heading.end(), keys.common.begin(), keys.common.end());
  std::string out = flowed(heading, options.width);
  if (results.interrupted) out += "INTERRUPTED: not every trial asked for was simulated.\n";
  if (results.partial)
    out += "PARTIAL: shards are missing, and with them some of the trials asked for.\n";
  if (results.points.empty()) return out + "no results\n";
  for (const auto& block : {rejections(table), look_table(table), estimates(table), published(table),
                            conduct(table), others(table), told_notes(results, options.width)})
    if (!block.empty()) out += '\n' + block;
  return out + '\n' + legend(table);
}

}  // namespace trialwright::report
