#include "engine/row_layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/csv_field.hpp"
#include "trial/patient_rows.hpp"

namespace trialwright::engine {
namespace {

std::string ending_of(const scenario::OutputsSpec& outputs) {
  switch (outputs.compression) {
    case scenario::Compression::none:
      return "csv";
    case scenario::Compression::gzip:
      return "csv.gz";
  }
  return {};
}

std::string_view name_of(RowKind kind) {
  return kind == RowKind::trials ? "trials" : "patients";
}

}  // namespace

bool asks_for(const scenario::OutputsSpec& outputs, RowKind kind) {
  return kind == RowKind::trials ? outputs.trials : outputs.patients_of_trials > 0;
}

std::vector<std::string> axis_paths(std::span<const scenario::PointSpec> points) {
  std::vector<std::string> paths;
  for (const auto& point : points)
    for (const auto& [path, value] : point.sweep)
      if (std::find(paths.begin(), paths.end(), path) == paths.end()) paths.push_back(path);
  return paths;
}

std::string point_fields(const scenario::PointSpec& point, const std::vector<std::string>& paths) {
  std::string fields =
      fmt::format("{},{},", base::csv_field(point.design), base::csv_field(point.scenario));
  for (const auto& path : paths) {
    const auto axis = std::find_if(point.sweep.begin(), point.sweep.end(),
                                   [&](const auto& setting) { return setting.first == path; });
    if (axis != point.sweep.end()) fields += base::csv_field(axis->second.text);
    fields += ',';
  }
  return fields;
}

std::vector<std::string> estimand_columns(const scenario::StudySpec& spec) {
  std::vector<bool> is_read(spec.estimands.size(), false);
  const auto mark = [&](int i_estimand) { is_read[static_cast<std::size_t>(i_estimand)] = true; };
  const auto read = [&](int i_analysis) {
    mark(spec.analyses[static_cast<std::size_t>(i_analysis)].estimand);
  };
  for (const auto& design : spec.designs) {
    read(design.primary);
    std::for_each(design.secondary.begin(), design.secondary.end(), read);
    if (const auto* selection = std::get_if<design::SelectionSpec>(&design.rules)) {
      if (selection->on >= 0) mark(selection->on);
      if (selection->safety) mark(selection->safety->estimand);
    }
  }
  std::vector<std::string> columns;
  for (std::size_t i = 0; i < is_read.size(); ++i)
    if (is_read[i]) columns.push_back(spec.estimands[i].name);
  return columns;
}

trial::RowColumns row_columns(const scenario::StudySpec& spec) {
  const bool is_staged = std::any_of(spec.designs.begin(), spec.designs.end(), [](const auto& design) {
    const bool has_looks = design.kind() != design::DesignKind::fixed &&
                           design.kind() != design::DesignKind::randomised_withdrawal;
    return has_looks || design.subgroup();
  });
  return is_staged ? trial::RowColumns::of_staged_designs : trial::RowColumns::of_fixed_designs;
}

std::string first_line(const scenario::Study& study, RowKind kind) {
  std::string line = "design,scenario,";
  for (const auto& path : axis_paths(study.points())) line += base::csv_field(path) + ',';
  const auto columns = row_columns(study.spec());
  if (kind == RowKind::patients) {
    line += "trial," + trial::PatientRows::columns(*study.spec().calibrated,
                                                   estimand_columns(study.spec()), columns);
  } else {
    line += trial::k_trial_columns;
    if (columns == trial::RowColumns::of_staged_designs) line += trial::k_staged_trial_columns;
  }
  return line += '\n';
}

std::string row_file_name(RowKind kind, const scenario::OutputsSpec& outputs, std::string_view mark) {
  return fmt::format("{}{}.{}", name_of(kind), mark, ending_of(outputs));
}

std::string PartName::text() const {
  return fmt::format("{}.{}.{}.{}", stem, content, number, ending);
}

PartName part_name(std::string stem, RowKind kind, const scenario::OutputsSpec& outputs,
                   std::uint64_t number) {
  std::string content(name_of(kind));
  if (kind == RowKind::patients) content += fmt::format("{}", outputs.patients_of_trials);
  return {std::move(stem), std::move(content), number, ending_of(outputs)};
}

std::optional<PartName> read_part_name(std::string_view name) {
  const auto first = name.find('.');
  const auto second = first == name.npos ? first : name.find('.', first + 1);
  const auto third = second == name.npos ? second : name.find('.', second + 1);
  if (third == name.npos) return std::nullopt;
  PartName part{std::string(name.substr(0, first)),
                std::string(name.substr(first + 1, second - first - 1)), 0,
                std::string(name.substr(third + 1))};
  const auto [end, error] = std::from_chars(name.data() + second + 1, name.data() + third, part.number);
  const bool is_known = part.content.starts_with(name_of(RowKind::trials)) ||
                        part.content.starts_with(name_of(RowKind::patients));
  const bool is_csv = part.ending == "csv" || part.ending == "csv.gz";
  if (error != std::errc() || end != name.data() + third || !is_known || !is_csv) return std::nullopt;
  return part;
}

}  // namespace trialwright::engine
