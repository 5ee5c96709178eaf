// The loop over trials takes no memory once it has seen a few.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "support/staged_plans.hpp"
#include "support/studies.hpp"
#include "trial/simulate_trial.hpp"
#include "trial/staged_trial.hpp"

namespace {
std::atomic<std::uint64_t> n_allocations{0};

void* allocate(std::size_t size, std::size_t alignment) {
  ++n_allocations;
  const std::size_t rounded = (size + alignment - 1) / alignment * alignment;
  void* memory = std::aligned_alloc(alignment, rounded > 0 ? rounded : alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
}  // namespace

// The other forms of new and delete go through these, but for a sanitizer's own new that does not
// throw.
void* operator new(std::size_t size) {
  return allocate(size, alignof(std::max_align_t));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  try {
    return operator new(size);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}

namespace trialwright::trial {
namespace {

struct Case {
  std::string sections;
  std::string library;
};

TEST(SimulateTrial, AllocatesNothingOnceItRuns) {
  const std::string others = ", secondary: [iga01_superiority, nrs4_superiority, ae_noninferiority]";
  const std::string stratified = ", randomisation: {method: permuted_block, strata: [severity, site]}";
  const std::string effects =
      "measures: {easi: {site_effects: {intercept_sd: 0.35, effect_sd: 0.25}}}\n";
  const std::string minimised =
      ", randomisation: {method: minimisation, strata: [severity], probability: 0.8}";
  for (const auto& [sections, library] :
       {Case{support::sections(90), "library/hcmsc.yaml"},
        Case{support::sections(90, "{effect: 1}", others + stratified) + effects,
             "library/hcmsc_rescue.yaml"},
        Case{support::sections(90, "{truth: {draw: calibration_posterior}}", minimised),
             "library/hcmsc_rescue.yaml"}}) {
    const auto plan = support::plan(sections, library);
    Workspace workspace;
    workspace.prepare(*plan);
    // Lists of adverse events and of rare redraws reach their length.
    for (std::uint64_t i = 0; i < 400; ++i) simulate_trial(*plan, i, workspace);
    const std::uint64_t before = n_allocations;
    for (std::uint64_t i = 4000; i < 4200; ++i) simulate_trial(*plan, i, workspace);
    EXPECT_EQ(n_allocations - before, 0u) << library;
  }
}

TEST(SimulateStaged, AllocatesNothingOnceItRuns) {
  const auto change = [](const design::LookData& data, design::TrialState& state) -> design::Decision {
    if (data.i_look == 0) state.n_planned = 90;
    if (data.i_look == 1) state.arms = 0b01;
    return {};
  };
  const auto looks = [](int n) {
    return design::LookTrigger{design::OutcomesKnown{{static_cast<double>(n), false}}};
  };
  for (const char* randomisation :
       {"{method: permuted_block, strata: [severity, site]}", "{method: random_allocation}",
        "{method: minimisation, strata: [severity], probability: 0.8}"}) {
    const auto plan = support::staged_plan(
        support::sections(120, "{effect: 1}",
                          std::string(", secondary: [iga01_superiority, ae_noninferiority], "
                                      "randomisation: ") +
                              randomisation),
        {{looks(30), looks(50)}, 4}, 60, change, "library/hcmsc_rescue.yaml");
    Workspace workspace;
    workspace.prepare(*plan);
    StagedOutcome outcome;
    for (std::uint64_t i = 0; i < 400; ++i) simulate_staged(*plan, i, workspace, outcome, nullptr);
    const std::uint64_t before = n_allocations;
    for (std::uint64_t i = 4000; i < 4200; ++i) simulate_staged(*plan, i, workspace, outcome, nullptr);
    EXPECT_EQ(n_allocations - before, 0u) << randomisation;
  }
}

TEST(SimulateTrial, TheTestOfItCountsAllocations) {
  const std::uint64_t before = n_allocations;
  const auto one = std::make_unique<std::vector<int>>(3);
  EXPECT_EQ(n_allocations - before, 2u + (one->empty() ? 1u : 0u));
}

}  // namespace
}  // namespace trialwright::trial
