// Contracts: checks of our own assumptions, compiled out of release builds.
// Never for the user's mistakes.
#pragma once

#include <cassert>

#define TRIALWRIGHT_EXPECT(condition) assert(condition)
