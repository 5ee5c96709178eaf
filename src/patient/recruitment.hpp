// Enrolment in calendar time: regions' sites open one by one and screen patients at their own rates.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "input/reader.hpp"
#include "patient/cohort.hpp"
#include "rng/stream.hpp"

namespace trialwright::patient {

struct Region {
  std::string name;
  int n_sites = 1;
  double startup_mean_months = 0;
  double startup_sd_months = 0;      // 0: every site opens at the mean
  double screened_per_month = 1;     // mean over sites
  std::optional<double> rate_shape;  // of the gamma over sites; absent: all sites at the mean
  std::optional<std::int64_t> maximum_patients;
  std::optional<std::int64_t> maximum_patients_per_site;
};

// Poisson-gamma recruitment (Anisimov & Fedorov 2007, Stat Med 26:4958-4975): site s opens at a gamma
// time and then screens by a Poisson process of a gamma rate; each screened patient fails with a fixed
// probability. A site or region that has its cap randomised closes.
// Draws: site_startup and site_rate, one unit a site; arrival, one stream a trial (waiting time, then
// site); screening, one unit an arrival.
class Recruitment {
 public:
  // Reads the section `recruitment`. Without it: one region "all" of one site, and no calendar.
  static Recruitment read(input::Reader& study);

  const std::vector<Region>& regions() const { return regions_; }
  std::vector<std::string> region_names() const;
  std::vector<std::string> site_names() const;  // "korea 1", ...
  int n_sites() const { return static_cast<int>(site_region_.size()); }
  const std::vector<int>& site_regions() const { return site_region_; }
  // Most patients the caps let in; the largest integer where nothing is capped.
  std::int64_t capacity() const;
  // Is there more than one site or a calendar?
  bool is_trivial() const { return !screens_; }

  void prepare(int n_patients, Cohort& cohort) const;
  // Fills site, region, randomised_months and n_screened. Needs n_patients <= capacity().
  void enrol(rng::Key key, std::uint64_t trial, Cohort& cohort) const;
  // What stands in these columns where nobody reads them: site 0, region 0, month 0, nobody screened.
  static void skip(Cohort& cohort);

 private:
  void open_sites(rng::Key key, std::uint64_t trial, Cohort& cohort) const;
  void close_full(std::size_t site, Cohort& cohort) const;

  std::vector<Region> regions_;
  std::vector<int> site_region_;
  double screen_failure_ = 0;
  double screening_months_ = 0;
  bool screens_ = false;
};

}  // namespace trialwright::patient
