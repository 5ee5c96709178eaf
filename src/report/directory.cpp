#include "report/directory.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/durable_file.hpp"
#include "report/csv.hpp"
#include "report/json.hpp"
#include "trialwright/error.hpp"

namespace trialwright::report {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

std::string content_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

// The study_hash that a JSON file in the directory states: none where there is no such file, "" where
// the file is not one of ours.
std::optional<std::string> stated_hash(const fs::path& file) {
  std::error_code error;
  if (!fs::exists(fs::symlink_status(file, error))) return std::nullopt;
  const Json json = Json::parse(content_of(file), nullptr, false);
  if (!json.is_object() || !json.contains("study_hash") || !json["study_hash"].is_string()) return "";
  return json["study_hash"].get<std::string>();
}

void check_owner(const fs::path& directory, std::string_view study_hash) {
  for (const char* name : {"manifest.json", "results.json"}) {
    const auto stated = stated_hash(directory / name);
    if (!stated) continue;
    if (*stated == study_hash) return;
    if (stated->empty())
      throw io_error(
          fmt::format("{}: holds a {} that is not from a run of this program; choose another directory",
                      directory.string(), name));
    throw io_error(
        fmt::format("{}: holds the results of another study ({} says study_hash {}, this study has "
                    "{}); choose another "
                    "directory or empty this one",
                    directory.string(), name, *stated, study_hash));
  }
  for (const char* name : {"results.csv", "resolved.yaml"})
    if (fs::exists(directory / name))
      throw io_error(
          fmt::format("{}: holds a {} without a manifest.json that tells whose it is; choose another "
                      "directory",
                      directory.string(), name));
}

std::optional<Results> standing_results(const fs::path& directory) {
  const fs::path file = directory / "results.json";
  std::error_code error;
  if (!fs::exists(file, error)) return std::nullopt;
  return read_json(content_of(file), file.string());
}

bool is_same(const Point& a, const Point& b) {
  return a.design == b.design && a.scenario == b.scenario &&
         std::equal(a.sweep.begin(), a.sweep.end(), b.sweep.begin(), b.sweep.end(),
                    [](const AxisValue& x, const AxisValue& y) {
                      return x.path == y.path && x.value == y.value;
                    });
}

bool is_incomplete(const Results& results) {
  return results.interrupted || results.partial;
}

// Would something be lost if `results` took the place of what stands, both as read from JSON?
bool holds_more(const Results& standing, const Results& results) {
  if (is_incomplete(results) && !is_incomplete(standing)) return true;
  // Both have their points in the study's order, with gaps: what is sought most often comes next.
  std::size_t next = 0;
  const auto& points = results.points;
  return std::any_of(standing.points.begin(), standing.points.end(), [&](const Point& point) {
    for (std::size_t k = 0; k < points.size(); ++k) {
      const std::size_t i = (next + k) % points.size();
      if (!is_same(point, points[i])) continue;
      next = i + 1;
      return points[i].n_trials < point.n_trials;
    }
    return true;
  });
}

// Partial results never stand where whole ones do.
fs::path place_of(const fs::path& directory, const Results& results, int i) {
  if (i == 0 && !results.partial) return directory;
  const char* name = results.partial ? "partial" : "interrupted";
  const int number = results.partial ? i + 1 : i;
  return directory / (number == 1 ? name : fmt::format("{}-{}", name, number));
}

// The first of the directory and its sub-directories for incomplete results where nothing is lost.
fs::path place_for(const fs::path& directory, const Results& results) {
  const Results written = read_json(write_json(results));
  for (int i = 0;; ++i) {
    const fs::path place = place_of(directory, results, i);
    try {
      const auto standing = standing_results(place);
      if (!standing || !holds_more(*standing, written)) return place;
    } catch (const Error&) {
      // What cannot be read may be anything, and stays too.
    }
  }
}

std::string manifest_text(const Results& results, const Manifest& manifest) {
  Json json;
  json["study"] = results.study;
  json["study_hash"] = results.study_hash;
  json["version"] = results.version;
  for (const auto& [key, value] : manifest)
    std::visit([&, &key = key](const auto& v) { json[key] = v; }, value);
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace

void claim_directory(const fs::path& directory, std::string_view study_hash) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error)
    throw io_error(fmt::format("{}: cannot be made ({})", directory.string(), error.message()));
  if (!fs::is_directory(directory)) base::fail_io(directory, "cannot be used", ENOTDIR);
  if (::access(directory.c_str(), W_OK | X_OK) != 0)
    base::fail_io(directory, "cannot be written to", errno);
  check_owner(directory, study_hash);
}

std::uint64_t most_trials_in(const fs::path& directory) {
  const auto standing = standing_results(directory);
  std::uint64_t most = 0;
  if (standing)
    for (const Point& point : standing->points) most = std::max(most, point.n_trials);
  return most;
}

void refuse_fewer_trials(const fs::path& directory, std::uint64_t n_trials) {
  const std::uint64_t most = most_trials_in(directory);
  if (most > n_trials)
    throw io_error(fmt::format(
        "{}: holds {} trials a point of this study, which {} trials would replace (nothing that is there is "
        "thrown away); choose another directory with -o DIR",
        directory.string(), most, n_trials));
}

fs::path claim_place(const fs::path& asked, const Results& results) {
  claim_directory(asked, results.study_hash);
  const fs::path directory = place_for(asked, results);
  if (directory != asked) claim_directory(directory, results.study_hash);
  return directory;
}

fs::path write_directory(const fs::path& asked, const Results& results, std::string_view resolved_yaml,
                         const Manifest& manifest) {
  const fs::path directory = claim_place(asked, results);
  // The manifest first: from then on the directory is known to be this study's. The results last: where
  // they stand, all stands.
  base::write_file(directory / "manifest.json", manifest_text(results, manifest));
  base::write_file(directory / "resolved.yaml", resolved_yaml);
  base::write_file(directory / "results.csv", write_csv(results));
  base::write_file(directory / "results.json", write_json(results));
  return directory;
}

}  // namespace trialwright::report
