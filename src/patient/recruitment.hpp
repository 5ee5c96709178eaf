// Enrolment in calendar time: regions' sites open one by one and screen patients at their own rates.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "input/reader.hpp"
#include "math/cubic_table.hpp"
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
  std::optional<double> maximum_share;  // of the trial's patients; never beside maximum_patients
  std::optional<std::int64_t> maximum_patients_per_site;
};

// Poisson-gamma recruitment (Anisimov & Fedorov 2007, Stat Med 26:4958-4975): site s opens at a gamma
// time and then screens by a Poisson process of a gamma rate; each screened patient fails with a fixed
// probability q. A site or region that has its cap randomised closes.
//
// A cap may be a share of the trial: rounded up, of the patients planned at first; of each patient
// beyond these (of a design that may come to more, or that passes patients over) of all those enrolled
// up to and with this one, so that a region that was full opens again. Shares that add up to 1 thus
// fill every trial.
//
// Randomised patients are drawn, not screened ones: those that do not fail form Poisson processes of 1
// - q times the rates, independent of the failures' (splitting; Kingman 1993, "Poisson Processes",
// section 5.1). Their waiting times are exponential in operational time, the integral of the open
// sites' rate of randomisation, and the calendar is the inverse of that piecewise linear integral (time
// change; Brémaud 1981, theorem II.16). Over the operational time T that the last patient was
// randomised at, the failures are Poisson of mean T q / (1 - q), whatever the calendar and the caps; so
// one draw gives how many were screened, with its joint law. Draws: site_startup and site_rate, word 0
// of unit site, a normal each that a table of the gamma's quantiles takes; arrival: place i of list 0
// the waiting time before patient i, of list 1 the site (rng::fill_list); screening: the stream of unit
// 0 the number of failures. A patient's do not hang on how many patients there are.
class Recruitment {
 public:
  // Reads the section `recruitment`. Without it: one region "all" of one site, and no calendar.
  static Recruitment read(input::Reader& study);

  const std::vector<Region>& regions() const { return regions_; }
  std::vector<std::string> region_names() const;
  std::vector<std::string> site_names() const;  // "korea 1", ...
  int n_sites() const { return static_cast<int>(site_region_.size()); }
  const std::vector<int>& site_regions() const { return site_region_; }
  // The largest trial that the caps fill, shares taken unrounded; the largest integer where any is.
  std::int64_t capacity() const;
  // When, in months since the study's start, the first patient may be randomised: a site opens at the
  // study's start where openings vary, else at their mean, and screening takes its time.
  double first_possible_month() const;
  // Is there more than one site or a calendar?
  bool is_trivial() const { return !screens_; }

  // n_planned: what shares of regions are of first, at most n_patients.
  void prepare(int n_patients, int n_planned, Cohort& cohort) const;
  // Fills randomised_months and n_screened, and site and region where asked for (else zeros; what the
  // calendar holds does not hang on that). Needs n_patients <= capacity().
  enum class Extent { calendar, calendar_and_sites };
  void enrol(rng::Key key, std::uint64_t trial, Cohort& cohort,
             Extent extent = Extent::calendar_and_sites) const;
  // What stands in these columns where nobody reads them: site 0, region 0, month 0, nobody screened.
  static void skip(Cohort& cohort);

 private:
  // The logarithm of a gamma variable of mean 1 as a function of a standard normal, to 1e-6 for |z| <=
  // 5 (and shares of the mean below e^-86 are that).
  class LogGamma {
   public:
    explicit LogGamma(double shape);
    float operator()(float z) const { return static_cast<float>(table_(z)); }

   private:
    math::CubicTable table_;
  };
  // The laws of a region's sites; nothing where they do not vary.
  struct SiteLaws {
    std::optional<LogGamma> startup;
    std::optional<LogGamma> rate;
  };

  void make_laws();
  void open_sites(rng::Key key, std::uint64_t trial, Cohort& cohort) const;
  void draw_sites(const rng::Address& sites, std::optional<LogGamma> SiteLaws::*law,
                  base::AlignedVector<double>& values, Cohort& cohort) const;
  void enrol_uncapped(Extent extent, Cohort& cohort) const;
  void enrol_capped(Cohort& cohort) const;
  double patients_let_in(double n_patients) const;
  void add_up_rates(std::size_t n_open, Cohort& cohort) const;
  void close_full(std::size_t site, std::size_t n_open, Cohort& cohort) const;
  void reopen(std::size_t patient, std::size_t n_open, Cohort& cohort) const;

  std::vector<Region> regions_;
  std::vector<SiteLaws> laws_;
  std::vector<int> site_region_;
  double screen_failure_ = 0;
  double screening_months_ = 0;
  bool screens_ = false;
  bool is_capped_ = false;
};

}  // namespace trialwright::patient
