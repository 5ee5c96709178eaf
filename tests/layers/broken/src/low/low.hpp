// Breaks the rules: includes upward, reaches an external library away from its home, names no folder.
#pragma once

#include <yaml-cpp/yaml.h>
#include <boost/math/distributions/beta.hpp>

#include "app/app.hpp"
#include "low.hpp"
