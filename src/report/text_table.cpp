#include "report/text_table.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "report/grid.hpp"

namespace trialwright::report {
namespace {

// A metric that has a column of its own.
struct ColumnKind {
  std::string_view metric;
  std::string_view header;
  int fewest_decimals;
  bool by_arm;
};
constexpr ColumnKind k_column_kinds[] = {{"exact_power", "exact", 4, false},
                                         {"true_value", "true value", 3, false},
                                         {"mean_estimate", "mean estimate", 3, false},
                                         {"bias", "bias", 3, false},
                                         {"rmse", "RMSE", 3, false},
                                         {"coverage", "coverage", 3, false},
                                         {"published_estimate", "published", 3, false},
                                         {"published_percentile", "its percentile", 3, false},
                                         {"event_rate", "rate", 3, true},
                                         {"ae_rate", "AE", 3, true},
                                         {"screened_patients", "screened", 0, false},
                                         {"enrolment_months", "enrolment months", 1, false},
                                         {"duration_months", "study months", 1, false}};
// Of the estimate's distribution the table shows the range of its middle 95%.
constexpr std::string_view k_quantile = "estimate_quantile_";
constexpr std::string_view k_low_quantile = "estimate_quantile_0.025";
constexpr std::string_view k_high_quantile = "estimate_quantile_0.975";
constexpr int k_most_decimals = 6;

// Rejection in one sense or another: what gives a row of its own.
struct RowKind {
  std::string_view metric;
  std::string_view hypothesis;  // shown in place of a name
  std::string_view quantity;
  std::string_view quantity_under_null;
};
constexpr RowKind k_row_kinds[] = {
    {"power", "", "power", "type I error"},
    {"assurance", "", "assurance", "assurance"},
    {"power_any", "(any)", "power", "type I error"},
    {"power_all", "(all)", "power", "type I error"},
    {"familywise_error", "(any true null)", "familywise error", "familywise error"}};

const RowKind* row_kind_of(const Metric& metric) {
  for (const RowKind& kind : k_row_kinds)
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

struct Row {
  const Point* point = nullptr;
  std::string hypothesis;
  std::string quantity;
  const Metric* probability = nullptr;
};

// A value column: its metric for each row that has one.
struct ValueColumn {
  std::string header;
  int fewest_decimals = 3;
  std::map<std::size_t, const Metric*> metrics;
};

struct Unplaced {
  const Point* point;
  const Metric* metric;
};

// Decimals enough that the smallest Monte Carlo error shows so many digits of its own.
int decimals_for(const std::vector<const Metric*>& metrics, int fewest, int n_digits_of_error) {
  int decimals = fewest;
  for (const Metric* metric : metrics) {
    if (!(metric->mcse > 0) || !std::isfinite(metric->mcse)) continue;
    const int needed = static_cast<int>(std::floor(-std::log10(metric->mcse))) + n_digits_of_error;
    decimals = std::clamp(needed, decimals, std::max(k_most_decimals, fewest));
  }
  return decimals;
}

std::string fixed(double value, int decimals) {
  if (std::isnan(value)) return "n/a";
  const std::string text = fmt::format("{:.{}f}", value, decimals);
  // No minus before what rounds to zero.
  const bool is_zero = text.find_first_not_of("-0.") == std::string::npos;
  return is_zero && text.front() == '-' ? text.substr(1) : text;
}

std::string with_error(const Metric& metric, int decimals) {
  if (!(metric.mcse > 0)) return fixed(metric.estimate, decimals);
  return fmt::format("{} ± {}", fixed(metric.estimate, decimals), fixed(metric.mcse, decimals));
}

std::string interval(const Metric& metric, int decimals) {
  return fmt::format("[{}, {}]", fixed(metric.lower, decimals), fixed(metric.upper, decimals));
}

// The table's rows and what is known of each, before it is text.
class Content {
 public:
  explicit Content(const Results& results) {
    for (const ColumnKind& kind : k_column_kinds) columns_[std::string(kind.metric)] = {};
    for (const Point& point : results.points) add(point);
  }

  const std::vector<Row>& rows() const { return rows_; }
  const ValueColumn& patients() const { return patients_; }
  const ValueColumn& low_quantiles() const { return low_quantiles_; }
  const ValueColumn& high_quantiles() const { return high_quantiles_; }
  const std::vector<Unplaced>& unplaced() const { return unplaced_; }
  const std::vector<ValueColumn>& columns_of(std::string_view metric) const {
    return columns_.at(std::string(metric));
  }

 private:
  void add(const Point& point) {
    const std::size_t first = rows_.size();
    for (const Metric& metric : point.metrics) {
      const RowKind* kind = row_kind_of(metric);
      if (kind == nullptr || metric.look || !metric.reason.empty() || !metric.arm.empty()) continue;
      rows_.push_back(
          {&point, kind->hypothesis.empty() ? metric.hypothesis : std::string(kind->hypothesis),
           std::string(is_error(point, metric) ? kind->quantity_under_null : kind->quantity), &metric});
    }
    for (const Metric& metric : point.metrics)
      if (!is_row(first, metric) && !place(point, first, metric))
        unplaced_.push_back({&point, &metric});
  }

  bool is_row(std::size_t first, const Metric& metric) const {
    for (std::size_t row = first; row < rows_.size(); ++row)
      if (rows_[row].probability == &metric) return true;
    return false;
  }

  bool place(const Point& point, std::size_t first, const Metric& metric) {
    if (metric.look || !metric.reason.empty()) return false;
    ValueColumn* column = nullptr;
    if (metric.metric == "expected_patients" && metric.arm.empty()) column = &patients_;
    if (metric.metric == k_low_quantile) column = &low_quantiles_;
    if (metric.metric == k_high_quantile) column = &high_quantiles_;
    if (column == nullptr && metric.metric.starts_with(k_quantile)) return true;
    for (const ColumnKind& kind : k_column_kinds)
      if (kind.metric == metric.metric && kind.by_arm == !metric.arm.empty())
        column = &column_of(kind, metric.arm);
    if (column == nullptr) return false;
    return column->metrics.emplace(row_of(point, first, metric.hypothesis), &metric).second;
  }

  ValueColumn& column_of(const ColumnKind& kind, const std::string& arm) {
    std::vector<ValueColumn>& columns = columns_[std::string(kind.metric)];
    const std::string header =
        kind.by_arm ? fmt::format("{} {}", kind.header, arm) : std::string(kind.header);
    for (ValueColumn& column : columns)
      if (column.header == header) return column;
    columns.push_back({header, kind.fewest_decimals, {}});
    return columns.back();
  }

  // The point's row that a metric of `hypothesis` belongs to; its first where it is about the whole
  // trial.
  std::size_t row_of(const Point& point, std::size_t first, const std::string& hypothesis) {
    for (std::size_t row = first; row < rows_.size(); ++row)
      if (hypothesis.empty() || rows_[row].hypothesis == hypothesis) return row;
    rows_.push_back({&point, hypothesis, "", nullptr});
    return rows_.size() - 1;
  }

  std::vector<Row> rows_;
  ValueColumn patients_{"N", 0, {}};
  ValueColumn low_quantiles_{"", 3, {}};
  ValueColumn high_quantiles_{"", 3, {}};
  std::map<std::string, std::vector<ValueColumn>> columns_;
  std::vector<Unplaced> unplaced_;
};

// An axis' name as short as it stays clear: `patients` for designs.fixed.patients.
std::string short_name(const std::string& path, const std::vector<std::string>& paths) {
  for (std::size_t dot = path.rfind('.'); dot != std::string::npos && dot > 0;
       dot = path.rfind('.', dot - 1)) {
    const std::string suffix = path.substr(dot);
    const auto ends_so = [&](const std::string& other) { return ("." + other).ends_with(suffix); };
    if (std::count_if(paths.begin(), paths.end(), ends_so) == 1) return suffix.substr(1);
  }
  return path;
}

bool all_same(const std::vector<std::string>& cells) {
  return std::all_of(cells.begin(), cells.end(),
                     [&](const std::string& cell) { return cell == cells.front(); });
}

// Columns that tell points apart; what is the same in all goes to `common` instead.
std::vector<Column> key_columns(const std::vector<const Point*>& points,
                                std::vector<std::string>& common) {
  std::vector<Column> keys(2);
  keys[0] = {"design", Align::left, false, {}};
  keys[1] = {"scenario", Align::left, false, {}};
  std::vector<std::string> paths;
  for (const Point* point : points) {
    keys[0].cells.push_back(point->design);
    keys[1].cells.push_back(point->scenario);
    for (const AxisValue& axis : point->sweep)
      if (std::find(paths.begin(), paths.end(), axis.path) == paths.end()) paths.push_back(axis.path);
  }
  if (!points.empty() && all_same(keys[0].cells)) {
    common.push_back("design " + points.front()->design);
    keys.erase(keys.begin());
  }
  for (const std::string& path : paths) {
    Column column{short_name(path, paths), Align::right, false, {}};
    for (const Point* point : points) {
      const auto axis = std::find_if(point->sweep.begin(), point->sweep.end(),
                                     [&](const AxisValue& value) { return value.path == path; });
      column.cells.push_back(axis == point->sweep.end() ? "" : axis->value);
    }
    keys.push_back(std::move(column));
  }
  return keys;
}

std::vector<std::size_t> group_starts(const std::vector<const Point*>& points) {
  std::vector<std::size_t> starts;
  for (std::size_t i = 0; i < points.size(); ++i)
    if (i == 0 || points[i]->design != points[i - 1]->design ||
        points[i]->scenario != points[i - 1]->scenario)
      starts.push_back(i);
  return starts;
}

Column text_of(const ValueColumn& values, std::size_t n_rows) {
  std::vector<const Metric*> metrics;
  bool all_whole = true;
  for (const auto& [row, metric] : values.metrics) {
    metrics.push_back(metric);
    all_whole = all_whole && metric->estimate == std::floor(metric->estimate);
  }
  const int fewest = values.fewest_decimals == 0 && !all_whole ? 1 : values.fewest_decimals;
  const int decimals = decimals_for(metrics, fewest, 1);
  Column column{values.header, Align::right, false, std::vector<std::string>(n_rows)};
  for (const auto& [row, metric] : values.metrics) column.cells[row] = with_error(*metric, decimals);
  return column;
}

Column range_of(const ValueColumn& low, const ValueColumn& high, std::size_t n_rows) {
  Column column{"95% of estimates", Align::right, false, std::vector<std::string>(n_rows)};
  for (const auto& [row, metric] : low.metrics) {
    const auto other = high.metrics.find(row);
    if (other == high.metrics.end()) continue;
    column.cells[row] = fmt::format("{} to {}", fixed(metric->estimate, low.fewest_decimals),
                                    fixed(other->second->estimate, high.fewest_decimals));
  }
  return column;
}

void add_probability_columns(const std::vector<Row>& rows, std::vector<Column>& columns) {
  std::vector<const Metric*> metrics;
  for (const Row& row : rows)
    if (row.probability != nullptr) metrics.push_back(row.probability);
  const int decimals = decimals_for(metrics, 4, 2);
  Column quantity{"quantity", Align::left, false, {}};
  Column estimate{"probability ± MCSE", Align::right, true, {}};
  Column bounds{"95% interval", Align::right, true, {}};
  for (const Row& row : rows) {
    quantity.cells.push_back(row.quantity);
    estimate.cells.push_back(row.probability == nullptr ? "" : with_error(*row.probability, decimals));
    bounds.cells.push_back(row.probability == nullptr ? "" : interval(*row.probability, decimals));
  }
  columns.insert(columns.end(), {std::move(quantity), std::move(estimate), std::move(bounds)});
}

// Whole-point counts, on the point's first row.
Column count_column(const std::string& header, const std::vector<Row>& rows,
                    std::uint64_t Point::*count) {
  Column column{header, Align::right, false, {}};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const bool is_first = i == 0 || rows[i].point != rows[i - 1].point;
    column.cells.push_back(is_first ? fmt::format("{}", rows[i].point->*count) : "");
  }
  return column;
}

bool is_common(const Results& results, std::uint64_t Point::*count) {
  return std::all_of(results.points.begin(), results.points.end(),
                     [&](const Point& point) { return point.*count == results.points.front().*count; });
}

// Whether the sample size only repeats what is swept.
bool is_told_by_a_key(const Column& patients, const std::vector<Column>& keys) {
  return std::any_of(keys.begin(), keys.end(), [&](const Column& key) {
    if (!key.header.ends_with("patients")) return false;
    for (std::size_t row = 0; row < patients.cells.size(); ++row)
      if (!patients.cells[row].empty() && patients.cells[row] != key.cells[row]) return false;
    return true;
  });
}

Grid main_grid(const Results& results, const Content& content, std::vector<std::string>& common) {
  std::vector<const Point*> points;
  Column hypothesis{"hypothesis", Align::left, false, {}};
  for (const Row& row : content.rows()) {
    points.push_back(row.point);
    hypothesis.cells.push_back(row.hypothesis);
  }
  Grid grid;
  grid.keys = key_columns(points, common);
  grid.group_starts = group_starts(points);
  if (!hypothesis.cells.empty() && all_same(hypothesis.cells)) {
    if (!hypothesis.cells.front().empty()) common.push_back("hypothesis " + hypothesis.cells.front());
  } else {
    grid.keys.push_back(std::move(hypothesis));
  }
  Column patients = text_of(content.patients(), points.size());
  if (!is_told_by_a_key(patients, grid.keys)) grid.values.push_back(std::move(patients));
  if (!is_common(results, &Point::n_trials))
    grid.values.push_back(count_column("trials", content.rows(), &Point::n_trials));
  add_probability_columns(content.rows(), grid.values);
  for (const ColumnKind& kind : k_column_kinds) {
    for (const ValueColumn& column : content.columns_of(kind.metric))
      grid.values.push_back(text_of(column, points.size()));
    if (kind.metric == "coverage")
      grid.values.push_back(range_of(content.low_quantiles(), content.high_quantiles(), points.size()));
  }
  const bool none_failed = std::all_of(results.points.begin(), results.points.end(),
                                       [](const Point& point) { return point.n_failed_analyses == 0; });
  if (!none_failed)
    grid.values.push_back(count_column("failed analyses", content.rows(), &Point::n_failed_analyses));
  return grid;
}

// What has no column of its own, one line each.
Grid further_grid(const std::vector<Unplaced>& unplaced) {
  std::vector<const Point*> points;
  Column metric{"metric", Align::left, false, {}}, hypothesis{"hypothesis", Align::left, true, {}},
      look{"look", Align::right, true, {}}, reason{"reason", Align::left, true, {}},
      arm{"arm", Align::left, true, {}}, estimate{"estimate ± MCSE", Align::right, true, {}},
      bounds{"95% interval", Align::right, true, {}};
  for (const auto& [point, value] : unplaced) {
    points.push_back(point);
    const int decimals = decimals_for({value}, 3, 2);
    metric.cells.push_back(value->metric);
    hypothesis.cells.push_back(value->hypothesis);
    look.cells.push_back(value->look ? fmt::format("{}", *value->look) : "");
    reason.cells.push_back(value->reason);
    arm.cells.push_back(value->arm);
    estimate.cells.push_back(with_error(*value, decimals));
    bounds.cells.push_back(interval(*value, decimals));
  }
  std::vector<std::string> told_above;
  Grid grid;
  grid.keys = key_columns(points, told_above);
  grid.group_starts = group_starts(points);
  grid.values = {metric, hypothesis, look, reason, arm, estimate, bounds};
  return grid;
}

// The notes, each once, with the number of points it holds for.
std::string notes(const Results& results) {
  std::vector<std::pair<std::string, std::size_t>> counted;
  for (const Point& point : results.points)
    for (const std::string& note : point.notes) {
      const auto seen =
          std::find_if(counted.begin(), counted.end(), [&](const auto& c) { return c.first == note; });
      if (seen == counted.end())
        counted.emplace_back(note, 1);
      else
        ++seen->second;
    }
  std::string out;
  for (const auto& [note, n] : counted)
    out += n == results.points.size()
               ? fmt::format("Note: {}\n", note)
               : fmt::format("Note: {} ({} of {} points)\n", note, n, results.points.size());
  return out;
}

std::string legend(const Results& results) {
  bool has_null = false, has_exact = false;
  for (const Point& point : results.points) {
    has_null = has_null || !point.null_hypotheses.empty();
    for (const Metric& metric : point.metrics) has_exact = has_exact || metric.metric == "exact_power";
  }
  std::string out =
      "± is the Monte Carlo standard error (MCSE); intervals are 95%: Wilson for proportions of "
      "trials, normal "
      "for means and rates.\n";
  if (has_null)
    out +=
        "Type I error: the probability to reject a hypothesis whose null is true, where power has no "
        "meaning.\n";
  if (has_exact) out += "Exact: by enumeration of all outcomes, free of Monte Carlo error.\n";
  return out;
}

// Sentence parts joined by commas, broken at the width.
std::string flowed(const std::vector<std::string>& parts, std::size_t width) {
  std::string out, line;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string part = i + 1 < parts.size() ? parts[i] + ", " : parts[i];
    if (!line.empty() && n_characters(line) + n_characters(part) > width) {
      out += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
      line.clear();
    }
    line += part;
  }
  return out + line + '\n';
}

}  // namespace

std::string text_table(const Results& results, const TableOptions& options) {
  std::vector<std::string> heading{"study " + results.study, fmt::format("seed {}", results.seed)};
  if (!results.points.empty() && is_common(results, &Point::n_trials))
    heading.push_back(fmt::format("{} trials{}", results.points.front().n_trials,
                                  results.points.size() > 1 ? " for each row" : ""));
  const Content content(results);
  const Grid grid = main_grid(results, content, heading);
  std::string out = flowed(heading, options.width);
  if (results.interrupted) out += "INTERRUPTED: not every trial asked for was simulated.\n";
  if (results.points.empty()) return out + "no results\n";
  out += '\n' + render(grid, options.width);
  if (!content.unplaced().empty())
    out += '\n' + render(further_grid(content.unplaced()), options.width);
  const std::string noted = notes(results);
  if (!noted.empty()) out += '\n' + noted;
  return out + '\n' + legend(results);
}

}  // namespace trialwright::report
