#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "base/csv_field.hpp"
#include "report/csv.hpp"
#include "report/numbers.hpp"

namespace trialwright::report {
namespace {

using base::csv_field;

std::vector<std::string> axis_paths(const Results& results) {
  std::vector<std::string> paths;
  for (const Point& point : results.points)
    for (const AxisValue& axis : point.sweep)
      if (std::find(paths.begin(), paths.end(), axis.path) == paths.end()) paths.push_back(axis.path);
  return paths;
}

std::string point_fields(const Point& point, const std::vector<std::string>& paths) {
  std::string fields = fmt::format("{},{},", csv_field(point.design), csv_field(point.scenario));
  for (const std::string& path : paths) {
    const auto axis = std::find_if(point.sweep.begin(), point.sweep.end(),
                                   [&](const AxisValue& candidate) { return candidate.path == path; });
    if (axis != point.sweep.end()) fields += csv_field(axis->value);
    fields += ',';
  }
  return fields;
}

}  // namespace

std::string write_csv(const Results& results) {
  const auto paths = axis_paths(results);
  std::string out = "design,scenario,";
  for (const std::string& path : paths) out += csv_field(path) + ',';
  const bool is_incomplete = results.interrupted || results.partial;
  out += "metric,hypothesis,look,reason,arm,estimate,mcse,lower,upper,n_trials";
  out += is_incomplete ? ",partial\n" : "\n";
  for (const Point& point : results.points) {
    const std::string fields = point_fields(point, paths);
    for (const Metric& metric : point.metrics)
      out += fmt::format(
          "{}{},{},{},{},{},{},{},{},{},{}{}\n", fields, csv_field(metric.metric),
          csv_field(metric.hypothesis), metric.look ? fmt::format("{}", *metric.look) : "",
          csv_field(metric.reason), csv_field(metric.arm), shortest(metric.estimate),
          shortest(metric.mcse), shortest(metric.lower), shortest(metric.upper),
          metric.n_trials > 0 ? fmt::format("{}", metric.n_trials) : "", is_incomplete ? ",true" : "");
  }
  return out;
}

}  // namespace trialwright::report
