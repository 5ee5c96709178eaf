// Keeps the rules, but for a header that does not exist.
#pragma once

#include <vector>

#include "low/low.hpp"
#include "low/missing.hpp"
