#include <cmath>

#include <nlohmann/json.hpp>

#include "report/json.hpp"
#include "report/numbers.hpp"

namespace trialwright::report {
namespace {

using Json = nlohmann::ordered_json;

Json number(double value) {
  if (!std::isfinite(value)) return nullptr;
  if (value == std::floor(value) && std::abs(value) < 1e15) return static_cast<std::int64_t>(value);
  return value;
}

Json metric_json(const Metric& metric, std::uint64_t n_trials_of_point) {
  Json json;
  json["metric"] = metric.metric;
  if (!metric.hypothesis.empty()) json["hypothesis"] = metric.hypothesis;
  if (metric.look) json["look"] = *metric.look;
  if (!metric.reason.empty()) json["reason"] = metric.reason;
  if (!metric.arm.empty()) json["arm"] = metric.arm;
  if (!metric.scale.empty()) json["scale"] = metric.scale;
  json["estimate"] = number(metric.estimate);
  json["mcse"] = number(metric.mcse);
  json["lower"] = number(metric.lower);
  json["upper"] = number(metric.upper);
  if (metric.n_trials != n_trials_of_point) json["n_trials"] = metric.n_trials;
  return json;
}

Json point_json(const Point& point) {
  Json json;
  json["design"] = point.design;
  json["scenario"] = point.scenario;
  if (!point.null_hypotheses.empty()) json["null_hypotheses"] = point.null_hypotheses;
  Json sweep = Json::object();
  for (const AxisValue& axis : point.sweep) {
    const auto value = number_in(axis.value);
    sweep[axis.path] = value ? number(*value) : Json(axis.value);
  }
  json["sweep"] = std::move(sweep);
  json["n_trials"] = point.n_trials;
  if (!point.engine.empty()) json["engine"] = point.engine;
  json["n_failed_analyses"] = point.n_failed_analyses;
  Json metrics = Json::array();
  for (const Metric& metric : point.metrics) metrics.push_back(metric_json(metric, point.n_trials));
  json["metrics"] = std::move(metrics);
  if (!point.notes.empty()) json["notes"] = point.notes;
  return json;
}

}  // namespace

std::string write_json(const Results& results) {
  Json json;
  json["format"] = results.format;
  json["study"] = results.study;
  json["study_hash"] = results.study_hash;
  json["seed"] = results.seed;
  json["version"] = results.version;
  if (results.interrupted) json["interrupted"] = true;
  if (results.partial) json["partial"] = true;
  Json points = Json::array();
  for (const Point& point : results.points) points.push_back(point_json(point));
  json["points"] = std::move(points);
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace trialwright::report
