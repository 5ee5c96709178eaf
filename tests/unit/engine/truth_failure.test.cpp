// A thread that runs out of memory over true values leaves no other waiting for them.
#include <gtest/gtest.h>

#include <cstdlib>
#include <future>
#include <new>

#include "engine/true_values.hpp"
#include "support/studies.hpp"

namespace {
thread_local bool t_is_out_of_memory = false;
}

// What columns are allocated by.
void* operator new(std::size_t size, std::align_val_t alignment) {
  const auto line = static_cast<std::size_t>(alignment);
  void* memory = t_is_out_of_memory ? nullptr : std::aligned_alloc(line, (size / line + 1) * line);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}

namespace trialwright::engine {
namespace {

TEST(TruthStage, TellsThreadsThatWaitOfAFailure) {
  const auto plan =
      support::plan(support::sections(60, "{effect: 1}", ", secondary: [nrs4_superiority]"),
                    "library/hcmsc_rescue.yaml");
  const std::vector<PointWork> work{{0, plan.get()}};
  TruthStage truths(work, 2);
  ASSERT_GT(truths.n_blocks(), 1u);
  auto waiting = std::async(std::launch::async, [&] { truths.wait(0); });
  t_is_out_of_memory = true;
  EXPECT_THROW(truths.run(0, 0), std::bad_alloc);
  t_is_out_of_memory = false;
  EXPECT_THROW(waiting.get(), std::bad_alloc);
}

}  // namespace
}  // namespace trialwright::engine
