#include "patient/recruitment.hpp"

#include <algorithm>
#include <limits>

#include "base/calendar.hpp"
#include "base/contract.hpp"
#include "rng/draws.hpp"

namespace trialwright::patient {

namespace {

constexpr std::int64_t k_unlimited = std::numeric_limits<std::int64_t>::max();

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
  region.maximum_patients_per_site =
      reader.optional_integer("maximum_patients_per_site", 1, k_unlimited);
  return region;
}

}  // namespace

Recruitment Recruitment::read(input::Reader& study) {
  Recruitment result;
  if (auto section = study.optional_map("recruitment")) {
    result.screens_ = true;
    result.screen_failure_ =
        section->number("screen_failure", {0, 1, false, true, "a probability"}, 0.0);
    result.screening_months_ =
        section->number("screening_weeks", input::k_non_negative, 0.0) / base::k_weeks_per_month;
    for (auto& [name, reader] : section->named("regions"))
      result.regions_.push_back(read_region(name, reader));
    if (result.regions_.empty()) section->fault("regions", "at least one region is needed");
  }
  if (result.regions_.empty()) result.regions_.emplace_back().name = "all";
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

std::int64_t Recruitment::capacity() const {
  std::int64_t total = 0;
  for (const auto& region : regions_) {
    std::int64_t most = region.maximum_patients.value_or(k_unlimited);
    if (region.maximum_patients_per_site &&
        *region.maximum_patients_per_site < k_unlimited / region.n_sites)
      most = std::min(most, *region.maximum_patients_per_site * region.n_sites);
    if (most > k_unlimited - total) return k_unlimited;
    total += most;
  }
  return total;
}

void Recruitment::prepare(int n_patients, Cohort& cohort) const {
  const auto n = static_cast<std::size_t>(n_patients), n_sites = site_region_.size();
  cohort.site.resize(n);
  cohort.region.resize(n);
  cohort.randomised_months.resize(n);
  auto& scratch = cohort.scratch;
  scratch.site_rates.resize(n_sites);
  scratch.site_openings.resize(n_sites);
  scratch.site_order.resize(n_sites);
  scratch.site_counts.resize(n_sites);
  scratch.region_counts.resize(regions_.size());
  scratch.rate_sums.resize(n_sites);
}

void Recruitment::skip(Cohort& cohort) {
  const auto n = static_cast<std::size_t>(cohort.n_patients);
  std::fill_n(cohort.site.begin(), n, 0);
  std::fill_n(cohort.region.begin(), n, 0);
  std::fill_n(cohort.randomised_months.begin(), n, 0.0);
  cohort.n_screened = 0;
}

void Recruitment::open_sites(rng::Key key, std::uint64_t trial, Cohort& cohort) const {
  auto& scratch = cohort.scratch;
  for (std::size_t site = 0; site < site_region_.size(); ++site) {
    const Region& region = regions_[static_cast<std::size_t>(site_region_[site])];
    const auto unit = static_cast<std::uint32_t>(site);
    double opening = region.startup_mean_months, rate = region.screened_per_month;
    if (region.startup_sd_months > 0) {
      const double ratio = region.startup_mean_months / region.startup_sd_months, shape = ratio * ratio;
      rng::Stream stream({key, rng::Purpose::site_startup, trial, unit});
      opening *= rng::gamma(stream, shape) / shape;
    }
    if (region.rate_shape) {
      rng::Stream stream({key, rng::Purpose::site_rate, trial, unit});
      rate *= rng::gamma(stream, *region.rate_shape) / *region.rate_shape;
    }
    scratch.site_openings[site] = opening;
    scratch.site_rates[site] = rate;
    scratch.site_order[site] = static_cast<int>(site);
  }
  std::sort(scratch.site_order.begin(), scratch.site_order.end(), [&](int a, int b) {
    const double at_a = scratch.site_openings[static_cast<std::size_t>(a)];
    const double at_b = scratch.site_openings[static_cast<std::size_t>(b)];
    return at_a != at_b ? at_a < at_b : a < b;
  });
  std::fill(scratch.site_counts.begin(), scratch.site_counts.end(), 0);
  std::fill(scratch.region_counts.begin(), scratch.region_counts.end(), 0);
}

// Counts a patient in and takes the rate of what is now full to 0.
void Recruitment::close_full(std::size_t site, Cohort& cohort) const {
  auto& scratch = cohort.scratch;
  const int i_region = site_region_[site];
  const Region& region = regions_[static_cast<std::size_t>(i_region)];
  const auto in_site = ++scratch.site_counts[site];
  const auto in_region = ++scratch.region_counts[static_cast<std::size_t>(i_region)];
  const bool region_full = region.maximum_patients && in_region >= *region.maximum_patients;
  const bool site_full =
      region.maximum_patients_per_site && in_site >= *region.maximum_patients_per_site;
  if (!region_full && !site_full) return;
  double sum = 0;
  for (std::size_t i = 0; i < site_region_.size(); ++i) {
    const auto other = static_cast<std::size_t>(scratch.site_order[i]);
    if ((region_full && site_region_[other] == i_region) || other == site)
      scratch.site_rates[other] = 0;
    sum += scratch.site_rates[other];
    scratch.rate_sums[i] = sum;
  }
}

void Recruitment::enrol(rng::Key key, std::uint64_t trial, Cohort& cohort) const {
  open_sites(key, trial, cohort);
  auto& scratch = cohort.scratch;
  const std::size_t n_sites = site_region_.size();
  double sum = 0;
  for (std::size_t i = 0; i < n_sites; ++i) {
    sum += scratch.site_rates[static_cast<std::size_t>(scratch.site_order[i])];
    scratch.rate_sums[i] = sum;
  }
  const auto opening = [&](std::size_t i) {
    return scratch.site_openings[static_cast<std::size_t>(scratch.site_order[i])];
  };
  rng::Stream arrivals({key, rng::Purpose::arrival, trial, 0});
  double month = 0;
  std::size_t n_open = 0, patient = 0;
  std::uint32_t arrival = 0;
  while (patient < static_cast<std::size_t>(cohort.n_patients)) {
    const double rate = n_open > 0 ? scratch.rate_sums[n_open - 1] : 0;
    TRIALWRIGHT_EXPECT(rate > 0 || n_open < n_sites);
    const double next = month + (rate > 0 ? rng::exponential(arrivals.next_uniform()) / rate : k_never);
    // An opening before the next arrival: by the process's lack of memory the wait starts anew.
    if (n_open < n_sites && opening(n_open) <= next) {
      month = std::max(month, opening(n_open++));
      continue;
    }
    if (!(rate > 0)) break;
    month = next;
    const double place = arrivals.next_uniform() * rate;
    const auto found =
        std::upper_bound(scratch.rate_sums.begin(),
                         scratch.rate_sums.begin() + static_cast<std::ptrdiff_t>(n_open - 1), place);
    const auto site = static_cast<std::size_t>(
        scratch.site_order[static_cast<std::size_t>(found - scratch.rate_sums.begin())]);
    rng::Stream screening({key, rng::Purpose::screening, trial, arrival++});
    if (screen_failure_ > 0 && rng::bernoulli(screening.uniform(0), screen_failure_)) continue;
    cohort.site[patient] = static_cast<int>(site);
    cohort.region[patient] = site_region_[site];
    cohort.randomised_months[patient] = month + screening_months_;
    ++patient;
    close_full(site, cohort);
  }
  cohort.n_screened = static_cast<int>(arrival);
}

}  // namespace trialwright::patient
