#include "patient/recruitment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/calendar.hpp"
#include "base/contract.hpp"
#include "math/gamma_quantile.hpp"
#include "patient/recruitment_kernels.hpp"
#include "rng/poisson.hpp"
#include "rng/word_list.hpp"

namespace trialwright::patient {

namespace {

// So small a share of the mean rate is nothing, but has a logarithm.
constexpr double k_least = 1e-300;
constexpr std::int64_t k_unlimited = std::numeric_limits<std::int64_t>::max();
// Shares that differ by less are the same.
constexpr double k_least_share = 1e-9;

Region read_region(const std::string& name, input::Reader& reader) {
  Region region;
  region.name = name;
  region.n_sites = static_cast<int>(reader.integer("sites", 1, 10000));
  if (auto startup = reader.optional_map("startup_months")) {
    const std::size_t n_faults = startup->faults().size();
    region.startup_mean_months = startup->number("mean", input::k_non_negative);
    region.startup_sd_months = startup->number("sd", input::k_non_negative, 0.0);
    if (startup->faults().size() == n_faults && region.startup_sd_months > 0 &&
        region.startup_mean_months == 0)
      startup->fault("sd", "start-up times with mean 0 cannot vary");
  }
  auto rate = reader.map("screened_per_site_month");
  region.screened_per_month =
      rate.number("mean", {1e-6, 1e6, false, false, "patients a site and month"});
  region.rate_shape = rate.optional_number("shape", {0.05, 1e6, false, false, "a gamma shape"});
  region.maximum_patients = reader.optional_integer("maximum_patients", 1, k_unlimited);
  region.maximum_share =
      reader.optional_number("maximum_share", {0, 1, true, false, "a share of the trial's patients"});
  if (region.maximum_patients && region.maximum_share)
    reader.fault("maximum_share", "the region is capped twice (by maximum_patients too)",
                 "leave out one of the two");
  region.maximum_patients_per_site =
      reader.optional_integer("maximum_patients_per_site", 1, k_unlimited);
  return region;
}

// Sums of the waiting times up to each, and the last. By fours, so that four sums need not wait for one
// another; which belong together hangs on their number alone.
double add_up(std::span<const float> waitings, std::span<double> sums) {
  double before = 0;
  std::size_t i = 0;
  for (; i + 4 <= waitings.size(); i += 4) {
    const double one = waitings[i], two = one + waitings[i + 1], three = two + waitings[i + 2];
    const double four = three + waitings[i + 3];
    sums[i] = before + one;
    sums[i + 1] = before + two;
    sums[i + 2] = before + three;
    sums[i + 3] = before += four;
  }
  double rest = 0;
  for (std::size_t j = i; j < waitings.size(); ++j) sums[j] = before + (rest += waitings[j]);
  return waitings.empty() ? 0 : sums[waitings.size() - 1];
}

constexpr double k_largest_shape = 1e6;

// The quantile of a gamma at Phi(z), over its mean; of larger shapes by Wilson & Hilferty 1931, right
// to 1e-9 there.
class QuantileOverMean {
 public:
  explicit QuantileOverMean(double shape)
      : shape_(shape), quantile_(std::min(shape, k_largest_shape)) {}
  double operator()(double z) {
    if (shape_ <= k_largest_shape) return quantile_(z) / shape_;
    const double root = 1 - 1 / (9 * shape_) + z / (3 * std::sqrt(shape_));
    return root * root * root;
  }

 private:
  double shape_;
  math::GammaQuantile quantile_;
};

// Sites in the order of their openings, ties by their number. Few of them by counting for each how many
// come before it: the comparisons' outcomes are chance, on which no branch should hang.
void sort_by_opening(std::span<const double> openings, std::span<int> order) {
  constexpr std::size_t k_most_counted = 32;
  const std::size_t n = openings.size();
  if (n > k_most_counted) {
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&](int a, int b) {
      const double at_a = openings[static_cast<std::size_t>(a)];
      const double at_b = openings[static_cast<std::size_t>(b)];
      return at_a != at_b ? at_a < at_b : a < b;
    });
    return;
  }
  for (std::size_t site = 0; site < n; ++site) {
    int rank = 0;
    for (std::size_t other = 0; other < site; ++other)
      rank += openings[other] <= openings[site] ? 1 : 0;
    for (std::size_t other = site + 1; other < n; ++other)
      rank += openings[other] < openings[site] ? 1 : 0;
    order[static_cast<std::size_t>(rank)] = static_cast<int>(site);
  }
}

void fill_no_sites(Cohort& cohort) {
  const auto n = static_cast<std::size_t>(cohort.n_patients);
  std::fill_n(cohort.site.begin(), n, 0);
  std::fill_n(cohort.region.begin(), n, 0);
}

// Of regions capped by shares alone the shares must fill a trial of any size.
void check_shares(const std::vector<Region>& regions, input::Reader& section) {
  double sum = 0;
  for (const auto& region : regions) {
    if (!region.maximum_share || region.maximum_patients) return;
    sum += *region.maximum_share;
  }
  if (regions.empty() || sum >= 1 - k_least_share) return;
  section.fault(
      "regions",
      fmt::format("the regions' maximum_share add up to {:.6g} (no trial would ever be full)", sum),
      "raise them to 1 together, or leave one region without");
}

// Of so many patients, rounded up; a sum like 0.07 * 100 counts as the 7 that it means.
std::int64_t share_of(double share, int n_patients) {
  return static_cast<std::int64_t>(std::ceil(share * n_patients - k_least_share));
}

}  // namespace

Recruitment Recruitment::read(input::Reader& study) {
  Recruitment result;
  const std::size_t faults_before = study.faults().size();
  if (auto section = study.optional_map("recruitment")) {
    result.screens_ = true;
    result.screen_failure_ =
        section->number("screen_failure", {0, 1, false, true, "a probability"}, 0.0);
    result.screening_months_ =
        section->number("screening_weeks", input::k_non_negative, 0.0) / base::k_weeks_per_month;
    for (auto& [name, reader] : section->named("regions"))
      result.regions_.push_back(read_region(name, reader));
    if (result.regions_.empty()) section->fault("regions", "at least one region is needed");
    check_shares(result.regions_, *section);
  }
  if (result.regions_.empty()) result.regions_.emplace_back().name = "all";
  if (study.faults().size() == faults_before) result.make_laws();
  for (std::size_t region = 0; region < result.regions_.size(); ++region)
    result.site_region_.insert(result.site_region_.end(),
                               static_cast<std::size_t>(result.regions_[region].n_sites),
                               static_cast<int>(region));
  return result;
}

std::vector<std::string> Recruitment::region_names() const {
  std::vector<std::string> names;
  for (const auto& region : regions_) names.push_back(region.name);
  return names;
}

std::vector<std::string> Recruitment::site_names() const {
  std::vector<std::string> names;
  for (const auto& region : regions_)
    for (int site = 1; site <= region.n_sites; ++site)
      names.push_back(region.name + " " + std::to_string(site));
  return names;
}

// Of a trial of so many.
double Recruitment::patients_let_in(double n_patients) const {
  double total = 0;
  for (const auto& region : regions_) {
    double most = std::numeric_limits<double>::infinity();
    if (region.maximum_patients) most = static_cast<double>(*region.maximum_patients);
    if (region.maximum_share) most = *region.maximum_share * n_patients;
    if (region.maximum_patients_per_site)
      most = std::min(most, static_cast<double>(*region.maximum_patients_per_site) * region.n_sites);
    total += most;
  }
  return total;
}

// What the caps let in is concave in the trial's size, so that they fill every smaller trial too.
std::int64_t Recruitment::capacity() const {
  const auto fills = [&](std::int64_t n) {
    const auto size = static_cast<double>(n);
    return patients_let_in(size) >= size * (1 - k_least_share);
  };
  std::int64_t filled = 0, not_filled = std::int64_t{1} << 52;
  if (fills(not_filled)) return k_unlimited;
  while (not_filled - filled > 1) {
    const std::int64_t middle = filled + (not_filled - filled) / 2;
    (fills(middle) ? filled : not_filled) = middle;
  }
  return filled;
}

double Recruitment::first_possible_month() const {
  double opening = std::numeric_limits<double>::infinity();
  for (const auto& region : regions_)
    opening = std::min(opening, region.startup_sd_months > 0 ? 0 : region.startup_mean_months);
  return opening + screening_months_;
}

Recruitment::LogGamma::LogGamma(double shape)
    : table_([share = QuantileOverMean(shape)](
                 double z) mutable { return std::log(std::max(share(z), k_least)); },
             -7.0, 7.0, std::size_t{256}) {}

void Recruitment::make_laws() {
  for (const auto& region : regions_) {
    auto& laws = laws_.emplace_back();
    if (region.startup_sd_months > 0) {
      const double ratio = region.startup_mean_months / region.startup_sd_months;
      laws.startup.emplace(ratio * ratio);
    }
    if (region.rate_shape) laws.rate.emplace(*region.rate_shape);
    is_capped_ = is_capped_ || region.maximum_patients || region.maximum_share ||
                 region.maximum_patients_per_site;
  }
}

void Recruitment::prepare(int n_patients, int n_planned, Cohort& cohort) const {
  const auto n = static_cast<std::size_t>(n_patients), n_sites = site_region_.size();
  cohort.site.resize(n);
  cohort.region.resize(n);
  cohort.randomised_months.resize(n);
  auto& scratch = cohort.scratch;
  scratch.words.resize(n, std::max<std::size_t>(scratch.words.n_columns(), 1));
  scratch.floats.resize(n, std::max<std::size_t>(scratch.floats.n_columns(), 1));
  scratch.site_words.resize(n_sites, std::max<std::size_t>(scratch.site_words.n_columns(), 1));
  scratch.site_normals.resize(n_sites, std::max<std::size_t>(scratch.site_normals.n_columns(), 1));
  scratch.site_rates.resize(n_sites);
  scratch.site_openings.resize(n_sites);
  scratch.site_order.resize(n_sites);
  scratch.site_counts.resize(n_sites);
  scratch.region_counts.resize(regions_.size());
  scratch.region_quotas.resize(regions_.size());
  scratch.region_open.resize(regions_.size());
  scratch.n_planned = n_planned;
  scratch.rate_sums.resize(n_sites);
}

void Recruitment::skip(Cohort& cohort) {
  const auto n = static_cast<std::size_t>(cohort.n_patients);
  fill_no_sites(cohort);
  std::fill_n(cohort.randomised_months.begin(), n, 0.0);
  cohort.n_screened = 0;
}

// Multiplies the sites' values by what their region's law draws, where it has one.
void Recruitment::draw_sites(const rng::Address& sites, std::optional<LogGamma> SiteLaws::*law,
                             base::AlignedVector<double>& values, Cohort& cohort) const {
  if (std::none_of(laws_.begin(), laws_.end(),
                   [&](const SiteLaws& laws) { return (laws.*law).has_value(); }))
    return;
  const std::size_t n_sites = site_region_.size();
  const auto words = cohort.scratch.site_words[0].first(n_sites);
  const auto logs = cohort.scratch.site_normals[0].first(n_sites);
  rng::fill_words(sites, 0, n_sites, {words.data(), nullptr, nullptr, nullptr});
  rng::normals_of_words(words, logs);
  for (std::size_t site = 0; site < n_sites; ++site) {
    const auto& log_gamma = laws_[static_cast<std::size_t>(site_region_[site])].*law;
    logs[site] = log_gamma ? (*log_gamma)(logs[site]) : 0;
  }
  for (std::size_t site = 0; site < n_sites; ++site)
    values[site] *= static_cast<double>(math::exp_float(logs[site]));
}

void Recruitment::open_sites(rng::Key key, std::uint64_t trial, Cohort& cohort) const {
  auto& scratch = cohort.scratch;
  for (std::size_t site = 0; site < site_region_.size(); ++site) {
    const Region& region = regions_[static_cast<std::size_t>(site_region_[site])];
    scratch.site_openings[site] = region.startup_mean_months;
    scratch.site_rates[site] = region.screened_per_month * (1 - screen_failure_);
  }
  draw_sites({key, rng::Purpose::site_startup, trial, 0}, &SiteLaws::startup, scratch.site_openings,
             cohort);
  draw_sites({key, rng::Purpose::site_rate, trial, 0}, &SiteLaws::rate, scratch.site_rates, cohort);
  sort_by_opening(scratch.site_openings, scratch.site_order);
}

// From one opening to the next the rate is constant, so calendar time is linear in operational time.
void Recruitment::enrol_uncapped(Extent extent, Cohort& cohort) const {
  auto& scratch = cohort.scratch;
  const auto n = static_cast<std::size_t>(cohort.n_patients), n_sites = site_region_.size();
  const std::span<double> months(cohort.randomised_months.data(), n);
  const std::span<float> rates = scratch.floats[0].first(n);
  double rate = 0, operational = 0;
  std::size_t patient = 0;
  for (std::size_t n_open = 0; n_open < n_sites;) {
    const auto site = static_cast<std::size_t>(scratch.site_order[n_open]);
    const double opening = scratch.site_openings[site];
    rate += scratch.site_rates[site];
    scratch.rate_sums[n_open++] = static_cast<float>(rate);
    const std::size_t first = patient;
    const double from = operational, shift = opening + screening_months_;
    if (n_open < n_sites) {
      const auto next = static_cast<std::size_t>(scratch.site_order[n_open]);
      operational += rate * (scratch.site_openings[next] - opening);
      while (patient < n && months[patient] <= operational) ++patient;
    } else {
      patient = n;
    }
    if (first == patient) continue;
    const double per_rate = 1 / rate;
    for (std::size_t i = first; i < patient; ++i) months[i] = (months[i] - from) * per_rate + shift;
    std::fill(rates.begin() + static_cast<std::ptrdiff_t>(first),
              rates.begin() + static_cast<std::ptrdiff_t>(patient), static_cast<float>(rate));
  }
  if (extent == Extent::calendar) return;
  const std::span<int> sites(cohort.site.data(), n), regions(cohort.region.data(), n);
  site_places_of_words(scratch.words[0].first(n), rates, {scratch.rate_sums.data(), n_sites}, sites);
  const int* order = scratch.site_order.data();
  const int* region_of = site_region_.data();
  for (std::size_t i = 0; i < n; ++i) {
    const int site = order[sites[i]];
    sites[i] = site;
    regions[i] = region_of[site];
  }
}

// The rates of the sites that are open, in the order of opening; of full regions none.
void Recruitment::add_up_rates(std::size_t n_open, Cohort& cohort) const {
  auto& scratch = cohort.scratch;
  double sum = 0;
  for (std::size_t i = 0; i < n_open; ++i) {
    const auto site = static_cast<std::size_t>(scratch.site_order[i]);
    if (scratch.region_open[static_cast<std::size_t>(site_region_[site])] != 0)
      sum += scratch.site_rates[site];
    scratch.rate_sums[i] = static_cast<float>(sum);
  }
}

// Counts a patient in and closes what is now full.
void Recruitment::close_full(std::size_t site, std::size_t n_open, Cohort& cohort) const {
  auto& scratch = cohort.scratch;
  const auto i_region = static_cast<std::size_t>(site_region_[site]);
  const Region& region = regions_[i_region];
  const auto in_site = ++scratch.site_counts[site];
  const auto in_region = ++scratch.region_counts[i_region];
  const bool region_full = in_region >= scratch.region_quotas[i_region];
  const bool site_full =
      region.maximum_patients_per_site && in_site >= *region.maximum_patients_per_site;
  if (!region_full && !site_full) return;
  if (region_full) scratch.region_open[i_region] = 0;
  if (site_full) scratch.site_rates[site] = 0;
  add_up_rates(n_open, cohort);
}

// Shares of a trial that has become larger by this patient.
void Recruitment::reopen(std::size_t patient, std::size_t n_open, Cohort& cohort) const {
  auto& scratch = cohort.scratch;
  const int n_patients = static_cast<int>(patient) + 1;
  if (n_patients <= scratch.n_planned) return;
  bool has_reopened = false;
  for (std::size_t i = 0; i < regions_.size(); ++i) {
    if (!regions_[i].maximum_share) continue;
    scratch.region_quotas[i] = share_of(*regions_[i].maximum_share, n_patients);
    if (scratch.region_open[i] != 0 || scratch.region_counts[i] >= scratch.region_quotas[i]) continue;
    scratch.region_open[i] = 1;
    has_reopened = true;
  }
  if (has_reopened) add_up_rates(n_open, cohort);
}

// The waiting times are used up at the rates of the moment, which fall as sites fill.
void Recruitment::enrol_capped(Cohort& cohort) const {
  auto& scratch = cohort.scratch;
  const auto n = static_cast<std::size_t>(cohort.n_patients), n_sites = site_region_.size();
  const auto words = scratch.words[0].first(n);
  const auto waitings = scratch.floats[0].first(n);
  std::fill(scratch.site_counts.begin(), scratch.site_counts.end(), 0);
  std::fill(scratch.region_counts.begin(), scratch.region_counts.end(), 0);
  std::fill(scratch.region_open.begin(), scratch.region_open.end(), std::uint8_t{1});
  for (std::size_t i = 0; i < regions_.size(); ++i)
    scratch.region_quotas[i] = regions_[i].maximum_share
                                   ? share_of(*regions_[i].maximum_share, scratch.n_planned)
                                   : regions_[i].maximum_patients.value_or(k_unlimited);
  double month = 0;
  std::size_t n_open = 0;
  for (std::size_t patient = 0; patient < n; ++patient) {
    double waiting = waitings[patient];
    reopen(patient, n_open, cohort);
    for (;;) {
      const double rate = n_open > 0 ? scratch.rate_sums[n_open - 1] : 0;
      TRIALWRIGHT_EXPECT(rate > 0 || n_open < n_sites);
      if (n_open == n_sites) {
        month += waiting / rate;
        break;
      }
      const auto next = static_cast<std::size_t>(scratch.site_order[n_open]);
      const double until = std::max(scratch.site_openings[next], month);
      if (waiting <= rate * (until - month) && rate > 0) {
        month += waiting / rate;
        break;
      }
      waiting -= rate * (until - month);
      month = until;
      const bool adds = scratch.region_open[static_cast<std::size_t>(site_region_[next])] != 0;
      scratch.rate_sums[n_open++] = static_cast<float>(rate + (adds ? scratch.site_rates[next] : 0));
    }
    const int place = site_place_of_word(words[patient], scratch.rate_sums[n_open - 1],
                                         {scratch.rate_sums.data(), n_open});
    const auto site = static_cast<std::size_t>(scratch.site_order[static_cast<std::size_t>(place)]);
    cohort.site[patient] = static_cast<int>(site);
    cohort.region[patient] = site_region_[site];
    cohort.randomised_months[patient] = month + screening_months_;
    close_full(site, n_open, cohort);
  }
}

void Recruitment::enrol(rng::Key key, std::uint64_t trial, Cohort& cohort, Extent extent) const {
  open_sites(key, trial, cohort);
  const auto n = static_cast<std::size_t>(cohort.n_patients);
  const auto words = cohort.scratch.words[0].first(n);
  const auto waitings = cohort.scratch.floats[0].first(n);
  const rng::Address arrivals{key, rng::Purpose::arrival, trial, 0};
  rng::fill_list(arrivals, 0, words);
  waitings_of_words(words, waitings);
  const double operational = add_up(waitings, cohort.randomised_months);
  if (is_capped_ || extent == Extent::calendar_and_sites)
    rng::fill_list(arrivals, 1, words);
  else
    fill_no_sites(cohort);
  if (is_capped_)
    enrol_capped(cohort);
  else
    enrol_uncapped(extent, cohort);
  rng::Stream screening({key, rng::Purpose::screening, trial, 0});
  const double failures = operational * (screen_failure_ / (1 - screen_failure_));
  cohort.n_screened = static_cast<int>(n);
  if (failures > 0) cohort.n_screened += static_cast<int>(rng::poisson(screening, failures));
}

}  // namespace trialwright::patient
