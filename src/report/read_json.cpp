#include <algorithm>
#include <limits>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "report/json.hpp"
#include "report/numbers.hpp"
#include "trialwright/error.hpp"

namespace trialwright::report {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view k_format = "trialwright-results/1";

[[noreturn]] void fail(std::string_view name, std::string_view problem) {
  throw io_error(fmt::format("{}: {}", name, problem));
}

// One JSON object, asked key by key; what nobody asked for is a fault.
class ObjectReader {
 public:
  ObjectReader(const Json& json, std::string_view name, std::string path)
      : json_(json), name_(name), path_(std::move(path)) {
    if (!json.is_object())
      fail(name_, fmt::format("{} is not an object", path_.empty() ? "the whole" : path_));
  }

  bool has(const char* key) const { return json_.contains(key); }
  std::string path_of(std::string_view key) const {
    return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
  }
  std::string_view name() const { return name_; }

  const Json& at(const char* key) {
    asked_.insert(key);
    const auto found = json_.find(key);
    if (found == json_.end()) fail(name_, fmt::format("{} is missing", path_of(key)));
    return *found;
  }
  std::string text(const char* key) {
    const Json& value = at(key);
    if (!value.is_string()) wrong(key, "a text");
    return value.get<std::string>();
  }
  std::string optional_text(const char* key) { return has(key) ? text(key) : std::string(); }
  std::uint64_t count(const char* key) {
    const Json& value = at(key);
    if (!value.is_number_unsigned()) wrong(key, "a count");
    return value.get<std::uint64_t>();
  }
  double number(const char* key) {
    const Json& value = at(key);
    if (value.is_null()) return std::numeric_limits<double>::quiet_NaN();
    if (!value.is_number()) wrong(key, "a number or null");
    return value.get<double>();
  }
  bool flag(const char* key) {
    if (!has(key)) return false;
    const Json& value = at(key);
    if (!value.is_boolean()) wrong(key, "true or false");
    return value.get<bool>();
  }
  const Json& array(const char* key) {
    const Json& value = at(key);
    if (!value.is_array()) wrong(key, "an array");
    return value;
  }
  std::vector<std::string> texts(const char* key) {
    std::vector<std::string> values;
    for (const Json& value : array(key)) {
      if (!value.is_string()) wrong(key, "an array of texts");
      values.push_back(value.get<std::string>());
    }
    return values;
  }
  [[noreturn]] void wrong(const char* key, std::string_view need) const {
    fail(name_, fmt::format("{} is not {}", path_of(key), need));
  }
  void refuse_others() const {
    for (const auto& [key, value] : json_.items())
      if (!asked_.contains(key)) fail(name_, fmt::format("{} is not a known key", path_of(key)));
  }

 private:
  const Json& json_;
  std::string_view name_;
  std::string path_;
  std::set<std::string> asked_;
};

Metric read_metric(ObjectReader object, std::uint64_t n_trials_of_point) {
  Metric metric;
  metric.metric = object.text("metric");
  metric.hypothesis = object.optional_text("hypothesis");
  if (object.has("look")) {
    const std::uint64_t look = object.count("look");
    if (look < 1 || look > std::numeric_limits<int>::max())
      object.wrong("look", "a look, counted from 1");
    metric.look = static_cast<int>(look);
  }
  metric.reason = object.optional_text("reason");
  metric.arm = object.optional_text("arm");
  metric.scale = object.optional_text("scale");
  metric.estimate = object.number("estimate");
  metric.mcse = object.number("mcse");
  metric.lower = object.number("lower");
  metric.upper = object.number("upper");
  metric.n_trials = object.has("n_trials") ? object.count("n_trials") : n_trials_of_point;
  object.refuse_others();
  return metric;
}

Point read_point(ObjectReader object) {
  Point point;
  point.design = object.text("design");
  point.scenario = object.text("scenario");
  if (object.has("null_hypotheses")) point.null_hypotheses = object.texts("null_hypotheses");
  const Json& sweep = object.at("sweep");
  if (!sweep.is_object()) object.wrong("sweep", "an object");
  for (const auto& [path, value] : sweep.items()) {
    if (!value.is_string() && !value.is_number())
      fail(object.name(),
           fmt::format("{}.{} is neither a number nor a text", object.path_of("sweep"), path));
    point.sweep.push_back(
        {path, value.is_string() ? value.get<std::string>() : shortest(value.get<double>())});
  }
  point.n_trials = object.count("n_trials");
  point.engine = object.optional_text("engine");
  point.n_failed_analyses = object.count("n_failed_analyses");
  std::size_t i = 0;
  for (const Json& metric : object.array("metrics"))
    point.metrics.push_back(
        read_metric({metric, object.name(), fmt::format("{}[{}]", object.path_of("metrics"), i++)},
                    point.n_trials));
  if (object.has("notes")) point.notes = object.texts("notes");
  object.refuse_others();
  return point;
}

Json parse(std::string_view text, std::string_view name) {
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& error) {
    const std::size_t byte = std::min(error.byte, text.size());
    const auto line =
        1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(byte), '\n');
    if (error.byte > text.size() || text.find_last_not_of(" \n") + 1 <= error.byte)
      fail(name, fmt::format("cut short at line {} (not whole JSON)", line));
    fail(name, fmt::format("not JSON from line {}, byte {} on", line, error.byte));
  }
}

}  // namespace

Results read_json(std::string_view text, std::string_view name) {
  const Json json = parse(text, name);
  ObjectReader object(json, name, "");
  Results results;
  results.format = object.text("format");
  if (results.format != k_format)
    fail(name, fmt::format("its format is {} (this program reads {})", results.format, k_format));
  results.study = object.text("study");
  results.study_hash = object.text("study_hash");
  results.seed = object.count("seed");
  results.version = object.text("version");
  results.interrupted = object.flag("interrupted");
  results.partial = object.flag("partial");
  std::size_t i = 0;
  for (const Json& point : object.array("points"))
    results.points.push_back(read_point({point, name, fmt::format("points[{}]", i++)}));
  object.refuse_others();
  return results;
}

}  // namespace trialwright::report
