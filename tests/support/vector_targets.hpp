// Running a check on every instruction set that kernels are compiled for and this machine has.
#pragma once

#include "rng/vector_targets.hpp"

#include <gtest/gtest.h>
#include <hwy/highway.h>

#include <cstdint>

namespace trialwright::test {

// Calls f() with run-time dispatch confined to one instruction set after the other, plain code
// included.
template <class Function>
void for_each_target(Function f) {
  const std::int64_t usable = HWY_TARGETS & (hwy::SupportedTargets() | HWY_STATIC_TARGET);
  for (std::int64_t rest = usable; rest != 0; rest &= rest - 1) {
    const std::int64_t target = rest & -rest;
    hwy::GetChosenTarget().Update(target);
    SCOPED_TRACE(hwy::TargetName(target));
    f();
  }
  hwy::GetChosenTarget().DeInit();
}

}  // namespace trialwright::test
