// trials.csv and patients.csv from the engine: what they hold, and that their bytes depend on the study
// alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdlib>
#include <fstream>
#include <limits>
#include <map>
#include <sstream>

#include "base/durable_file.hpp"
#include "engine/row_files.hpp"
#include "engine/row_layout.hpp"
#include "engine/row_recorder.hpp"
#include "engine/run_study.hpp"
#include "support/csv_rows.hpp"
#include "support/studies.hpp"
#include "support/temporary_directory.hpp"
#include "trialwright/error.hpp"

namespace trialwright::engine {
namespace {

namespace fs = std::filesystem;
using support::CsvRow;
using support::TemporaryDirectory;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::uint64_t k_all = std::numeric_limits<std::uint64_t>::max();

// Two designs that read different estimands, two truths, a swept size.
std::string study_text(const std::string& outputs, const std::string& engine, std::uint64_t trials) {
  return "designs:\n"
         "  small: {kind: fixed, arms: {placebo: 1, hcmsc: 1}, patients: 40, primary: easi50_superiority}\n"
         "  large: {kind: fixed, arms: {placebo: 1, hcmsc: 2}, patients: 90, primary: easi75_superiority,\n"
         "          secondary: [easi50_superiority]}\n"
         "scenarios: {truth: {effect: 1}, null: {effect: 0}}\n"
         "sweep: {designs.small.patients: [40, 60]}\n"
         "simulation: {seed: 7, engine: " +
         engine + ", trials: " + std::to_string(trials) +
         "}\n"
         "outputs: " +
         outputs + "\n";
}

class Nothing final : public Keeper {
 public:
  void keep(std::vector<Piece>, std::vector<PointValues>) override {}
  std::optional<std::chrono::steady_clock::duration> interval() override { return every; }
  std::optional<std::chrono::steady_clock::duration> every;
};

// Stops after so many reports of trials.
class Stopper final : public Monitor {
 public:
  explicit Stopper(int n_reports) : n_left_(n_reports) {}
  void begin(Phase phase) override { phase_ = phase; }
  void progress(std::uint64_t, std::uint64_t) override { n_left_ -= phase_ == Phase::trials ? 1 : 0; }
  bool stop_requested() override { return n_left_ <= 0; }

 private:
  Phase phase_ = Phase::true_values;
  int n_left_;
};

RowSegments rows_of(const StudyPlan& plan, const Ledger& ledger, const fs::path& directory) {
  RowSegments rows;
  for (const std::size_t i : plan.i_points) add_rows(ledger.pieces(i), k_all, directory, rows);
  return rows;
}

// A whole run in `directory`, stopped `n_stops` times and gone on with by a new recorder.
Results run(const scenario::Study& study, const fs::path& directory, int n_threads, int n_stops = 0) {
  const auto plan = plan_study(study, n_threads);
  Ledger ledger(plan.points.size());
  Nothing saver;
  saver.every = std::chrono::milliseconds(50);
  Results results;
  for (int i = 0; i <= n_stops; ++i) {
    RowRecorder recorder(study, plan.points, directory, "1-of-1");
    // A point drawn as counts has 32 blocks of calendars.
    const int n_reports = study.spec().simulation.engine == scenario::EngineChoice::counts ? 40 : 8;
    Stopper stopper(i < n_stops ? n_reports : std::numeric_limits<int>::max());
    results = run_study(study, plan, ledger, saver, n_threads, &stopper, &recorder);
  }
  const auto rows = rows_of(plan, ledger, directory);
  write_row_files(study, rows, directory, Extent::whole);
  remove_unreferenced_parts(directory, "1-of-1", rows);
  return results;
}

std::string unpacked(const fs::path& file) {
  const gzFile stream = ::gzopen(file.c_str(), "rb");
  std::string text;
  char buffer[1 << 14];
  for (int n = 0; (n = ::gzread(stream, buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(n));
  ::gzclose(stream);
  return text;
}

std::size_t n_parts(const fs::path& directory) {
  std::size_t n = 0;
  for (const auto& entry : fs::directory_iterator(directory))
    n += read_part_name(entry.path().filename().string()) ? 1 : 0;
  return n;
}

std::vector<CsvRow> rows_in(const std::string& text) {
  std::istringstream stream(text);
  std::string line;
  std::getline(stream, line);
  const auto names = support::csv_fields(line);
  std::vector<CsvRow> rows;
  while (std::getline(stream, line)) {
    const auto fields = support::csv_fields(line);
    EXPECT_EQ(fields.size(), names.size()) << line;
    for (std::size_t i = 0; i < fields.size() && i < names.size(); ++i)
      (i == 0 ? rows.emplace_back() : rows.back())[names[i]] = fields[i];
  }
  return rows;
}

double number(const std::string& text) {
  return std::strtod(text.c_str(), nullptr);
}

struct Aggregate {
  std::uint64_t n = 0, n_rejected = 0, n_failed = 0, n_defined = 0, n_calendars = 0;
  std::array<std::uint64_t, 4> counts{};
  stats::Moments estimate, screened, enrolment, duration;
};

std::map<std::string, Aggregate> aggregated(const std::vector<CsvRow>& rows) {
  std::map<std::string, Aggregate> sums;
  std::map<std::string, std::uint64_t> next;
  for (const auto& row : rows) {
    const auto key = row.at("design") + " " + row.at("scenario") + " " +
                     row.at("designs.small.patients") + " " + row.at("hypothesis");
    Aggregate& sum = sums[key];
    EXPECT_EQ(row.at("trial"), std::to_string(next[key]++));
    ++sum.n;
    sum.n_rejected += row.at("rejected") == "1";
    sum.n_failed += row.at("failed") == "1";
    if (!row.at("estimate").empty()) sum.estimate.add(number(row.at("estimate")));
    const std::array columns{"events_active", "patients_active", "events_control", "patients_control"};
    for (std::size_t i = 0; i < 4; ++i)
      sum.counts[i] += static_cast<std::uint64_t>(number(row.at(columns[i])));
    if (row.at("n_screened").empty()) continue;
    sum.screened.add(number(row.at("n_screened")));
    sum.enrolment.add(number(row.at("enrolment_months")));
    sum.duration.add(number(row.at("duration_months")));
  }
  return sums;
}

double metric(const Point& point, const std::string& name, const std::string& hypothesis,
              const std::string& arm = "") {
  for (const auto& metric : point.metrics)
    if (metric.metric == name && metric.hypothesis == hypothesis && metric.arm == arm)
      return metric.estimate;
  ADD_FAILURE() << name << ' ' << hypothesis << ' ' << arm;
  return 0;
}

void expect_the_sums_of(const std::vector<CsvRow>& rows, const Results& results) {
  const auto sums = aggregated(rows);
  std::size_t n_checked = 0;
  for (const auto& point : results.points) {
    std::uint64_t n_failed = 0;
    for (const char* hypothesis : {"easi50_superiority", "easi75_superiority"}) {
      const auto key = point.design + " " + point.scenario + " " +
                       (point.sweep.empty() ? "" : point.sweep[0].value) + " " + hypothesis;
      if (!sums.contains(key)) continue;
      ++n_checked;
      const auto& sum = sums.at(key);
      const auto n = static_cast<double>(sum.n);
      EXPECT_EQ(sum.n, point.n_trials);
      EXPECT_EQ(metric(point, "power", hypothesis), static_cast<double>(sum.n_rejected) / n);
      EXPECT_EQ(metric(point, "event_rate", hypothesis, "hcmsc"),
                static_cast<double>(sum.counts[0]) / static_cast<double>(sum.counts[1]));
      EXPECT_EQ(metric(point, "event_rate", hypothesis, "placebo"),
                static_cast<double>(sum.counts[2]) / static_cast<double>(sum.counts[3]));
      EXPECT_NEAR(metric(point, "mean_estimate", hypothesis), sum.estimate.mean(), 1e-14);
      EXPECT_NEAR(metric(point, "screened_patients", ""), sum.screened.mean(), 1e-11);
      EXPECT_NEAR(metric(point, "enrolment_months", ""), sum.enrolment.mean(), 1e-11);
      EXPECT_NEAR(metric(point, "duration_months", ""), sum.duration.mean(), 1e-11);
      n_failed += sum.n_failed;
    }
    EXPECT_EQ(point.n_failed_analyses, n_failed);
  }
  EXPECT_EQ(n_checked, sums.size());
  EXPECT_EQ(n_checked, 8U);
}

TEST(Rows, AggregateToTheResults) {
  for (const auto& [engine, trials] : {std::pair{"counts", 5000}, std::pair{"patients", 300}}) {
    const auto study =
        support::study(study_text("{trials: true}", engine, static_cast<std::uint64_t>(trials)));
    const TemporaryDirectory directory;
    const auto results = run(study, directory.path(), 2);
    expect_the_sums_of(rows_in(base::read_file(directory.path() / "trials.csv")), results);
  }
}

TEST(Rows, AreTheSameBytesOnAnyThreadsStoppedOrNot) {
  for (const char* engine : {"counts", "patients"}) {
    const std::uint64_t trials = engine == std::string("counts") ? 150'000 : 6000;
    const std::string patients = engine == std::string("counts") ? "0" : "40";
    const auto outputs = [&](const std::string& compression) {
      return "{trials: true, patients: " + patients + ", compression: " + compression + "}";
    };
    const auto plain = support::study(study_text(outputs("none"), engine, trials));
    const auto packed = support::study(study_text(outputs("gzip"), engine, trials));
    const TemporaryDirectory one, three, stopped, packed_one, packed_stopped;
    run(plain, one.path(), 1);
    run(plain, three.path(), 3);
    run(plain, stopped.path(), 2, 3);
    run(packed, packed_one.path(), 1);
    run(packed, packed_stopped.path(), 3, 2);
    EXPECT_GE(n_parts(stopped.path()), n_parts(one.path()) + 2);
    EXPECT_GT(n_parts(packed_stopped.path()), n_parts(packed_one.path()));
    for (const std::string name : {"trials.csv", "patients.csv"}) {
      if (name == "patients.csv" && patients == "0") continue;
      const auto wanted = base::read_file(one.path() / name);
      EXPECT_TRUE(base::read_file(three.path() / name) == wanted);
      EXPECT_TRUE(base::read_file(stopped.path() / name) == wanted);
      EXPECT_TRUE(unpacked(packed_one.path() / (name + ".gz")) == wanted);
      EXPECT_TRUE(base::read_file(packed_one.path() / (name + ".gz")) ==
                  base::read_file(packed_stopped.path() / (name + ".gz")));
      EXPECT_GT(wanted.size(), 100'000U);
    }
  }
}

TEST(Rows, MoreTrialsLaterAreMoreOfTheSame) {
  const TemporaryDirectory once, twice;
  const auto few = support::study(study_text("{trials: true, compression: gzip}", "counts", 40'000));
  const auto many = support::study(study_text("{trials: true, compression: gzip}", "counts", 150'000));
  run(many, once.path(), 2);
  Nothing saver;
  const auto plan = plan_study(few, 2);
  Ledger ledger(plan.points.size());
  for (const auto* study : {&few, &many}) {
    const auto again = plan_study(*study, 2);
    RowRecorder recorder(*study, again.points, twice.path(), "1-of-1");
    run_study(*study, again, ledger, saver, 2, nullptr, &recorder);
  }
  const auto rows = rows_of(plan, ledger, twice.path());
  write_row_files(many, rows, twice.path(), Extent::whole);
  EXPECT_TRUE(base::read_file(once.path() / "trials.csv.gz") ==
              base::read_file(twice.path() / "trials.csv.gz"));
  // What the last block that was cut short has left is nobody's.
  EXPECT_TRUE(fs::exists(twice.path() / "1-of-1.trials.1.csv.gz"));
  EXPECT_TRUE(fs::exists(twice.path() / "1-of-1.trials.2.csv.gz"));
}

TEST(Rows, PatientsAreThoseOfTheTrialsAndNoResultMoves) {
  const auto with = support::study(study_text("{trials: true, patients: 20}", "patients", 200));
  const auto without = support::study(study_text("{}", "patients", 200));
  const TemporaryDirectory directory;
  const auto results = run(with, directory.path(), 2);
  const auto bare = run_study(without, 2, nullptr);
  ASSERT_EQ(results.points.size(), bare.points.size());
  EXPECT_EQ(with.hash(), without.hash());
  for (std::size_t i = 0; i < bare.points.size(); ++i)
    for (std::size_t m = 0; m < bare.points[i].metrics.size(); ++m)
      EXPECT_EQ(results.points[i].metrics[m].estimate, bare.points[i].metrics[m].estimate);

  // [point and trial][estimand and arm]: responders and patients.
  std::map<std::string, std::map<std::string, std::pair<int, int>>> counted;
  const auto patients = rows_in(base::read_file(directory.path() / "patients.csv"));
  const auto key_of = [](const CsvRow& row) {
    return row.at("design") + row.at("scenario") + row.at("designs.small.patients") + "/" +
           row.at("trial");
  };
  for (const auto& row : patients)
    for (const char* estimand : {"easi50", "easi75"}) {
      auto& [responders, n] = counted[key_of(row)][estimand + row.at("arm")];
      responders += row.at(estimand) == "1";
      n += !row.at(estimand).empty();
    }
  EXPECT_EQ(patients.size(), 20U * 2 * (40 + 60 + 90));
  EXPECT_EQ(counted.size(), 20U * 6);
  for (const auto& row : rows_in(base::read_file(directory.path() / "trials.csv"))) {
    if (number(row.at("trial")) >= 20) continue;
    const auto estimand = row.at("hypothesis").substr(0, 6);
    const auto& counts = counted.at(key_of(row));
    EXPECT_EQ(std::to_string(counts.at(estimand + "hcmsc").first), row.at("events_active"));
    EXPECT_EQ(std::to_string(counts.at(estimand + "hcmsc").second), row.at("patients_active"));
    EXPECT_EQ(std::to_string(counts.at(estimand + "placebo").first), row.at("events_control"));
    EXPECT_EQ(std::to_string(counts.at(estimand + "placebo").second), row.at("patients_control"));
  }
}

TEST(Rows, PartNamesTellWhatTheyHold) {
  scenario::OutputsSpec outputs;
  outputs.trials = true;
  outputs.patients_of_trials = 10;
  outputs.compression = scenario::Compression::gzip;
  EXPECT_EQ(part_name("3-of-40", RowKind::trials, outputs, 2).text(), "3-of-40.trials.2.csv.gz");
  EXPECT_EQ(part_name("3-of-40", RowKind::patients, outputs, 1).text(), "3-of-40.patients10.1.csv.gz");
  const auto part = read_part_name("3-of-40.patients10.12.csv.gz");
  ASSERT_TRUE(part);
  EXPECT_EQ(part->stem, "3-of-40");
  EXPECT_EQ(part->number, 12U);
  for (const char* name : {"3-of-40.shard", "3-of-40.journal", "trials.csv", "3-of-40.trials.x.csv",
                           "3-of-40.trials.1.csv.bz2", "3-of-40.visits.1.csv", "rounds", ""})
    EXPECT_FALSE(read_part_name(name)) << name;
}

TEST(Rows, PiecesMadeForOtherOutputsAreTold) {
  scenario::OutputsSpec outputs;
  Piece piece;
  piece.range = {0, 64};
  EXPECT_FALSE(lacking_rows(piece, outputs));
  outputs.trials = true;
  EXPECT_THAT(lacking_rows(piece, outputs).value_or(""), HasSubstr("without rows for trials.csv"));
  piece.rows[0] = {{"1-of-1.trials.1.csv", 0, 100}};
  EXPECT_FALSE(lacking_rows(piece, outputs));
  outputs.compression = scenario::Compression::gzip;
  EXPECT_THAT(lacking_rows(piece, outputs).value_or(""), HasSubstr("other `outputs`"));
  outputs.compression = scenario::Compression::none;
  outputs.patients_of_trials = 10;
  EXPECT_TRUE(lacking_rows(piece, outputs));
  piece.rows[1] = {{"1-of-1.patients10.1.csv", 0, 100}};
  EXPECT_FALSE(lacking_rows(piece, outputs));
  outputs.patients_of_trials = 20;
  EXPECT_TRUE(lacking_rows(piece, outputs));
  outputs.patients_of_trials = 10;
  piece.range = {64, 128};
  piece.rows[1].clear();
  EXPECT_FALSE(lacking_rows(piece, outputs));
  piece.track = Track::calendars;
  piece.rows[0].clear();
  EXPECT_FALSE(lacking_rows(piece, outputs));
}

TEST(Rows, APartThatIsCutOrGoneIsToldAndNothingIsWritten) {
  const auto study = support::study(study_text("{trials: true}", "counts", 100));
  const TemporaryDirectory directory;
  const auto part = directory.path() / "1-of-1.trials.1.csv";
  RowSegments rows;
  rows[0] = {{part.string(), 0, 10}};
  const auto complaint = [&] {
    try {
      write_row_files(study, rows, directory.path(), Extent::whole);
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), ExitStatus::io);
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(complaint(), HasSubstr("1-of-1.trials.1.csv: rows that the results need cannot be read"));
  base::write_file(part, "12345");
  EXPECT_THAT(complaint(), HasSubstr("ends at byte 5"));
  EXPECT_FALSE(fs::exists(directory.path() / "trials.csv"));
  base::write_file(part, "0123456789 and more");
  EXPECT_EQ(complaint(), "");
  EXPECT_THAT(base::read_file(directory.path() / "trials.csv"),
              testing::EndsWith("duration_months\n0123456789"));
}

TEST(Rows, PartialFilesSaySoUntilTheWholeOnesAreThere) {
  const auto study = support::study(study_text("{trials: true, compression: gzip}", "counts", 100));
  const TemporaryDirectory directory;
  EXPECT_THAT(write_row_files(study, {}, directory.path(), Extent::partial),
              ElementsAre("trials.partial.csv.gz"));
  EXPECT_TRUE(fs::exists(directory.path() / "trials.partial.csv.gz"));
  EXPECT_THAT(write_row_files(study, {}, directory.path(), Extent::whole),
              ElementsAre("trials.csv.gz"));
  EXPECT_FALSE(fs::exists(directory.path() / "trials.partial.csv.gz"));
  EXPECT_THAT(unpacked(directory.path() / "trials.csv.gz"),
              testing::StartsWith("design,scenario,designs.small.patients,trial,hypothesis,"));
}

TEST(Rows, PartsThatNothingRefersToAreDeleted) {
  const TemporaryDirectory directory;
  for (const char* name : {"1-of-4.trials.1.csv", "1-of-4.trials.2.csv", "1-of-4.patients10.3.csv",
                           "11-of-40.trials.1.csv", "1-of-4.shard"})
    base::write_file(directory.path() / name, "x");
  RowSegments referred;
  referred[0] = {{(directory.path() / "1-of-4.trials.2.csv").string(), 0, 1}};
  remove_unreferenced_parts(directory.path(), "1-of-4", referred);
  std::vector<std::string> left;
  for (const auto& entry : fs::directory_iterator(directory.path()))
    left.push_back(entry.path().filename().string());
  EXPECT_THAT(left, testing::UnorderedElementsAre("1-of-4.trials.2.csv", "11-of-40.trials.1.csv",
                                                  "1-of-4.shard"));
}

}  // namespace
}  // namespace trialwright::engine
